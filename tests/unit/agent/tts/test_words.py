"""Words keep their place in the text however they are said."""

import pytest
from words import place_words, prepare, spread

pytestmark = pytest.mark.unit


def test_words_stand_without_their_punctuation():
    text = "“Hello,” she said — $25 (50%), isn't it?"
    spoken = prepare(text, {}, has_phonemes=False)
    assert spoken.text == text
    assert [word.text for word in spoken.words] == ["Hello", "she", "said", "$25", "50%", "isn't", "it"]
    assert all(text[word.position :].startswith(word.text) for word in spoken.words)


def test_a_respelled_word_keeps_its_place():
    spoken = prepare("Our SaaS, the best.", {"saas": "sass thing"}, has_phonemes=False)
    assert spoken.text == "Our sass thing, the best."
    saas = spoken.words[1]
    assert (saas.text, saas.position, spoken.text_of(saas)) == ("SaaS", 4, "sass thing")
    assert spoken.word_at(9) == 1 and spoken.word_at(16) == 2 and spoken.word_at(14) is None


def test_phoneme_input_only_where_the_engine_reads_it():
    how = {"Nguyen": "[[w'In]]"}
    assert prepare("Dr Nguyen", how, has_phonemes=True).text == "Dr [[w'In]]"
    assert prepare("Dr Nguyen", how, has_phonemes=False).text == "Dr Nguyen"


def test_a_text_cannot_smuggle_in_phonemes_or_controls():
    spoken = prepare("say [[x]]\0now\nplease \ud800", {}, has_phonemes=True)
    assert not set("\0\n\ud800") & set(spoken.text) and "[[" not in spoken.text
    assert len(spoken.text) == len("say [[x]]\0now\nplease \ud800")


def test_equal_words_are_found_in_order():
    assert place_words([["a"], ["b", "c"], ["a"]], ["a", "b", "c", "a"]) == [0, 1, 3]


def test_words_that_run_together_share_what_is_there():
    starts = place_words([["ʌ", "v"], ["ð", "ə"], ["t", "oʊ"]], ["ə", "v", "ə", "t", "oʊ"])
    assert starts[0] == 0 and starts[2] == 3 and 1 <= starts[1] <= 3


def test_more_words_than_sounds_stay_inside():
    assert place_words([["a"], ["b"], ["c"]], ["a"]) == [0, 0, 0]
    assert place_words([["a"]], []) == [0]
    assert place_words([], ["a"]) == []


def test_words_in_one_breath_share_it_by_their_letters():
    words = prepare("of the", {}, has_phonemes=False).words
    assert [(start, word.text) for start, word in spread(words, 100, 600)] == [(100, "of"), (300, "the")]
    assert spread((), 0, 10) == []
