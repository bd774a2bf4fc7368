import pytest

from agent.stt.pronounce import pronounce
from agent.stt.script import corpus, sentences, spell_number, spoken_words

pytestmark = pytest.mark.unit

KNOWN = {
    "visa": ["V IY Z AH"], "room": ["R UW M"], "key": ["K IY"], "walk": ["W AO K"], "bake": ["B EY K"],
    "stop": ["S T AA P"], "bus": ["B AH S"], "the": ["DH AH", "DH IY"], "card": ["K AA R D"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("How much is it?", "how much is it"),
        ("I'm Léa — it’s 7:30!", "i'm lea it's seven thirty"),
        ("Room 214, 100%", "room two hundred fourteen one hundred percent"),
        ("50 € & more", "fifty euros and more"),
        ("  ", ""),
        ("東京", ""),
        ("'quoted'", "quoted"),
    ],
)
def test_text_becomes_spoken_words(text, words):
    assert " ".join(spoken_words(text)) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"), (13, "thirteen"), (20, "twenty"), (45, "forty five"), (100, "one hundred"),
        (2026, "two thousand twenty six"), (999_999, "nine hundred ninety nine thousand nine hundred ninety nine"),
        (1_000_000, "one zero zero zero zero zero zero"),
    ],
)  # fmt: skip
def test_numbers_are_spelled(number, words):
    assert spell_number(number) == words


def test_sentences_are_cut_at_their_ends_not_inside_numbers():
    assert sentences("Hello. How are you? It costs 3.50 now") == [
        ["hello"], ["how", "are", "you"], ["it", "costs", "three", "fifty", "now"],
    ]  # fmt: skip


def test_the_script_outweighs_small_talk_and_terms_are_framed():
    lines = corpus(["Where is the pool?", "Who are you?", "It is on the roof."], ["Ada Lovelace"], weight=3)
    assert lines.count(["where", "is", "the", "pool"]) == 3
    assert lines.count(["it", "is", "on", "the", "roof"]) == 1
    assert ["tell", "me", "about", "ada", "lovelace"] in lines
    assert ["yes"] in lines and ["goodbye"] in lines
    assert all(line for line in lines)


def test_an_empty_script_still_hears_small_talk():
    assert corpus([], []) and ["hello"] in corpus([], [])


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("key", "K IY"),
        ("keys", "K IY Z"),
        ("walked", "W AO K T"),
        ("baking", "B EY K IH NG"),
        ("stopped", "S T AA P T"),
        ("buses", "B AH S AH Z"),
        ("card's", "K AA R D Z"),
        ("roomkey", "R UW M K IY"),
        ("gdpr", "JH IY D IY P IY AA R"),
        ("zorkle", "Z AO R K L"),
        ("phlim", "F L IH M"),
        ("nace", "N EY S"),
    ],
)
def test_words_no_dictionary_holds_get_a_reading(word, phones):
    assert pronounce(word, KNOWN)[0] == phones


def test_all_readings_of_a_known_word_are_kept():
    assert pronounce("the", KNOWN) == ("DH AH", "DH IY")


@pytest.mark.parametrize("word", ["a", "'", "b", "q", "xyzzy", "aeiou", "e", "ee", "tsch"])
def test_any_word_gets_phones_of_the_set(word):
    phones = set(pronounce(word, {})[0].split())
    allowed = set(
        "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH".split()
    )
    assert phones and phones <= allowed
