"""What espeak-ng marks and what is made of it: closures, stress, words said in one breath."""

import numpy as np
import pytest

pytest.importorskip("espeakng_loader", reason="espeakng-loader is not installed")

from espeak_library import PHONEME, WORD, Mark  # noqa: E402  (after the check that it can be)
from espeak_voice import CLOSURE_S, Listener, clean_symbol  # noqa: E402
from polish import Polish  # noqa: E402
from utterance import Utterance  # noqa: E402
from words import prepare  # noqa: E402

pytestmark = pytest.mark.unit
RATE = 22_050
CLOSURE = int(CLOSURE_S * RATE)


def spoken(text: str, sound: np.ndarray, marks: list[Mark]) -> dict[str, list[tuple[object, object, object]]]:
    events: list[dict[str, object]] = []
    utterance = Utterance(
        RATE, Polish(RATE, gain=1.0), lambda _, __, new: bool(events.extend(new)) or True, lambda: True
    )
    listener = Listener(utterance, prepare(text, {}, has_phonemes=True))
    for start in range(0, len(sound), 882):
        end = start + 882
        listener(sound[start:end].tobytes(), [mark for mark in marks if start <= mark.sample < end])
    listener.finish()
    kinds = ("phoneme", "word")
    return {k: [(e["sample"], e["num_samples"], e["symbol"]) for e in events if e["kind"] == k] for k in kinds}


def loud(num_samples: int) -> np.ndarray:
    return np.full(num_samples, 5000, np.int16)


def quiet(num_samples: int) -> np.ndarray:
    return np.full(num_samples, 100, np.int16)


def test_a_stop_begins_where_the_sound_ends_before_its_burst():
    sound = np.concatenate([loud(4000), quiet(700), loud(4000)])
    marks = [Mark(PHONEME, 0, -1, "'a"), Mark(PHONEME, 4700, -1, "p"), Mark(PHONEME, 5500, -1, "i:")]
    stop = spoken("app", sound, marks)["phoneme"][1]
    assert stop[2] == "p" and 4000 <= stop[0] <= 4110  # type: ignore[operator]


def test_a_long_silence_before_a_stop_is_not_all_closure():
    sound = np.concatenate([loud(4000), quiet(4000), loud(4000)])
    marks = [Mark(PHONEME, 0, -1, "a"), Mark(PHONEME, 4000, -1, "_:"), Mark(PHONEME, 8000, -1, "t")]
    stop = spoken("at", sound, marks)["phoneme"][2]
    assert stop[2] == "t" and 8000 - CLOSURE <= stop[0] <= 8000 - CLOSURE + 110  # type: ignore[operator]


def test_a_vowel_stays_where_it_is():
    sound = np.concatenate([loud(4000), quiet(700), loud(4000)])
    marks = [Mark(PHONEME, 0, -1, "s"), Mark(PHONEME, 4700, -1, "a")]
    assert spoken("sa", sound, marks)["phoneme"][1][0] == 4700


def test_words_said_in_one_breath_share_it():
    marks = [Mark(PHONEME, 0, -1, "V"), Mark(WORD, 0, 0, ""), Mark(WORD, 5000, 7, ""), Mark(PHONEME, 5000, -1, "d")]
    words = spoken("of the day", loud(9000), marks)["word"]
    assert words == [(0, 2000, "of"), (2000, 3000, "the"), (5000, 4000, "day")]


@pytest.mark.parametrize(
    ("raw", "clean"),
    [("'oU", "'oU"), ("%a", "a"), (",eI", "eI"), ("i:", "i:"), ("_:", "_"), ("", "_"), ("_|", "_"), ("t#", "t#")],
)
def test_symbols_keep_no_mark_but_main_stress(raw: str, clean: str):
    assert clean_symbol(raw) == clean
