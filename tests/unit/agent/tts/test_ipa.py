"""Marks join their neighbours and no sample is lost."""

import pytest
from ipa import is_sound, merge_marks

pytestmark = pytest.mark.unit
GAP = 100


def merged(text: str, size: int = 10, blank: int = 10) -> list[tuple[int, str]]:
    spans, start = [], 0
    for symbol in text:
        length = blank if symbol == " " else size
        spans.append((start, length, symbol))
        start += length
    return merge_marks(spans, GAP)


def test_stress_belongs_to_the_phoneme_after_it():
    assert merged("hˈa") == [(0, "h"), (10, "ˈa")]
    assert merged("hˌa") == [(0, "h"), (10, "a")], "only main stress is told"


def test_length_belongs_to_the_phoneme_before_it():
    assert merged("iːt") == [(0, "iː"), (20, "t")]


def test_a_short_gap_is_no_pause_and_a_long_one_is():
    assert merged("a b") == [(0, "a"), (20, "b")]
    assert merged("a b", blank=200) == [(0, "a"), (10, "_"), (210, "b")]


def test_signs_ends_and_blanks_become_one_pause():
    assert merged("^a, ˈb.$") == [(0, "_"), (10, "a"), (20, "_"), (40, "ˈb"), (60, "_")]


def test_only_phonemes_sound():
    assert [symbol for symbol in "^hˈə lˌoʊ, ː.$_" if is_sound(symbol)] == list("həloʊ")
