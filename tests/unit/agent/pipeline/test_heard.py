"""What was heard of a reply, counted in samples that left the machine."""

import re

import pytest

from agent.pipeline.heard import CHARS_PER_S, Reply, Utterance
from avatar.media import MEDIA_CLOCK_RATE

pytestmark = pytest.mark.unit

WORD = 10_000
"""Ticks of a word."""


def spoken(text: str, *, skip: str = "", finish: bool = True) -> Utterance:
    """An utterance whose voice tells when each word is said, but for those in `skip`."""
    utterance = Utterance("u1", text)
    words = [m for m in re.finditer(r"[\w']+", text) if m.group() not in skip.split()]
    for number, m in enumerate(words):
        utterance.add_word(m.start(), len(m.group()), number * WORD, (number + 1) * WORD)
    if finish:
        utterance.finish(len(words) * WORD)
    return utterance


@pytest.mark.parametrize(
    ("position", "heard", "unheard"),
    [
        (0, "", "Hello there, my friend."),
        (WORD // 2 - 1, "", "Hello there, my friend."),
        (WORD // 2, "Hello", "there, my friend."),
        (WORD, "Hello", "there, my friend."),
        (2 * WORD, "Hello there,", "my friend."),
        (4 * WORD, "Hello there, my friend.", ""),
        (9 * WORD, "Hello there, my friend.", ""),
    ],
)
def test_a_word_of_which_half_was_played_was_heard(position, heard, unheard):
    utterance = spoken("Hello there, my friend.")
    utterance.play(position)
    assert (utterance.heard_text, utterance.unheard_text) == (heard, unheard)


def test_each_word_is_told_once_and_the_position_never_goes_back():
    utterance = spoken("one two three")
    told = [[w.text for w in utterance.play(at)] for at in (WORD, WORD, 0, 3 * WORD, 3 * WORD)]
    assert told == [["one"], [], [], ["two", "three"], []]
    assert utterance.played == 3 * WORD and utterance.is_played


@pytest.mark.parametrize(
    ("text", "skip"),
    [
        ("Papa — and mama.", ""),
        ("(Well) yes, “so” it is …", ""),
        ("One 2 three.", "2"),
        ("It ends with a sign :-)", ""),
        ("- a list", ""),
        ("the last is silent", "silent"),
    ],
)
def test_all_that_was_played_was_heard_signs_and_silent_words_too(text, skip):
    utterance = spoken(text, skip=skip)
    told = [word.text for word in utterance.play(utterance.num_ticks)]
    assert " ".join(told) == " ".join(text.split()) == utterance.heard_text
    assert utterance.unheard_text == ""


def test_the_end_of_the_sound_may_be_known_after_the_last_word_was_heard():
    utterance = spoken("Wait …", finish=False)
    utterance.play(WORD)
    utterance.finish(WORD)
    assert utterance.is_played and utterance.unheard_text == ""


@pytest.mark.parametrize(("position", "length"), [(-1, 3), (50, 3), (0, 3)])
def test_a_word_that_is_not_in_the_text_or_was_told_before_is_ignored(position, length):
    utterance = spoken("one two", finish=False)
    utterance.add_word(position, length, 5 * WORD, 6 * WORD)
    assert [w.text for w in utterance.words] == ["one", "two"]


def test_without_word_times_the_letters_tell():
    utterance = Utterance("u1", "aaaa bbbb")
    utterance.finish(9_000)
    assert [(w.text, w.start, w.end) for w in utterance.words] == [("aaaa", 0, 4_000), ("bbbb", 5_000, 9_000)]
    utterance.play(4_500)
    assert utterance.heard_text == "aaaa"


def test_without_word_times_and_end_the_pace_is_guessed_after_a_second():
    utterance = Utterance("u1", "a" * CHARS_PER_S + " " + "b" * CHARS_PER_S)
    assert utterance.play(MEDIA_CLOCK_RATE) == []
    assert len(utterance.play(MEDIA_CLOCK_RATE + 1)) == 1
    utterance.finish(3 * MEDIA_CLOCK_RATE)
    assert len(utterance.words) == 2


def test_an_empty_sentence_is_over_at_once():
    utterance = Utterance("u1", "")
    utterance.finish(0)
    assert utterance.is_played and utterance.heard_text == utterance.unheard_text == ""


def test_a_reply_is_what_was_heard_of_its_sentences():
    reply = Reply("res_1", 1, "talk", planned=["One two.", "Three four.", "Five."])
    first, second = spoken("One two."), spoken("Three four.")
    reply.utterances += [first, second]
    first.play(2 * WORD)
    second.play(WORD)
    assert reply.heard_text == "One two. Three"
    assert reply.unheard_text == "four. Five."
    assert reply.played_ms == round(3 * WORD * 1000 / MEDIA_CLOCK_RATE)
    reply.is_complete = True
    assert not reply.is_played
    second.play(2 * WORD)
    assert reply.is_played and reply.utterance("u1") is first and reply.utterance(None) is None
