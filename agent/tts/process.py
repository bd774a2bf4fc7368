"""Every local voice, spoken by the worker program: starts it, feeds it, restarts it, cancels in it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import zlib
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from ..errors import TtsError
from .base import SpeechChunk, SpeechEvent, TtsCapabilities, VoiceInfo, VoiceSpec
from .pipes import Message, WorkerLink
from .registry import EngineState, VoiceChoice, available, choose

_log = logging.getLogger(__name__)

READY_S = 20.0
"""A worker that is not ready by then never will be; a busy machine needs 1-2 s."""
STALL_S = 30.0
"""Longest wait for sound; the first sentence of a Piper voice may have to load it (7 s when busy)."""
MAX_ATTEMPTS = 2
"""A sentence that took the worker down twice is not tried again."""
BACKOFF_S = (0.0, 0.2, 1.0, 5.0)
"""Waits before the next worker, by the number of workers in a row that never got ready."""


@dataclass(slots=True, eq=False, weakref_slot=True)
class _Job:
    """One utterance on its way."""

    id: str
    utterance_id: str
    command: dict[str, Any] | None = None
    """What the worker is asked; None until the caller takes the first step."""
    chunks: deque[SpeechChunk] = field(default_factory=deque)
    error: TtsError | None = None
    is_over: bool = False
    has_started: bool = False
    num_attempts: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self, error: TtsError | None = None) -> None:
        self.error, self.is_over = error, True
        self.news.set()


class WorkerTts:
    """A TtsEngine over one worker process, shared by all calls of this process.

    A worker that dies is replaced at once. Its sentences begin anew on the next worker unless some
    of their sound has been handed out; those raise TtsError `tts-worker-died`.

    Args:
        piper_voices: voice id -> ONNX file on disk.
    """

    def __init__(self, *, piper_voices: Mapping[str, Path] | None = None) -> None:
        self._piper_voices = dict(piper_voices or {})
        self._states: tuple[EngineState, ...] = available(self._piper_voices)
        self._capabilities = TtsCapabilities(name="worker", voices=(), has_phonemes=True, notice="")
        self._ids = itertools.count(1)
        # Weak: a speech that is given up without a word takes its job along.
        self._jobs: WeakValueDictionary[str, _Job] = WeakValueDictionary()
        self._questions: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._supervisor: asyncio.Task[None] | None = None
        self._link: WorkerLink | None = None
        self._ready = asyncio.Event()
        self._changed = asyncio.Event()
        self._failure: TtsError | None = None

    @property
    def capabilities(self) -> TtsCapabilities:
        return self._capabilities

    @property
    def worker_pid(self) -> int | None:
        """Process id of the worker now at work."""
        return self._link.pid if self._link else None

    def refresh(self, piper_voices: Mapping[str, Path]) -> None:
        """Use the Piper voices now on disk, from the next sentence on."""
        self._piper_voices = dict(piper_voices)
        self._states = available(self._piper_voices)

    async def start(self) -> None:
        choice = self.choose(VoiceSpec())
        if self._supervisor is None:
            self._supervisor = asyncio.create_task(self._supervise(), name="speech-worker")
        await self._load(choice)
        voices = [voice for state in self._states if state.is_here for voice in await self._voices(state.engine)]
        self._capabilities = TtsCapabilities(choice.engine, tuple(voices), has_phonemes=True, notice=choice.notice)

    async def warm(self, voice: VoiceSpec) -> VoiceChoice:
        """Make a persona's voice ready, so that its first sentence does not wait for a load.

        Raises:
            TtsError: the voice is not here.
        """
        choice = self.choose(voice)
        await self._load(choice)
        return choice

    def speak(self, text: str, voice: VoiceSpec, *, utterance_id: str) -> AsyncGenerator[SpeechChunk, None]:
        job = _Job(str(next(self._ids)), utterance_id)
        self._jobs[job.id] = job
        return self._speak(job, text, voice)

    async def _speak(self, job: _Job, text: str, voice: VoiceSpec) -> AsyncGenerator[SpeechChunk, None]:
        if job.is_over:
            return
        choice = self.choose(voice)
        self._check_running()
        job.command = _speak_command(job, text, voice, choice)
        try:
            self._submit(job)
            while (chunk := await self._next(job)) is not None:
                yield chunk
                seconds = len(chunk.samples) / chunk.sample_rate_hz
                self._send({"type": "ack", "id": job.id, "seconds": seconds})
        finally:
            self._forget(job)

    async def cancel(self, utterance_id: str) -> None:
        for job in [job for job in list(self._jobs.values()) if job.utterance_id == utterance_id]:
            self._forget(job)
            job.chunks.clear()
            job.end()

    async def aclose(self) -> None:
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await supervisor
        self._fail_all(TtsError("the voice was closed", code="tts-closed", retryable=False))

    def choose(self, voice: VoiceSpec) -> VoiceChoice:
        """Which engine and voice a spec comes to here. Raises TtsError: the voice is not here."""
        return choose(voice, piper_voices=self._piper_voices, states=self._states)

    def _check_running(self) -> None:
        if self._supervisor is None:
            raise TtsError("the voice is not started: await start() first", retryable=False)
        if self._failure is not None:
            raise self._failure

    def _submit(self, job: _Job) -> None:
        if self._ready.is_set() and job.command is not None and not job.is_over:
            job.num_attempts += 1
            self._send(job.command)

    def _send(self, command: dict[str, Any]) -> None:
        if self._link is not None and self._ready.is_set():
            self._link.send(command)

    async def _next(self, job: _Job) -> SpeechChunk | None:
        while not job.chunks and not job.is_over:
            job.news.clear()
            try:
                async with asyncio.timeout(STALL_S):
                    await job.news.wait()
            except TimeoutError:
                if self._link is not None:
                    self._link.kill()
                raise TtsError(f"the voice gave no sound for {STALL_S:.0f} s", code="tts-timeout") from None
        if job.chunks:
            job.has_started = True
            return job.chunks.popleft()
        if job.error is not None:
            raise job.error
        return None

    def _forget(self, job: _Job) -> None:
        """Drop a job; what the worker still sends of it finds nobody."""
        if self._jobs.pop(job.id, None) is not None and job.command is not None and not job.is_over:
            self._send({"type": "cancel", "id": job.id})

    async def _ask(self, command: dict[str, Any]) -> dict[str, Any]:
        """Send a question and wait for its reply. Raises TtsError."""
        question_id = str(next(self._ids))
        answer = asyncio.get_running_loop().create_future()
        self._questions[question_id] = answer
        try:
            async with asyncio.timeout(READY_S):
                await self._wait_until_ready()
                self._send({**command, "id": question_id})
                reply: dict[str, Any] = await answer
        except TimeoutError:
            raise TtsError("the speech worker does not answer", code="tts-timeout") from None
        finally:
            self._questions.pop(question_id, None)
        if reply["type"] == "error":
            raise _error_from(reply)
        return reply

    async def _wait_until_ready(self) -> None:
        while not self._ready.is_set():
            if self._failure is not None:
                raise self._failure
            self._changed.clear()
            await self._changed.wait()

    async def _load(self, choice: VoiceChoice) -> None:
        await self._ask({"type": "load", "engine": choice.engine, "voice": str(choice.path or choice.voice)})

    async def _voices(self, engine: str) -> list[VoiceInfo]:
        if engine == "piper":
            return [VoiceInfo("piper", name, name.split("-")[0], "see its card", 22_050) for name in self._piper_voices]
        reply = await self._ask({"type": "voices", "engine": engine})
        return [VoiceInfo(**voice) for voice in reply["voices"]]

    async def _supervise(self) -> None:
        """Keep one worker running until cancelled."""
        num_failed = 0
        while True:
            was_ready = await self._run_worker()
            num_failed = 0 if was_ready else num_failed + 1
            if num_failed:
                self._failure = TtsError("the speech worker does not start; see the log at debug level")
                self._fail_all(self._failure)
                self._changed.set()
            await asyncio.sleep(BACKOFF_S[min(num_failed, len(BACKOFF_S) - 1)])

    async def _run_worker(self) -> bool:
        """One worker's life; true when it got ready."""
        try:
            link = await WorkerLink.spawn()
        except OSError as error:
            _log.error("cannot start the speech worker: %s", error)
            return False
        self._link = link
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(link.log_complaints(), name="speech-worker-stderr")
                await self._take_all(link)
                link.kill()
        finally:
            was_ready = self._ready.is_set()
            self._ready.clear()
            self._link = None
            await link.aclose()
        _log.warning("the speech worker ended; starting another")
        self._after_death()
        return was_ready

    async def _take_all(self, link: WorkerLink) -> None:
        """Hand out what a worker sends, until it ends or sends nonsense."""
        try:
            while (message := await link.receive()) is not None:
                self._take(message)
        except (KeyError, TypeError, ValueError) as error:
            _log.error("the speech worker sent a message without its parts: %r", error)

    def _take(self, message: Message) -> None:
        header, body = message
        kind, key = header["type"], header.get("id", "")
        if kind == "ready":
            self._begin()
        elif key in self._questions:
            if not self._questions[key].done():
                self._questions[key].set_result(header)
        elif (job := self._jobs.get(key)) is not None:
            if kind == "chunk":
                job.chunks.append(_chunk_from(header, body))
                job.news.set()
            elif kind in ("done", "error"):
                job.end(_error_from(header) if kind == "error" else None)

    def _begin(self) -> None:
        self._failure = None
        self._ready.set()
        self._changed.set()
        for job in list(self._jobs.values()):
            self._submit(job)

    def _after_death(self) -> None:
        died = TtsError("the voice stopped in the middle of a sentence and was restarted", code="tts-worker-died")
        for answer in self._questions.values():
            if not answer.done():
                answer.set_result({"type": "error", "code": died.code, "text": str(died)})
        for job in list(self._jobs.values()):
            if job.is_over or job.command is None:
                continue
            if job.has_started or job.num_attempts >= MAX_ATTEMPTS:
                job.end(died)
            job.chunks.clear()

    def _fail_all(self, error: TtsError) -> None:
        for job in list(self._jobs.values()):
            if not job.is_over:
                job.end(error)


def _speak_command(job: _Job, text: str, voice: VoiceSpec, choice: VoiceChoice) -> dict[str, Any]:
    return {
        "type": "speak", "id": job.id, "engine": choice.engine, "voice": str(choice.path or choice.voice), "text": text,
        "rate": voice.rate, "pitch_semitones": voice.pitch_semitones, "volume": voice.volume, "speaker": voice.speaker,
        "pronounce": dict(voice.pronounce), "seed": zlib.crc32(f"{job.utterance_id} {text}".encode()),
    }  # fmt: skip


def _chunk_from(header: dict[str, Any], body: bytes) -> SpeechChunk:
    samples = np.frombuffer(body, np.int16)
    events = tuple(SpeechEvent(**event) for event in header["events"])
    return SpeechChunk(samples, header["sample_rate_hz"], header["sample"], header["alphabet"], events)


def _error_from(header: dict[str, Any]) -> TtsError:
    code = str(header["code"])
    return TtsError(str(header["text"]), code=code, retryable=code in ("tts-engine-failed", "tts-worker-died"))
