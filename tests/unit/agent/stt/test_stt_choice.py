from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.stt.agreement import LocalAgreement, is_looping
from agent.stt.registry import ENGINES, available, choose, make

pytestmark = pytest.mark.unit

BOTH = {"whisper-base.en": Path("/m/base.en"), "whisper-base": Path("/m/base")}


def test_the_best_model_on_disk_is_taken():
    choice = choose("auto", BOTH, ["en-GB"], has_faster_whisper=True)
    assert (choice.engine, choice.model_name, choice.model_path) == ("whisper", "whisper-base.en", Path("/m/base.en"))
    assert choice.notice == ""


def test_another_language_needs_a_model_of_many():
    assert choose("auto", BOTH, ["de"], has_faster_whisper=True).model_name == "whisper-base"
    only_english = {"whisper-base.en": Path("/m")}
    choice = choose("auto", only_english, ["de"], has_faster_whisper=True)
    assert choice.engine == "pocketsphinx" and "English only" in choice.notice


@pytest.mark.parametrize(
    ("wish", "models", "has_library", "why"),
    [
        ("auto", {}, True, "no fitting Whisper model"),
        ("auto", BOTH, False, "not installed"),
        ("whisper", {}, True, "no fitting Whisper model"),
        ("pocketsphinx", BOTH, True, "you asked for it"),
    ],
)
def test_otherwise_the_built_in_one_and_the_page_is_told(wish, models, has_library, why):
    choice = choose(wish, models, ["en"], has_faster_whisper=has_library)
    assert choice.engine == "pocketsphinx" and why in choice.why
    assert "not free talk" in choice.notice


def test_what_is_lacking_comes_with_a_remedy():
    assert available(BOTH)["pocketsphinx"] is None
    assert set(available({})) == set(ENGINES)
    assert "visavis" in available({})["whisper"]


def test_a_choice_becomes_its_engine():
    with ThreadPoolExecutor(1) as executor:
        assert make(choose("pocketsphinx", {}, ["en"]), executor).capabilities.is_dictation is False
        whisper = make(choose("whisper", BOTH, ["en"], has_faster_whisper=True), executor)
    assert whisper.capabilities.is_dictation and whisper.capabilities.name == "whisper-base.en"


def test_words_count_when_two_guesses_agree_and_stay():
    agreement = LocalAgreement()
    assert agreement.update("What time") == ""
    assert agreement.update("what time is") == "what time"
    assert agreement.update("what tide is it") == "what time"
    assert agreement.update("what tide is it now") == "what tide is it"


def test_a_stop_at_the_end_of_a_guess_is_no_disagreement():
    agreement = LocalAgreement()
    agreement.update("Hello.")
    assert agreement.update("Hello there") == "Hello"


@pytest.mark.parametrize(
    ("text", "loops"),
    [
        ("no no no", False),
        ("very very very good", False),
        ("thank you thank you", False),
        ("the the the the the the", True),
        ("I'm going to I'm going to I'm going to I'm going to", True),
        ("Yes. Yes. Yes. Yes. Yes. Yes.", True),
        ("", False),
    ],
)
def test_a_stuck_model_is_told_from_people(text, loops):
    assert is_looping(text) is loops
