"""Which voice a persona gets on which machine."""

from pathlib import Path

import pytest

from agent.errors import TtsError
from agent.tts.base import VoiceSpec
from agent.tts.registry import ENGINES, EngineState, available, choose, load_engine

pytestmark = pytest.mark.unit

AMY, RYAN = Path("/voices/amy.onnx"), Path("/voices/ryan.onnx")
PIPER = {"en_US-amy-medium": AMY, "en_US-ryan-high": RYAN, "de_DE-thorsten-low": Path("/voices/t.onnx")}


def machine(*here: str) -> list[EngineState]:
    return [
        EngineState(name, name in here, "" if name in here else f"{name} is not installed: do this") for name in ENGINES
    ]


def chosen(spec: VoiceSpec, *here: str) -> tuple[str, str]:
    choice = choose(spec, piper_voices=PIPER if "piper" in here else {}, states=machine(*here))
    return choice.engine, choice.voice


@pytest.mark.parametrize(
    ("spec", "here", "expected"),
    [
        (VoiceSpec(), ("piper", "flite", "espeak"), ("piper", "en_US-amy-medium")),
        (VoiceSpec(id="male"), ("piper", "flite", "espeak"), ("piper", "en_US-ryan-high")),
        (VoiceSpec(), ("flite", "espeak"), ("flite", "slt")),
        (VoiceSpec(id="male"), ("flite", "espeak"), ("flite", "rms")),
        (VoiceSpec(), ("espeak",), ("espeak", "en-us+Annie")),
        (VoiceSpec(id="male"), ("espeak",), ("espeak", "en-us+max")),
        (VoiceSpec(id="rms"), ("piper", "flite", "espeak"), ("flite", "rms")),
        (VoiceSpec(id="en+f3"), ("piper", "flite", "espeak"), ("espeak", "en+f3")),
        (VoiceSpec(language="de"), ("piper", "flite", "espeak"), ("piper", "de_DE-thorsten-low")),
        (VoiceSpec(language="de-DE"), ("flite", "espeak"), ("espeak", "de+f2")),
        (VoiceSpec(engine="espeak", language="fr", id="male"), ("flite", "espeak"), ("espeak", "fr+max")),
        (VoiceSpec(engine="espeak"), ("piper", "flite", "espeak"), ("espeak", "en-us+Annie")),
    ],
)
def test_the_best_engine_that_has_the_voice(spec: VoiceSpec, here: tuple[str, ...], expected: tuple[str, str]):
    assert chosen(spec, *here) == expected


def test_piper_brings_its_file():
    assert choose(VoiceSpec(), piper_voices=PIPER, states=machine("piper")).path == AMY


def test_a_missing_engine_gives_way_and_says_so():
    choice = choose(VoiceSpec(engine="flite", id="rms"), states=machine("espeak"))
    assert (choice.engine, choice.voice) == ("espeak", "en-us+max")
    assert "flite is not installed: do this" in choice.notice


def test_a_piper_voice_not_on_disk_gives_way_to_its_like():
    choice = choose(VoiceSpec(id="en_US-joe-medium"), states=machine("flite", "espeak"))
    assert (choice.engine, choice.voice) == ("flite", "rms")
    assert "en_US-joe-medium is not on disk: visavis models fetch" in choice.notice


def test_the_notice_is_plain():
    choice = choose(VoiceSpec(), states=machine("flite"))
    assert choice.notice.startswith("Voice: Flite slt, a voice made from a real speaker. A Piper voice sounds")
    assert choice.why == "the best engine here for voice 'default'"


@pytest.mark.parametrize(
    "spec", [VoiceSpec(id="Nobody!"), VoiceSpec(engine="flite", language="fr"), VoiceSpec(engine="flite", id="x")]
)
def test_an_unknown_voice_is_refused_with_what_there_is(spec: VoiceSpec):
    with pytest.raises(TtsError, match=r"Take default, female or male.*Flite: slt") as caught:
        choose(spec, states=machine("flite", "espeak") if spec.engine == "flite" else machine("flite"))
    assert caught.value.code == "tts-voice-unknown" and not caught.value.retryable


def test_a_machine_without_voices_says_what_to_install():
    with pytest.raises(TtsError, match="pip install"):
        choose(VoiceSpec(), states=machine())


def test_each_engine_here_or_not_has_a_reason():
    states = available({})
    assert [state.engine for state in states] == list(ENGINES)
    assert all(state.reason for state in states)
    assert not states[0].is_here, "Piper without a voice on disk cannot speak"


def test_engines_are_found_by_name():
    assert load_engine("espeak").__name__ == "WorkerTts"
    with pytest.raises(TtsError, match="there are piper, flite, espeak"):
        load_engine("festival")
