"""The voice's stage: words in, sound with phoneme times out, a sentence at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pipecat.frames.frames import CancelFrame, EndFrame, Frame, InterruptionFrame, LLMTextFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from ..metrics import TurnMarks
from ..tts.base import TtsEngine, VoiceSpec
from .call import Call
from .clauses import ClauseSplitter
from .frames import ResponseEndFrame, ResponseStartFrame, SpeechFrame, UtteranceEndFrame, UtteranceStartFrame

MAX_WAITING = 64
"""Sentences of one reply that may wait for the voice; a brain that outruns it waits too."""


class Voice(FrameProcessor):
    """Speaks replies in order; an interruption cancels the sentence in work and forgets the rest."""

    def __init__(
        self,
        call: Call,
        engine: TtsEngine,
        spec: VoiceSpec,
        *,
        has_room: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(name="voice")
        self._call = call
        self._engine = engine
        self._spec = spec
        self._has_room = has_room
        self._planned: list[str] = []
        self._splitter = ClauseSplitter()
        self._response_id = ""
        self._num_utterances = 0
        self._queue: asyncio.Queue[Frame] = asyncio.Queue(MAX_WAITING)
        self._speaking: asyncio.Task[None] | None = None
        self._current: str | None = None
        self._marks = TurnMarks()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        match frame:
            case ResponseStartFrame():
                self._response_id, self._planned = frame.response_id, frame.planned
                self._splitter = ClauseSplitter()
                await self._put(frame)
            case LLMTextFrame():
                for piece in self._splitter.push(frame.text):
                    await self._put_utterance(piece)
            case ResponseEndFrame():
                for piece in self._splitter.flush():
                    await self._put_utterance(piece)
                await self._put(frame)
            case InterruptionFrame() | CancelFrame() | EndFrame():
                await self._silence()
                await self.push_frame(frame, direction)
            case _:
                await self.push_frame(frame, direction)

    async def cleanup(self) -> None:
        await super().cleanup()
        await self._silence()

    async def _put_utterance(self, text: str) -> None:
        self._num_utterances += 1
        utterance_id = f"{self._response_id}.{self._num_utterances}"
        self._planned.append(text)
        await self._put(UtteranceStartFrame(response_id=self._response_id, utterance_id=utterance_id, text=text))

    async def _put(self, frame: Frame) -> None:
        if self._speaking is None:
            self._speaking = self.create_task(self._speak_all(), "speak")
        await self._queue.put(frame)

    async def _speak_all(self) -> None:
        while True:
            frame = await self._queue.get()
            await self.push_frame(frame)
            match frame:
                case ResponseStartFrame():
                    self._marks = frame.marks
                    self._marks.voice_asked_s = self._marks.first_sound_s = None
                case UtteranceStartFrame():
                    await self._speak(frame)

    async def _speak(self, frame: UtteranceStartFrame) -> None:
        marks = self._marks
        if marks.voice_asked_s is None:
            marks.voice_asked_s = self._call.clock.now_s()
        self._current, is_whole = frame.utterance_id, False
        try:
            async for chunk in self._engine.speak(frame.text, self._spec, utterance_id=frame.utterance_id):
                if marks.first_sound_s is None:
                    marks.first_sound_s = self._call.clock.now_s()
                await self.push_frame(SpeechFrame(frame.utterance_id, chunk))
                await self._has_room()
            is_whole = True
        except Exception as error:  # whatever a voice stumbles over, the next sentence may be spoken
            self._call.report(error, "tts")
        self._current = None
        await self.push_frame(UtteranceEndFrame(utterance_id=frame.utterance_id, is_whole=is_whole))

    async def _silence(self) -> None:
        """Forget all that is not spoken yet, here and in the engine."""
        task, self._speaking = self._speaking, None
        current, self._current = self._current, None
        self._queue = asyncio.Queue(MAX_WAITING)
        self._splitter = ClauseSplitter()
        if task is not None:
            await self.cancel_task(task)
        if current is not None:
            await self._engine.cancel(current)
