"""A call whose parts fail: told once, never left waiting, and the next turn works."""

import asyncio

import numpy as np
import pytest

import agent.pipeline.hearing
from agent.events import (
    AgentTranscriptDone,
    ResponseDone,
    UserTranscriptCompleted,
)
from agent.stt.base import Transcript
from avatar.media import Activity
from tests.fixtures.call_kit import CallKit

pytestmark = pytest.mark.unit

TEN_WORDS = "One two three four five six seven eight nine ten."


@pytest.fixture
async def kit():
    async with CallKit() as kit:
        yield kit
        assert [e for _, e in kit.errors] == []


async def test_a_voice_that_breaks_in_an_unknown_way_is_no_end():
    async with CallKit() as kit:
        kit.voice.error = RuntimeError("no such thing")
        await kit.ask("hello")
        await kit.play(3)
        assert [s for s, _ in kit.errors] == ["tts"]
        assert kit.call.activity is Activity.IDLE
        kit.voice.error = None
        await kit.ask("hello again")
        await kit.play_until_silent()
        assert kit.voice.spoken[-1] == "You said hello again."


async def test_a_voice_that_breaks_half_way_ends_what_it_began():
    async with CallKit() as kit:
        kit.brain.answer = TEN_WORDS
        whole = kit.voice.speak

        async def half(text, voice, *, utterance_id):
            count = 0
            async for chunk in whole(text, voice, utterance_id=utterance_id):
                yield chunk
                count += 1
                if count == 4:
                    raise RuntimeError("the voice fell over")

        kit.voice.speak = half
        await kit.ask("count")
        await kit.play_until_silent()
        (done,) = kit.of(ResponseDone)
        assert (done.status, done.heard_text) == ("completed", "One two three four")
        assert kit.call.activity is Activity.IDLE


async def test_a_brain_that_breaks_in_an_unknown_way_is_told_once_and_leaves_no_thinking_face():
    async with CallKit() as kit:
        kit.brain.answer, kit.brain.error = " ", ValueError("bad wire")
        await kit.ask("hello")
        await kit.play(3)
        assert [s for s, _ in kit.errors] == ["brain"]
        assert kit.call.activity is Activity.IDLE


async def test_a_turn_ends_when_the_microphone_falls_silent_without_a_packet(kit):
    await kit.user(480, "hello mira")
    await kit.play(20)
    assert kit.of(UserTranscriptCompleted) == [], "a short hole in the sound is no end"
    await kit.play(10)
    await kit.settle()
    assert [e.transcript for e in kit.of(UserTranscriptCompleted)] == ["hello mira"]
    await kit.play_until_silent()
    assert kit.voice.spoken == ["You said hello mira."]


async def test_a_hold_ends_when_the_microphone_falls_silent_without_a_packet(kit):
    kit.brain.answer = TEN_WORDS
    await kit.ask("count")
    await kit.play(8)
    await kit.user(128)
    assert kit.call.counters.held == 1
    await kit.play_until_silent()
    assert kit.of(AgentTranscriptDone)[-1].unheard == "" and kit.of(ResponseDone)[0].status == "completed"


async def test_sound_the_ear_cannot_take_in_time_is_dropped_and_counted(kit):
    gate = asyncio.Event()

    async def stuck():
        await gate.wait()
        return Transcript("hello")

    kit.ear.transcribe = stuck
    await kit.user(480, "hello")
    await kit.quiet(600)
    await kit.user(480)  # a new turn waits for the words of the one before
    for _ in range(200):
        await kit.pipeline.hear(np.zeros(512, np.int16))
    gate.set()
    await kit.settle()


async def test_a_recogniser_that_breaks_in_an_unknown_way_ends_the_turn():
    async with CallKit() as kit:
        kit.ear.error = RuntimeError("no memory")
        await kit.ask("hello")
        await kit.quiet(1000)
        assert {s for s, _ in kit.errors} == {"stt"} and kit.call.activity is Activity.IDLE
        kit.ear.error = None
        kit.brain.answer = TEN_WORDS
        await kit.pipeline.type_text("count")
        await kit.play(8)
        await kit.user(480, "stop it now")
        assert kit.of(ResponseDone)[-1].status == "cancelled"


async def test_a_recogniser_that_hears_only_blanks_leaves_no_thinking_face(kit):
    async def blank():
        return Transcript(" ")

    kit.ear.transcribe = blank
    await kit.ask("hello")
    await kit.quiet(1000)
    assert kit.call.activity is Activity.IDLE and kit.brain.heard == []


async def test_playout_nobody_looks_at_is_bounded(kit):
    kit.brain.answer = TEN_WORDS
    await kit.ask("count")
    for _ in range(3):
        unit = kit.face.next_unit()
        for _ in range(200):
            kit.pipeline.on_unit(unit, kit.clock.now_s())
    assert kit.call.counters.dropped["playout"] > 0
    await kit.settle()
    await kit.play_until_silent()
    assert kit.of(ResponseDone)[-1].heard_text == TEN_WORDS


async def test_a_call_ends_though_its_recogniser_hangs():
    async with CallKit() as kit:

        async def hang():
            await asyncio.Event().wait()

        kit.ear.transcribe = hang
        await kit.user(480, "hello")
        await kit.quiet(600)
        await kit.user(480)  # the ear waits for the words of the turn before
    assert kit._running.done()


async def test_a_recogniser_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(agent.pipeline.hearing, "TRANSCRIBE_S", 0.02)
    async with CallKit() as kit:

        async def hang():
            await asyncio.Event().wait()

        kit.oracle.answer = 0.3  # one commit, no guess before it
        works, kit.ear.transcribe = kit.ear.transcribe, hang
        await kit.user(480, "hello")
        await kit.quiet(1400)
        await asyncio.sleep(0.03)
        await kit.settle()
        assert [e.code for _, e in kit.errors] == ["stt-timeout"] and kit.call.activity is Activity.IDLE
        kit.ear.transcribe, kit.oracle.answer = works, 0.95
        await kit.ask("hello again")
        await kit.play_until_silent()
        assert kit.voice.spoken == ["You said hello again."]
