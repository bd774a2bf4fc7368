"""Who gets the floor."""

import numpy as np
import pytest

from agent.turns.backchannel import is_backchannel, is_echo, is_hum
from agent.turns.interruption import Floor, FloorAction

pytestmark = pytest.mark.unit
AGENT = "the avatar is drawn forty milliseconds at a time on one media clock"


def judge(floor: Floor, speech_ms=0.0, silence_ms=0.0, text="", agent_text=AGENT, is_hum=True):
    return floor.judge(speech_ms=speech_ms, silence_ms=silence_ms, text=text, agent_text=agent_text, is_hum=is_hum)


def test_a_voice_holds_the_agent_at_once_and_words_interrupt():
    floor = Floor()
    assert floor.onset(is_hum=False) == [FloorAction.HOLD]
    assert judge(floor, 200, 0, "") == []
    assert judge(floor, 300, 0, "wait a moment") == [FloorAction.INTERRUPT]
    assert not floor.is_contested


@pytest.mark.parametrize("text", ["mm-hm", "uh-huh", "yeah", "okay", "I see", "", "oh okay", "right"])
def test_a_backchannel_gives_the_floor_back(text):
    floor = Floor()
    floor.onset(is_hum=False)
    assert judge(floor, 350, 100, text) == []
    assert judge(floor, 350, 220, text) == [FloorAction.RESUME]


def test_a_hum_does_not_even_hold_unless_it_goes_on():
    floor = Floor()
    assert floor.onset(is_hum=True) == []
    assert judge(floor, 300) == []
    assert judge(floor, 520) == [FloorAction.HOLD]
    assert judge(floor, 720) == [FloorAction.INTERRUPT]


def test_a_word_that_begins_like_a_hum_holds_as_soon_as_it_is_none():
    floor = Floor()
    assert floor.onset(is_hum=True) == []
    assert judge(floor, 128) == []
    assert judge(floor, 160, is_hum=False) == [FloorAction.HOLD]
    assert judge(floor, 192, is_hum=False) == []


def test_one_clear_word_interrupts_after_a_quarter_second():
    floor = Floor()
    floor.onset(is_hum=False)
    assert judge(floor, 200, 0, "stop") == []
    assert judge(floor, 260, 0, "stop") == [FloorAction.INTERRUPT]


def test_the_agents_own_words_never_interrupt():
    floor = Floor()
    floor.onset(is_hum=False)
    assert judge(floor, 900, 0, "forty milliseconds at a time") == []
    assert judge(floor, 900, 250, "forty milliseconds at a time") == [FloorAction.RESUME]


def test_echo_needs_a_run_of_shared_words():
    assert is_echo("drawn forty milliseconds at a time", AGENT)
    assert not is_echo("what is the media clock for", AGENT)
    assert not is_echo("the clock", AGENT)


def test_what_is_a_backchannel():
    assert is_backchannel("Mm-hm.") and is_backchannel("yeah, right")
    assert not is_backchannel("yeah but why") and not is_backchannel("no") and not is_backchannel("stop")


def test_hum_against_vowel():
    t = np.arange(1600) / 16000
    hum = sum(np.sin(2 * np.pi * f * t) * a for f, a in ((130, 1), (260, 0.6), (390, 0.2)))
    vowel = hum + 0.5 * np.sin(2 * np.pi * 1170 * t) + 0.4 * np.sin(2 * np.pi * 2470 * t)
    assert is_hum((hum * 6000).astype(np.int16)) and not is_hum((vowel * 6000).astype(np.int16))
    assert not is_hum(np.zeros(100, np.int16))
