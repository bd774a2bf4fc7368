"""One call through all its stages: turns, replies, barge-in, memory, failures."""

import pytest

from agent.errors import BrainError, SttError, TtsError
from agent.events import (
    AgentTranscriptDelta,
    AgentTranscriptDone,
    PlayoutCleared,
    PlayoutStarted,
    ResponseDone,
    UserTranscriptCompleted,
)
from tests.fixtures.call_kit import CallKit

pytestmark = pytest.mark.unit


@pytest.fixture
async def kit():
    async with CallKit() as kit:
        yield kit
        assert [e for _, e in kit.errors] == []


async def test_a_spoken_turn_is_answered_aloud_and_remembered(kit):
    await kit.ask("hello mira")
    assert [e.transcript for e in kit.of(UserTranscriptCompleted)] == ["hello mira"]
    await kit.play_until_silent()
    assert "".join(e.delta for e in kit.of(AgentTranscriptDelta)).strip() == "You said hello mira."
    (done,) = kit.of(ResponseDone)
    assert (done.status, done.heard_text, done.played_ms) == ("completed", "You said hello mira.", 800)
    assert kit.pipeline.transcript == [
        {"role": "user", "text": "hello mira"},
        {"role": "agent", "text": "You said hello mira."},
    ]


async def test_the_reply_is_prepared_before_the_turn_is_over_but_not_spoken(kit):
    kit.oracle.answer = 0.6  # likely: speculate at the first poll, commit at 500 ms
    await kit.user(480, "good morning")
    await kit.quiet(256)
    await kit.play(3)
    assert len(kit.brain.heard) == 1, "the brain works ahead"
    assert kit.voice.spoken == [] and not kit.face.is_speaking
    await kit.quiet(320)
    await kit.play_until_silent()
    assert len(kit.brain.heard) == 1, "the prepared reply is the one that is spoken"
    assert kit.voice.spoken == ["You said good morning."]


async def test_a_user_who_goes_on_withdraws_the_prepared_reply(kit):
    kit.oracle.answer = 0.6
    await kit.user(480, "I would like")
    await kit.quiet(256)
    assert len(kit.brain.heard) == 1
    await kit.user(480, "some tea")
    kit.oracle.answer = 0.95
    await kit.quiet(420)
    await kit.play_until_silent()
    assert kit.voice.spoken == ["You said I would like some tea."]
    assert [m["text"] for m in kit.pipeline.transcript] == ["I would like some tea", "You said I would like some tea."]


async def test_barge_in_stops_at_once_and_only_heard_words_are_remembered(kit):
    kit.brain.answer = "One two three four five six seven eight nine ten."
    await kit.ask("count please")
    await kit.play(18)
    assert kit.call.is_agent_speaking
    hushed = kit.num_hushed
    await kit.user(160, "stop it now")
    assert kit.num_hushed > hushed, "the agent holds at the onset"
    held = await kit.play(3)
    assert not any(u.num_voiced for u in held[1:]) and not held[-1].samples.any()
    await kit.user(160)
    assert kit.of(PlayoutCleared), "the words decide for an interruption"
    epoch = kit.face.epoch
    (done,) = kit.of(AgentTranscriptDone)
    assert done.transcript == "One two three four" and done.unheard == "five six seven eight nine ten."
    assert kit.pipeline.transcript[-1] == {"role": "agent", "text": "One two three four"}
    kit.brain.answer = "Fine."
    await kit.quiet(420)
    units = await kit.play(30)
    assert {u.epoch for u in units} == {epoch} and {u.response_id for u in units} - {None} == {"res_2"}
    assert kit.of(ResponseDone)[0].status == "cancelled"


async def test_a_backchannel_takes_no_turn_and_speech_goes_on_where_it_was_held(kit):
    kit.brain.answer = "One two three four five six seven eight nine ten."
    await kit.ask("count please")
    await kit.play(10)
    await kit.user(192, "yeah")
    await kit.play(4)
    await kit.quiet(260)
    voiced = await kit.play_until_silent()
    assert voiced > 20
    assert [e.status for e in kit.of(ResponseDone)] == ["completed"]
    assert kit.of(ResponseDone)[0].heard_text == kit.brain.answer
    assert [e.transcript for e in kit.of(UserTranscriptCompleted)] == ["count please"]
    assert (kit.call.counters.held, kit.call.counters.interruptions) == (1, 0)


