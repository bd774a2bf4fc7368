"""Where a stream of words is cut for the voice."""

import pytest

from agent.pipeline.clauses import LONGEST_CHARS, ClauseSplitter

pytestmark = pytest.mark.unit


def cut(text: str, step: int = 1) -> list[str]:
    """The pieces of a text that comes in steps of so many characters."""
    splitter = ClauseSplitter()
    pieces = [piece for at in range(0, len(text), step) for piece in splitter.push(text[at : at + step])]
    return pieces + splitter.flush()


@pytest.mark.parametrize("step", [1, 3, 1000])
@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("   ", []),
        ("Hello.", ["Hello."]),
        ("Hello. How are you? Fine!", ["Hello.", "How are you?", "Fine!"]),
        ("It costs 3.14 or 1,000 euros. Yes.", ["It costs 3.14 or 1,000 euros.", "Yes."]),
        ("Dr. Smith met Mr. Jones. They talked.", ["Dr. Smith met Mr. Jones.", "They talked."]),
        ("Take fruit, e.g. apples. Good.", ["Take fruit, e.g. apples.", "Good."]),
        ("J. R. R. Tolkien wrote it. Yes.", ["J. R. R. Tolkien wrote it.", "Yes."]),
        ('She said "Stop." Then she left.', ['She said "Stop."', "Then she left."]),
        ("Really?! Yes... No.", ["Really?!", "Yes...", "No."]),
        ("你好。我是米拉。", ["你好。", "我是米拉。"]),
        ("「はい。」そうです。", ["「はい。」", "そうです。"]),
        ("no end here", ["no end here"]),
        ("One.\n\nTwo.", ["One.", "Two."]),
    ],
)
def test_sentences_are_whole_however_they_come(text, pieces, step):
    assert cut(text, step) == pieces


def test_the_first_clause_goes_early_when_it_is_long_enough():
    text = "This is the first clause of eight words, and here is more, and even more. Then, at last, the end."
    assert cut(text) == [
        "This is the first clause of eight words,",
        "and here is more, and even more.",
        "Then, at last, the end.",
    ]
    assert cut("Well, yes, I think so. Good.") == ["Well, yes, I think so.", "Good."]


def test_a_piece_is_given_out_as_soon_as_it_is_known_to_be_whole():
    splitter = ClauseSplitter()
    assert splitter.push("Hello.") == []
    assert splitter.push(" How") == ["Hello."]
    assert splitter.flush() == ["How"] and splitter.flush() == []


@pytest.mark.parametrize("text", ["word " * 200, "a" * 1000, " " * 1000 + "end", "a" * 299 + " " + "b" * 400])
def test_nobody_speaks_for_ever_without_a_breath(text):
    pieces = cut(text, 7)
    assert all(0 < len(piece) <= LONGEST_CHARS for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split()), "nothing is lost"
