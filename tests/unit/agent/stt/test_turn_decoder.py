"""The turn logic over a decoder that writes down what it was asked."""

from types import SimpleNamespace

import pytest

from agent.stt.turn_decoder import TurnDecoder, read_transcript

pytestmark = pytest.mark.unit

SECOND = bytes(32_000)
PRIOR = [40.0] * 13


class FakeDecoder:
    """Hears one word a second; its running mean behaves as sphinxbase's: the prior weighs 500 frames."""

    def __init__(self, microphone: float = 60.0) -> None:
        self.microphone = microphone
        self.mean = list(PRIOR)
        self.means_at_start: list[float] = []
        self.pieces: list[int] = []
        self.num_bytes = 0
        self.is_open = False
        self.fail = False

    def start_utt(self) -> None:
        assert not self.is_open
        self.is_open, self.num_bytes = True, 0
        self.means_at_start.append(round(self.mean[0], 1))

    def end_utt(self) -> None:
        assert self.is_open
        self.is_open = False

    def process_raw(self, data: bytes) -> None:
        assert self.is_open
        if self.fail:
            raise RuntimeError("decoder broke")
        self.pieces.append(len(data))
        self.num_bytes += len(data)

    def _words(self) -> list[str]:
        return [f"w{n}" for n in range(self.num_bytes // 32_000)]

    def hyp(self):
        return SimpleNamespace(hypstr=" ".join(self._words())) if self.num_bytes else None

    def seg(self):
        assert not self.is_open
        return [SimpleNamespace(word=w, start_frame=0, end_frame=9, prob=0.8) for w in self._words()]

    def n_frames(self) -> int:
        return self.num_bytes // 320

    def get_cmn(self, update: bool = False) -> str:
        frames = self.n_frames()
        if update and frames:
            self.mean = [(m * 500 + self.microphone * frames) / (500 + frames) for m in self.mean]
        return ",".join(f"{m:.4f}" for m in self.mean)

    def set_cmn(self, mean: str) -> None:
        self.mean = [float(v) for v in mean.split(",")]


@pytest.fixture
def decoder() -> FakeDecoder:
    return FakeDecoder()


def feed(turn: TurnDecoder, seconds: float) -> None:
    for _ in range(round(seconds * 10)):
        turn.feed(bytes(3_200))


def test_a_first_turn_is_heard_again_with_the_mean_of_this_microphone(decoder):
    turn = TurnDecoder(decoder)
    feed(turn, 3)
    assert turn.finish().text == "w0 w1 w2"
    assert decoder.means_at_start == [40.0, 60.0]


def test_a_first_turn_too_short_to_measure_is_measured_at_its_end(decoder):
    turn = TurnDecoder(decoder)
    feed(turn, 1)
    assert decoder.means_at_start == [40.0]
    assert turn.finish().text == "w0"
    assert decoder.means_at_start == [40.0, 60.0]


def test_later_turns_start_from_what_was_learnt_and_are_heard_once(decoder):
    turn = TurnDecoder(decoder)
    feed(turn, 3)
    turn.finish()
    turn.reset()
    decoder.means_at_start.clear()
    feed(turn, 2)
    assert turn.finish().text == "w0 w1"
    assert decoder.means_at_start == [60.0]


def test_after_a_very_short_turn_the_next_is_measured_too(decoder):
    turn = TurnDecoder(decoder)
    feed(turn, 0.5)
    turn.finish()
    turn.reset()
    decoder.means_at_start.clear()
    feed(turn, 2)
    turn.finish()
    assert len(decoder.means_at_start) == 2


def test_work_comes_in_small_pieces_so_that_other_threads_run(decoder):
    turn = TurnDecoder(decoder)
    turn.feed(SECOND * 3)
    turn.finish()
    assert max(decoder.pieces) <= 1_920


def test_a_little_silence_after_the_end_costs_nothing(decoder):
    turn = TurnDecoder(decoder)
    feed(turn, 3)
    turn.finish()
    done = len(decoder.pieces)
    feed(turn, 0.3)
    assert len(decoder.pieces) == done
    assert turn.hypothesis() == "w0 w1 w2"


def test_a_turn_that_goes_on_is_searched_as_one(decoder):
    turn = TurnDecoder(decoder)
    feed(turn, 2)
    assert turn.finish().text == "w0 w1"
    feed(turn, 1)
    assert turn.hypothesis() == "w0 w1 w2"
    assert turn.finish().text == "w0 w1 w2"


def test_a_little_more_sound_is_heard_when_asked(decoder):
    turn = TurnDecoder(decoder)
    feed(turn, 1.8)
    assert turn.finish().text == "w0"
    feed(turn, 0.3)
    assert turn.finish().text == "w0 w1"


def test_a_long_turn_is_joined_from_parts(decoder):
    turn = TurnDecoder(decoder)
    feed(turn, 16)
    turn.finish()
    feed(turn, 2)
    assert turn.finish().text.split() == [f"w{n}" for n in range(16)] + ["w0", "w1"]


def test_an_endless_turn_is_bounded(decoder):
    turn = TurnDecoder(decoder)
    feed(turn, 100)
    assert len(turn.finish().text.split()) == 100
    assert decoder.num_bytes <= 41 * 32_000


def test_nothing_is_nothing(decoder):
    turn = TurnDecoder(decoder)
    assert turn.finish().text == "" and turn.hypothesis() == ""
    turn.reset()
    assert decoder.means_at_start == []


def test_a_failure_passes_and_a_reset_repairs(decoder):
    turn = TurnDecoder(decoder)
    decoder.fail = True
    with pytest.raises(RuntimeError):
        turn.feed(SECOND)
    decoder.fail = False
    turn.reset()
    feed(turn, 3)
    assert turn.finish().text == "w0 w1 w2"


def test_confidence_is_the_posterior_weighed_by_duration_and_marks_are_dropped():
    path = [
        SimpleNamespace(word="<s>", start_frame=0, end_frame=29, prob=1.0),
        SimpleNamespace(word="who(2)", start_frame=30, end_frame=59, prob=1.0),
        SimpleNamespace(word="[NOISE]", start_frame=60, end_frame=69, prob=0.1),
        SimpleNamespace(word="cares", start_frame=70, end_frame=79, prob=0.2),
    ]
    heard = read_transcript(path)
    assert heard.text == "who cares" and heard.confidence == 0.8
    assert read_transcript(None).text == "" and read_transcript(path[:1]).confidence == 0.0
