"""A call at its edges: cancel, queueing, failure and noise in the moments where a stage could be left waiting."""

import asyncio

import pytest
from pipecat.frames.frames import BotStartedSpeakingFrame, BotStoppedSpeakingFrame

import avatar.face
import avatar.sync.sound_queue
from agent.brain.base import End
from agent.events import (
    PlayoutStarted,
    PlayoutStopped,
    ResponseCreated,
    ResponseDone,
    UserTranscriptCompleted,
)
from avatar.media import MEDIA_CLOCK_RATE, Activity
from tests.fixtures.call_kit import CallKit

pytestmark = pytest.mark.unit

TEN_WORDS = "One two three four five six seven eight nine ten."


@pytest.fixture
async def kit():
    async with CallKit() as kit:
        yield kit
        assert [e for _, e in kit.errors] == []


async def test_a_second_reply_waits_for_the_first_and_both_are_told(kit):
    kit.brain.answer = TEN_WORDS
    await kit.ask("count please")
    await kit.play(5)
    await kit.pipeline.say("And now a word from me.")
    await kit.settle()
    await kit.play_until_silent()
    assert [(e.status, e.heard_text) for e in kit.of(ResponseDone)] == [
        ("completed", TEN_WORDS),
        ("completed", "And now a word from me."),
    ]
    order = [type(e).__name__ for e in kit.events if isinstance(e, (PlayoutStarted, PlayoutStopped))]
    assert order == ["PlayoutStarted", "PlayoutStopped"] * 2
    assert [m["text"] for m in kit.pipeline.transcript] == ["count please", TEN_WORDS, "And now a word from me."]
    assert kit.call.activity is Activity.IDLE and not kit.call.is_agent_speaking


async def test_an_interruption_cuts_the_waiting_reply_too(kit):
    kit.brain.answer = TEN_WORDS
    await kit.ask("count please")
    await kit.play(5)
    await kit.pipeline.say("And now a word from me.")
    await kit.settle()
    await kit.pipeline.interrupt()
    await kit.settle()
    await kit.play(3)
    assert [e.status for e in kit.of(ResponseDone)] == ["cancelled", "cancelled"]
    assert [m["text"] for m in kit.pipeline.transcript] == ["count please", "One"]
    assert len(kit.of(ResponseCreated)) == 2


async def test_words_said_while_the_brain_still_streams_do_not_mix_with_its_reply(kit):
    kit.brain.gate = asyncio.Event()
    await kit.ask("hello there")
    await kit.pipeline.say("Please hold the line.")
    await kit.settle()
    kit.brain.gate.set()
    await kit.settle()
    await kit.play_until_silent()
    assert sorted(kit.voice.spoken) == ["Please hold the line.", "You said hello there."]
    assert sorted(e.heard_text for e in kit.of(ResponseDone)) == ["Please hold the line.", "You said hello there."]


async def test_words_said_while_a_reply_is_only_a_guess_are_not_lost_with_it(kit):
    kit.oracle.answer = 0.6
    await kit.user(480, "I would like")
    await kit.quiet(256)
    await kit.pipeline.say("One moment.")
    await kit.user(480, "some tea")
    kit.oracle.answer = 0.95
    await kit.quiet(420)
    await kit.settle()
    await kit.play(60)
    assert kit.voice.spoken[-1] == "You said I would like some tea."
    assert {e.heard_text for e in kit.of(ResponseDone) if e.status == "completed"} >= {
        "You said I would like some tea."
    }


async def test_metrics_of_words_said_unasked_are_not_measured_from_an_old_turn(kit):
    await kit.ask("hello")
    await kit.play_until_silent()
    kit.clock.advance(20)
    await kit.pipeline.say("Are you still there?")
    await kit.settle()
    await kit.play_until_silent()
    assert kit.of(ResponseDone)[-1].metrics["voice_to_voice_ms"] is None
    assert kit.of(ResponseDone)[-1].metrics["ttft_ms"] is None
    assert kit.of(ResponseDone)[-1].metrics["ttfb_ms"] is not None


@pytest.mark.parametrize("num_units", [0, 8])
async def test_a_cancel_leaves_the_avatar_idle(kit, num_units):
    kit.brain.answer = TEN_WORDS
    if num_units == 0:
        kit.brain.gate = asyncio.Event()
    await kit.ask("count")
    await kit.play(num_units)
    assert kit.call.activity is (Activity.SPEAKING if num_units else Activity.THINKING)
    await kit.pipeline.interrupt()
    await kit.settle()
    await kit.play(2)
    assert kit.call.activity is Activity.IDLE and not kit.call.is_agent_speaking


