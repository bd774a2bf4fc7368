"""What a client of pipecat is told: sentences as they begin to be spoken, the words of them, its own typed text."""

import json

import pytest

from agent.events import UserTranscriptCompleted
from tests.fixtures.call_kit import CallKit

pytestmark = pytest.mark.unit

READY = {"version": "2.0.0", "about": {"library": "test"}}


@pytest.fixture
async def kit():
    async with CallKit(speaks_rtvi=True) as kit:
        yield kit
        assert [e for _, e in kit.errors] == []


async def tell(kit, kind, data):
    await kit.pipeline.message({"label": "rtvi-ai", "type": kind, "id": "1", "data": data})
    await kit.settle()


def said(kit, kind):
    return [m["data"] for m in map(json.loads, kit.messages) if m["type"] == kind]


async def test_each_sentence_is_announced_when_it_sounds_and_followed_word_by_word(kit):
    await tell(kit, "client-ready", READY)
    kit.brain.answer = "One two. Three four."
    await kit.ask("count please")
    await kit.play_until_silent()
    output = said(kit, "bot-output")
    assert [(o["text"], o["spoken_status"]) for o in output] == [
        ("One two.", "new"),
        ("One two.", "in-progress"),
        ("One two.", "completed"),
        ("Three four.", "new"),
        ("Three four.", "in-progress"),
        ("Three four.", "completed"),
    ]
    assert output[1]["spoken_progress"] == {"accumulated_text": "One", "remaining_text": " two."}
    assert len({o["segment_id"] for o in output}) == 2
    assert kit.pipeline.transcript[-1]["text"] == "One two. Three four.", "memory takes each word once"


async def test_a_cut_off_sentence_is_never_completed(kit):
    await tell(kit, "client-ready", READY)
    kit.brain.answer = "One two three four five six seven eight nine ten."
    await kit.ask("count please")
    await kit.play(12)
    await kit.pipeline.interrupt()
    await kit.settle()
    await kit.play(10)
    assert "completed" not in [o["spoken_status"] for o in said(kit, "bot-output")]
    assert said(kit, "bot-output")[-1]["spoken_progress"]["remaining_text"].endswith("ten.")


async def test_text_of_the_client_is_a_turn_of_its_own(kit):
    await tell(kit, "client-ready", READY)
    await tell(kit, "send-text", {"content": "are you there", "options": {"run_immediately": True}})
    await kit.play_until_silent()
    assert [(e.transcript, e.typed) for e in kit.of(UserTranscriptCompleted)] == [("are you there", True)]
    assert kit.voice.spoken == ["You said are you there."]
    assert said(kit, "user-input")[0]["text"] == "are you there"