async def test_the_agents_own_words_do_not_interrupt_it(kit):
    kit.brain.answer = "Please listen to the sound of my own voice for a while."
    await kit.ask("talk")
    await kit.play(35)
    await kit.user(320, "to the sound of my")
    await kit.quiet(260)
    await kit.play_until_silent()
    assert kit.of(ResponseDone)[0].status == "completed"


async def test_speech_before_the_reply_sounds_cancels_it_in_silence(kit):
    await kit.ask("first question")
    await kit.user(320, "wait I mean the second")
    await kit.quiet(420)
    await kit.play_until_silent()
    assert kit.of(PlayoutStarted)[-1].response_id == kit.of(ResponseDone)[-1].response_id
    assert kit.voice.spoken[-1] == "You said wait I mean the second."


async def test_noise_without_words_is_no_turn(kit):
    await kit.user(320)
    await kit.quiet(1400)
    assert kit.brain.heard == [] and kit.of(UserTranscriptCompleted) == []
    await kit.ask("now I speak")
    await kit.play_until_silent()
    assert kit.voice.spoken == ["You said now I speak."]


async def test_typed_words_interrupt_and_are_answered(kit):
    kit.brain.answer = "One two three four five six seven eight nine ten."
    await kit.ask("count")
    await kit.play(8)
    kit.brain.answer = None
    await kit.pipeline.type_text("are you there")
    await kit.settle()
    await kit.play_until_silent()
    assert kit.voice.spoken[-1] == "You said are you there."
    assert kit.of(UserTranscriptCompleted)[-1].typed
    assert [e.status for e in kit.of(ResponseDone)] == ["cancelled", "completed"]


async def test_a_greeting_is_spoken_and_remembered(kit):
    await kit.pipeline.say("Hello there.", mode="greeting")
    await kit.settle()
    await kit.play_until_silent()
    assert kit.pipeline.transcript == [{"role": "agent", "text": "Hello there."}]


async def test_cancel_from_the_caller_silences_within_one_unit(kit):
    kit.brain.answer = "One two three four five six seven eight nine ten."
    await kit.ask("count")
    await kit.play(8)
    await kit.pipeline.interrupt()
    await kit.settle()
    first, second, *_ = await kit.play(4)
    assert not first.num_voiced or not first.samples[240:].any()
    assert not second.samples.any() and kit.voice.cancelled or not kit.face.is_speaking


async def test_a_brain_that_breaks_is_reported_and_the_call_goes_on():
    async with CallKit() as kit:
        kit.brain.error = BrainError("the model's line was cut", code="brain-cut")
        await kit.ask("hello")
        await kit.play_until_silent()
        assert [(s, e.code) for s, e in kit.errors] == [("brain", "brain-cut")]
        kit.brain.error = None
        await kit.ask("again please")
        await kit.play_until_silent()
        assert kit.voice.spoken[-1] == "You said again please."


async def test_a_recogniser_that_breaks_is_reported_and_the_next_turn_works():
    async with CallKit() as kit:
        kit.ear.error = SttError("the recogniser fell over")
        await kit.ask("hello")
        await kit.quiet(1000)
        assert {s for s, _ in kit.errors} == {"stt"} and kit.brain.heard == []
        kit.ear.error = None
        await kit.ask("hello again")
        await kit.play_until_silent()
        assert kit.voice.spoken == ["You said hello again."]


async def test_a_voice_that_breaks_is_reported_and_the_next_turn_works():
    async with CallKit() as kit:
        kit.voice.error = TtsError("the voice died", code="tts-worker-died")
        await kit.ask("hello")
        await kit.play(5)
        assert [(s, e.code) for s, e in kit.errors] == [("tts", "tts-worker-died")]
        assert kit.of(ResponseDone)[0].status == "failed"
        kit.voice.error = None
        await kit.ask("hello again")
        await kit.play_until_silent()
        assert kit.voice.spoken[-1] == "You said hello again."
