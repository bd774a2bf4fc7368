"""The short way of Whisper and when it is left, over a model that answers as told."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("faster_whisper", reason="the extra 'whisper' is not installed")
from agent.stt.whisper import Hearing, frame_loudness

pytestmark = pytest.mark.unit

SECOND = np.zeros(16_000, np.float32)


class FakeWhisper:
    """Stands for faster_whisper.WhisperModel: notes the frames it encodes, says what it is told."""

    def __init__(self, text: str, log_probability: float = -0.1, no_speech: float = 0.0) -> None:
        self.said, self.log_probability, self.no_speech = text, log_probability, no_speech
        self.encoded_frames: list[int] = []
        self.max_tokens: list[int] = []
        self.long_passes = 0
        self.hotwords: list[str | None] = []
        self.hf_tokenizer = SimpleNamespace(
            token_to_id=lambda token: 1000, decode=lambda ids: self.said, encode=lambda *a, **k: None
        )
        self.model = SimpleNamespace(is_multilingual=False, generate=self._generate)

    def feature_extractor(self, sound, padding):
        return np.zeros((80, len(sound) // 160), np.float32)

    def get_prompt(self, tokenizer, previous, without_timestamps, hotwords):
        self.hotwords.append(hotwords)
        return [1, 2, 3]

    def encode(self, features):
        self.encoded_frames.append(features.shape[1])
        return features

    def _generate(self, encoded, prompts, **options):
        self.max_tokens.append(options["max_length"] - len(prompts[0]))
        tokens = list(range(len(self.said.split())))
        score = self.log_probability * (len(tokens) + 1) / max(1, len(tokens))
        return [SimpleNamespace(sequences_ids=[tokens], scores=[score], no_speech_prob=self.no_speech)]

    def transcribe(self, sound, **options):
        self.long_passes += 1
        return [SimpleNamespace(text=" the long way", avg_logprob=-0.2)], None


def hearing(model: FakeWhisper) -> Hearing:
    return Hearing(model, language="en", hotwords="Mira, Visavis")


def test_only_what_was_said_and_a_second_is_encoded():
    model = FakeWhisper("hello there")
    text, confidence, is_sound = hearing(model).sure(np.tile(SECOND, 3))
    assert (text, is_sound) == ("hello there", True) and confidence == pytest.approx(0.905, abs=0.001)
    assert model.encoded_frames == [400] and model.long_passes == 0
    assert model.max_tokens == [16 + 30]
    assert model.hotwords == ["Mira, Visavis"]


@pytest.mark.parametrize(
    "model",
    [
        FakeWhisper("some words", log_probability=-1.3),
        FakeWhisper("the the the the the the the"),
        FakeWhisper("a long run of sound that goes " * 8, log_probability=-0.3),
    ],
)
def test_a_doubtful_result_is_heard_again_the_long_way(model):
    assert hearing(model).sure(SECOND)[0] == "the long way"
    assert model.long_passes == 1


def test_a_partial_never_takes_the_long_way():
    model = FakeWhisper("some words", log_probability=-1.3)
    assert hearing(model).short(SECOND)[2] is False
    assert model.long_passes == 0


def test_no_speech_is_no_text():
    model = FakeWhisper("thank you for watching", log_probability=-1.3, no_speech=0.9)
    assert hearing(model).sure(SECOND) == ("", 0.0, True)
    assert model.long_passes == 0


def test_a_turn_beyond_the_window_goes_the_long_way_and_its_partial_hears_the_end():
    model = FakeWhisper("hello")
    turn = np.tile(SECOND, 40)
    assert hearing(model).sure(turn)[0] == "the long way"
    assert model.encoded_frames == []
    hearing(model).short(turn)
    assert model.encoded_frames == [2900]


def test_loudness_is_of_whole_frames():
    assert frame_loudness(np.full(1000, 0.5, np.float32)).tolist() == [0.5, 0.5]
    assert frame_loudness(np.zeros(10, np.float32)).size == 0
