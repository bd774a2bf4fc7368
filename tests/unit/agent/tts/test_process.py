"""What the keeper of the worker does with messages that should not be, with a link that is no process."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from agent.errors import TtsError
from agent.tts.base import VoiceSpec
from agent.tts.process import WorkerTts
from agent.tts.registry import EngineState

pytestmark = pytest.mark.unit
ESPEAK = (EngineState("espeak", True, "here"),)
Reply = Callable[[dict[str, Any]], list[dict[str, Any]]]


class ScriptedLink:
    """A worker that answers each command by a script; an empty message of type "die" ends it."""

    pid = 1

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._out: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._out.put_nowait({"type": "ready"})

    def send(self, command: dict[str, Any]) -> None:
        for message in self._reply(command):
            self._out.put_nowait(message)

    async def receive(self) -> tuple[dict[str, Any], bytes] | None:
        message = await self._out.get()
        return None if message["type"] == "die" else (message, b"\0\0" * int(message.get("num_samples", 0)))

    async def log_complaints(self) -> None:
        """It has none."""

    def kill(self) -> None:
        """Nothing runs."""

    async def aclose(self) -> None:
        """Nothing runs."""


def answer(command: dict[str, Any]) -> list[dict[str, Any]]:
    kind, key = command["type"], command["id"]
    if kind == "voices":
        return [{"type": "voices", "id": key, "voices": []}]
    return [{"type": "loaded", "id": key}] if kind == "load" else speech(key)


def speech(key: str) -> list[dict[str, Any]]:
    parts = {"sample_rate_hz": 16000, "alphabet": "espeak", "events": [], "num_samples": 960}
    return [{"type": "chunk", "id": key, "sample": 0, **parts}, {"type": "done", "id": key}]


async def started(monkeypatch: pytest.MonkeyPatch, *scripts: Reply) -> WorkerTts:
    """A voice whose workers follow the scripts one after another, the last one for ever."""
    left = list(scripts)

    async def spawn() -> ScriptedLink:
        return ScriptedLink(left.pop(0) if len(left) > 1 else left[0])

    monkeypatch.setattr("agent.tts.process.WorkerLink.spawn", spawn)
    monkeypatch.setattr("agent.tts.process.available", lambda piper_voices: ESPEAK)
    tts = WorkerTts()
    await tts.start()
    return tts


async def spoken(tts: WorkerTts) -> int:
    return sum([len(chunk.samples) async for chunk in tts.speak("Hi.", VoiceSpec(), utterance_id="u")])


def dying(after: list[dict[str, Any]] | None = None) -> Reply:
    """Answers questions; on a sentence says `after`, then dies."""

    def reply(command: dict[str, Any]) -> list[dict[str, Any]]:
        if command["type"] != "speak":
            return answer(command) if command["type"] in ("load", "voices") else []
        return [*({**message, "id": command["id"]} for message in after or []), {"type": "die"}]

    return reply


async def test_a_sentence_lost_before_its_first_sound_is_said_by_the_next_worker(monkeypatch: pytest.MonkeyPatch):
    tts = await started(monkeypatch, dying(), answer)
    assert await spoken(tts) == 960
    await tts.aclose()


async def test_a_sentence_that_kills_every_worker_is_given_up(monkeypatch: pytest.MonkeyPatch):
    tts = await started(monkeypatch, dying())
    with pytest.raises(TtsError) as caught:
        await spoken(tts)
    assert caught.value.code == "tts-worker-died" and caught.value.retryable
    await tts.aclose()


async def test_a_message_without_its_parts_costs_the_worker_its_place(monkeypatch: pytest.MonkeyPatch):
    tts = await started(monkeypatch, dying([{"type": "chunk"}]), answer)
    assert await spoken(tts) == 960
    await tts.aclose()


async def test_messages_nobody_waits_for_are_dropped(monkeypatch: pytest.MonkeyPatch):
    def chatty(command: dict[str, Any]) -> list[dict[str, Any]]:
        return [*speech("stale"), {"type": "pong", "id": "7"}, {"type": "news"}, *answer(command)]

    tts = await started(monkeypatch, chatty)
    assert await spoken(tts) == 960
    await tts.aclose()


async def test_a_cancel_before_the_first_step_holds(monkeypatch: pytest.MonkeyPatch):
    tts = await started(monkeypatch, answer)
    speech_to_come = tts.speak("Hi.", VoiceSpec(), utterance_id="u")
    await tts.cancel("u")
    assert [chunk async for chunk in speech_to_come] == []
    await tts.aclose()


async def test_a_voice_not_started_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("agent.tts.process.available", lambda piper_voices: ESPEAK)
    tts = WorkerTts()
    with pytest.raises(TtsError, match="start"):
        await spoken(tts)