async def test_typed_words_after_a_cut_reply_stand_after_it_in_memory(kit):
    kit.brain.answer = TEN_WORDS
    await kit.ask("count")
    await kit.play(12)
    kit.brain.answer = None
    await kit.pipeline.type_text("are you there")
    await kit.settle()
    assert kit.call.activity is Activity.THINKING
    assert kit.brain.heard[-1][-1].text == "are you there"
    await kit.play_until_silent()
    texts = [m["text"] for m in kit.pipeline.transcript]
    assert texts[0] == "count" and texts[1].startswith("One two")
    assert texts[2:] == ["are you there", "You said are you there."]


async def test_a_turn_without_words_ends_for_pipecat_too_so_the_next_one_can_interrupt(kit):
    await kit.user(320)
    await kit.quiet(1400)
    kit.brain.answer = TEN_WORDS
    await kit.pipeline.type_text("count")
    await kit.settle()
    await kit.play(8)
    assert kit.call.is_agent_speaking
    await kit.user(480, "stop it now")
    await kit.settle()
    assert kit.of(ResponseDone)[-1].status == "cancelled"
    kit.brain.answer = None
    await kit.quiet(420)
    await kit.play_until_silent()
    assert kit.voice.spoken[-1] == "You said stop it now."


async def test_a_cough_while_the_agent_thinks_does_not_cost_the_answer(kit):
    kit.brain.gate = asyncio.Event()
    await kit.ask("what is your name")
    assert kit.call.activity is Activity.THINKING
    await kit.user(160)
    kit.brain.gate.set()
    await kit.quiet(1400)
    await kit.play_until_silent()
    assert kit.voice.spoken == ["You said what is your name."]
    assert [m["text"] for m in kit.pipeline.transcript] == ["what is your name", "You said what is your name."]


async def test_a_reply_longer_than_the_face_keeps_is_spoken_whole(kit, monkeypatch):
    for module in (avatar.face, avatar.sync.sound_queue):
        monkeypatch.setattr(module, "LIMIT_TICKS", 2 * MEDIA_CLOCK_RATE)
    kit.brain.answer = " ".join(["Word."] * 25)
    await kit.ask("a long story")
    await kit.play_until_silent()
    assert sum(u.num_voiced for u in kit.units) == 25 * MEDIA_CLOCK_RATE // 5
    (done,) = kit.of(ResponseDone)
    assert (done.status, len(done.heard_text.split())) == ("completed", 25)


async def test_the_transcript_of_the_guess_is_not_made_twice(kit):
    gate = asyncio.Event()
    whole = kit.ear.transcribe

    async def slow():
        transcript = await whole()
        await gate.wait()
        return transcript

    kit.ear.transcribe = slow
    await kit.user(480, "hello mira")
    await kit.quiet(600)
    gate.set()
    await kit.settle()
    await kit.play_until_silent()
    assert kit.ear.num_transcribed == 1
    assert [e.transcript for e in kit.of(UserTranscriptCompleted)] == ["hello mira"]


async def test_a_guess_withdrawn_while_the_brain_is_slow_to_stop_is_never_spoken(kit):
    kit.oracle.answer = 0.6
    stopping = asyncio.Event()
    answer = kit.brain.respond

    async def slow_to_stop(messages):
        try:
            async for event in answer(messages):
                yield event
            await asyncio.Event().wait()
        finally:
            await stopping.wait()

    kit.brain.respond = slow_to_stop
    await kit.user(480, "I would")
    await kit.quiet(256)
    await kit.user(480, "like some")
    await kit.quiet(256)
    await kit.user(480, "tea")
    stopping.set()
    kit.brain.respond = answer
    kit.oracle.answer = 0.95
    await kit.quiet(420)
    await kit.play_until_silent()
    assert kit.voice.spoken == ["You said I would like some tea."]


