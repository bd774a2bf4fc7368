"""Marks and sound become chunks: nothing late, nothing lost, silence cut from the front."""

import numpy as np
import pytest
from polish import Polish
from utterance import Utterance

pytestmark = pytest.mark.unit
RATE = 1000


class Collected:
    """Takes what an utterance emits."""

    def __init__(self, until: int = 10**9) -> None:
        self.chunks: list[tuple[int, int, list[dict[str, object]]]] = []
        self.until = until
        self.is_wanted = True
        self.utterance = Utterance(RATE, Polish(RATE, gain=1.0), self._emit, lambda: self.is_wanted)

    def _emit(self, sample: int, samples: np.ndarray, events: list[dict[str, object]]) -> bool:
        self.chunks.append((sample, len(samples), events))
        return len(self.chunks) < self.until

    def events(self, kind: str) -> list[tuple[object, object, object]]:
        found = [event for _, _, events in self.chunks for event in events if event["kind"] == kind]
        return [(event["sample"], event["num_samples"], event["symbol"]) for event in found]


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE), np.float32)


def test_phonemes_last_until_the_next_and_lead_silence_is_cut():
    out = Collected()
    out.utterance.add_phoneme(0, "_")
    out.utterance.add_phoneme(200, "h")
    out.utterance.add_phoneme(300, "aI")
    out.utterance.add_phoneme(500, "_")
    out.utterance.add_word(200, "Hi", 0)
    out.utterance.add_sound(silence(0.7))
    assert out.utterance.finish() == 530
    assert out.events("phoneme") == [(0, 30, "_"), (30, 100, "h"), (130, 200, "aI"), (330, 200, "_")]
    assert out.events("word") == [(30, 300, "Hi")], "a word ends at the pause after it"
    assert [chunk[:2] for chunk in out.chunks] == [(i * 60, 60) for i in range(8)] + [(480, 50)]


def test_no_chunk_leaves_before_the_marks_it_needs():
    out = Collected()
    out.utterance.add_phoneme(0, "a")
    out.utterance.add_sound(silence(2))
    out.utterance.flush(2000)
    assert out.chunks == [], "the end of the phoneme is not known"
    out.utterance.add_phoneme(400, "b")
    out.utterance.flush(2000)
    assert [chunk[:2] for chunk in out.chunks] == [(0, 60)], "60 ms of sound and 300 ms ahead are known"


def test_sound_without_any_phoneme_comes_at_the_end():
    out = Collected()
    out.utterance.add_sound(silence(0.1))
    assert out.utterance.finish() == 100 and out.events("phoneme") == []


def test_an_empty_utterance_has_no_chunk():
    out = Collected()
    assert out.utterance.finish() == 0 and out.chunks == []


def test_a_refused_chunk_stops_everything():
    out = Collected(until=2)
    out.utterance.add_phoneme(0, "a")
    out.utterance.add_phoneme(1900, "b")
    out.utterance.add_sound(silence(2))
    assert not out.utterance.flush()
    out.utterance.finish()
    assert len(out.chunks) == 2


def test_a_cancel_is_seen_at_the_next_flush():
    out = Collected()
    out.utterance.add_phoneme(0, "a")
    assert out.utterance.flush(0)
    out.is_wanted = False
    assert not out.utterance.flush(0)
