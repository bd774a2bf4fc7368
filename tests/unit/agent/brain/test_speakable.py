"""From streamed model output to what can be said, cut into chunks at every place."""

from __future__ import annotations

import pytest

from agent.brain.base import BrainEvent, Emotion, TextDelta
from agent.brain.speakable import Speakable, clean

pytestmark = pytest.mark.unit

WEIGHTS = {"happy": {"happy": 1.0}, "sad": {"sad": 1.0}}


def said(chunks: list[str], max_sentences: int = 12) -> list[BrainEvent]:
    speakable = Speakable(WEIGHTS.get, max_sentences=max_sentences)
    events = [event for chunk in chunks for event in speakable.feed(chunk)]
    return events + speakable.finish()


def as_text(events: list[BrainEvent]) -> str:
    """Words with the faces where they come, neighbours joined."""
    parts = [f"<{'+'.join(e.weights)}>" if isinstance(e, Emotion) else e.text for e in events if not _is_other(e)]  # type: ignore[union-attr]
    return "".join(parts)


def _is_other(event: BrainEvent) -> bool:
    return not isinstance(event, Emotion | TextDelta)


CASES = [
    ("[happy] Hello. [sad] Goodbye.", "<happy>Hello. <sad>Goodbye."),
    ("[Happy]Hello", "<happy>Hello"),
    ("[bored] Hello [1] there", "Hello there"),
    ("<think>He says [sad] hi</think>Hi!", "Hi!"),
    ("<thinking>\nlong\n</thinking>\n\n[happy] Hi!", "<happy>Hi!"),
    ("  <think>never closed", ""),
    ("It is **really** *very* good.", "It is really very good."),
    ("*smiles warmly* Hello there.", "Hello there."),
    ("Oh. *laughs* Yes.", "Oh. Yes."),
    ("# Title\n- one\n- two", "Title one two"),
    ("Well - yes, 3 - 2 is 1.", "Well - yes, 3 - 2 is 1."),
    ("See [the page](https://a.b/c?d=1) now.", "See the page now."),
    ("Go to https://www.example.com/x/y now.", "Go to example.com now."),
    ("Hi \U0001f600\U0001f44b\U0001f3fd there.", "Hi there."),
    ("`code` and ```py\nx``` done", "code and x done"),
    ("Is 2 < 3? Yes.", "Is 2 3? Yes."),
    ("I [waited", "I [waited"),
]


@pytest.mark.parametrize(("raw", "expected"), CASES)
def test_what_is_said_does_not_depend_on_the_chunks(raw: str, expected: str) -> None:
    assert as_text(said([raw])).strip() == expected
    assert as_text(said(list(raw))).strip() == expected
    for cut in range(1, len(raw)):
        assert as_text(said([raw[:cut], raw[cut:]])).strip() == expected, f"cut at {cut}"


@pytest.mark.parametrize(
    ("raw", "count", "expected"),
    [
        ("One. Two! Three?", 2, "One. Two!"),
        ("It costs 3.50 dollars. Cheap.", 1, "It costs 3.50 dollars."),
        ("Dr. Smith is here. He waits.", 1, "Dr. Smith is here."),
        ('He said "stop." Then he left.', 1, 'He said "stop."'),
        ("Wait... what? No.", 2, "Wait... what?"),
    ],
)
def test_sentences_are_counted_as_they_are_heard(raw: str, count: int, expected: str) -> None:
    assert as_text(said([raw], count)).strip() == expected
    assert as_text(said(list(raw), count)).strip() == expected


def test_words_come_while_the_answer_is_still_made() -> None:
    speakable = Speakable(WEIGHTS.get, max_sentences=3)
    assert as_text(speakable.feed("[happy] Hello my fri")) == "<happy>Hello my "


def test_unknown_tags_are_counted() -> None:
    speakable = Speakable(WEIGHTS.get, max_sentences=3)
    speakable.feed("[bored] Well. ")
    assert speakable.unknown_tags == 1


def test_a_whole_text_can_be_cleaned_at_once() -> None:
    assert clean("**Hi** there\n\n* one") == "Hi there one"