async def test_the_start_and_stop_of_speech_come_in_pairs_on_every_path(kit):
    told = []
    stage = kit.pipeline._face_stage
    broadcast = stage.broadcast_frame

    async def spy(frame_cls, **kwargs):
        told.append(frame_cls)
        await broadcast(frame_cls, **kwargs)

    stage.broadcast_frame = spy
    kit.brain.answer = TEN_WORDS
    await kit.ask("count")
    await kit.play(6)
    await kit.pipeline.say("Second.")
    await kit.play(2)
    await kit.pipeline.interrupt()
    await kit.settle()
    await kit.pipeline.say("Third.")
    await kit.pipeline.say("Fourth.")
    await kit.settle()
    await kit.play_until_silent()
    assert told == [BotStartedSpeakingFrame, BotStoppedSpeakingFrame] * 3


async def test_words_typed_while_speaking_are_an_item_of_their_own(kit):
    await kit.user(480, "hello mira")
    await kit.pipeline.type_text("are you there")
    await kit.quiet(420)
    items = {e.transcript: e.item_id for e in kit.of(UserTranscriptCompleted)}
    assert set(items) == {"hello mira", "are you there"} and len(set(items.values())) == 2
    await kit.play_until_silent()
    assert kit.voice.spoken[-1] == "You said hello mira."
    assert len(kit.of(ResponseDone)) == len(kit.of(ResponseCreated))


async def test_words_typed_in_pipecats_own_client_stand_after_the_cut_reply():
    async with CallKit(speaks_rtvi=True) as kit:
        kit.brain.answer = TEN_WORDS
        await kit.ask("count")
        await kit.play(12)
        kit.brain.answer = None
        options = {"run_immediately": True, "audio_response": True}
        message = {"content": "are you there", "options": options}
        await kit.pipeline.message({"label": "rtvi-ai", "type": "send-text", "id": "1", "data": message})
        await kit.settle(200)
        await kit.play_until_silent()
        texts = [m["text"] for m in kit.pipeline.transcript]
        assert texts[1].startswith("One two") and texts[2:] == ["are you there", "You said are you there."]


async def test_a_reply_interrupted_before_its_first_sound_leaves_no_trace(kit):
    gate = asyncio.Event()
    whole = kit.voice.speak

    async def slow(text, voice, *, utterance_id):
        await gate.wait()
        async for chunk in whole(text, voice, utterance_id=utterance_id):
            yield chunk

    kit.voice.speak = slow
    await kit.ask("hello")
    await kit.user(480, "no wait")
    gate.set()
    await kit.quiet(420)
    await kit.play_until_silent()
    assert [(e.status, e.heard_text) for e in kit.of(ResponseDone)] == [
        ("cancelled", ""),
        ("completed", "You said no wait."),
    ]
    assert [m["text"] for m in kit.pipeline.transcript] == ["hello", "no wait", "You said no wait."]


async def test_a_brain_that_ends_long_after_its_last_word_was_heard_ends_the_reply(kit):
    gate = asyncio.Event()
    answer = kit.brain.respond

    async def late(messages):
        async for event in answer(messages):
            if isinstance(event, End):
                await gate.wait()
            yield event

    kit.brain.respond, kit.brain.answer = late, "Fine. I said all of it. "
    await kit.ask("hello")
    await kit.play(60)
    assert kit.of(ResponseDone) == [] and not kit.face.is_speaking
    gate.set()
    await kit.settle()
    assert [e.status for e in kit.of(ResponseDone)] == ["completed"]
    assert kit.call.activity is Activity.IDLE and not kit.call.is_agent_speaking


async def test_a_cancel_while_the_agent_is_held_frees_the_face(kit):
    kit.brain.answer = TEN_WORDS
    await kit.ask("count")
    await kit.play(10)
    await kit.user(128)
    await kit.pipeline.interrupt()
    await kit.quiet(1500)
    assert kit.call.activity is Activity.IDLE
    await kit.pipeline.say("Hello again.")
    await kit.settle()
    await kit.play_until_silent()
    assert kit.of(ResponseDone)[-1].heard_text == "Hello again."


@pytest.mark.parametrize("rounds", range(6))
async def test_a_cancel_in_the_moment_of_the_first_sound_leaves_the_avatar_idle(kit, rounds):
    kit.brain.answer = TEN_WORDS
    await kit.ask("count")
    cancelling = asyncio.ensure_future(kit.pipeline.interrupt())
    await kit.settle(rounds)
    kit.pipeline.on_unit(kit.face.next_unit(), kit.clock.now_s())
    await cancelling
    await kit.settle()
    await kit.play(3)
    assert kit.call.activity is Activity.IDLE and not kit.call.is_agent_speaking
    assert [e.status for e in kit.of(ResponseDone)] == ["cancelled"]
