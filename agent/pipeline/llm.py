"""The mind's stage: a conversation in, the agent's words and feelings out, held back while they are a guess."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from pipecat.frames.frames import (
    CancelFrame,
    EagerEndOfTurnCancelFrame,
    EndFrame,
    Frame,
    InterruptionFrame,
    LLMContextFrame,
    LLMTextFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.turns.speculation_gate import SpeculationGate

from ..brain.base import Brain, Emotion, End, Message, TextDelta
from ..metrics import TurnMarks
from .call import Call
from .frames import EmotionFrame, ResponseEndFrame, ResponseStartFrame, SayFrame

MAX_SAYINGS = 32
"""Verbatim words that wait for a reply to be thought out; beyond it the oldest are dropped."""


class Mind(FrameProcessor):
    """Runs the brain for each turn, one at a time; a new turn or an interruption cancels it."""

    def __init__(self, call: Call, brain: Brain) -> None:
        super().__init__(name="mind")
        self._call = call
        self._brain = brain
        self._gate = SpeculationGate(name="mind")
        self._thinking: asyncio.Task[None] | None = None
        self._num_withdrawn = 0
        self._sayings: deque[SayFrame] = deque(maxlen=MAX_SAYINGS)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        match frame:
            case LLMContextFrame():
                await self._answer(frame)
                return
            case SayFrame():
                await self._say_later(frame)
                return
            case InterruptionFrame() | CancelFrame() | EndFrame():
                self._sayings.clear()
                await self._stop_thinking()
            case EagerEndOfTurnCancelFrame():
                self._num_withdrawn += 1
                if self._gate.is_speculating:
                    await self._stop_thinking()
        await self.push_frame(frame, direction)
        await self._say_what_waits()

    async def push_frame(self, frame: Frame, direction: FrameDirection = FrameDirection.DOWNSTREAM) -> None:
        for held, way in self._gate.process(frame, direction):
            await super().push_frame(held, way)

    async def cleanup(self) -> None:
        await super().cleanup()
        await self._stop_thinking()

    async def _answer(self, frame: LLMContextFrame) -> None:
        num_withdrawn = self._num_withdrawn
        await self._stop_thinking()
        if frame.speculation and self._num_withdrawn != num_withdrawn:
            return  # a brain may be slow to stop, and the user quick to go on
        self._gate.begin_speculation(frame.speculation)
        messages = to_messages(frame.context.get_messages())
        self._thinking = self.create_task(self._think_and_go_on(messages), "think")

    async def _think_and_go_on(self, messages: list[Message]) -> None:
        await self._think(messages)
        self._thinking = None
        await self._say_what_waits()

    async def _think(self, messages: list[Message]) -> None:
        response_id, _ = self._call.next_response_id()
        marks = self._call.marks
        marks.brain_asked_s, marks.first_text_s = self._call.clock.now_s(), None
        end = End()
        await self.push_frame(ResponseStartFrame(response_id=response_id, marks=marks))
        try:
            async for event in self._brain.respond(messages):
                match event:
                    case Emotion():
                        await self.push_frame(EmotionFrame(weights=event.weights, gesture=event.gesture))
                    case TextDelta():
                        if marks.first_text_s is None:
                            marks.first_text_s = self._call.clock.now_s()
                        await self.push_frame(LLMTextFrame(event.text))
                    case End():
                        end = event
        except Exception as error:  # the caller must hear of every failure of the brain, whatever it is
            self._call.report(error, "brain")
        await self.push_frame(ResponseEndFrame(response_id=response_id, hang_up=end.hang_up))

    async def _say_later(self, frame: SayFrame) -> None:
        if len(self._sayings) == MAX_SAYINGS:
            self._call.counters.dropped["saying"] += 1
        self._sayings.append(frame)
        await self._say_what_waits()

    async def _say_what_waits(self) -> None:
        """Say verbatim words once no reply is in the making, so that two never mix and none is held as a guess."""
        while self._sayings and self._thinking is None and not self._gate.is_speculating:
            await self._say(self._sayings.popleft())

    async def _say(self, frame: SayFrame) -> None:
        response_id, _ = self._call.next_response_id()
        await self.push_frame(ResponseStartFrame(response_id=response_id, mode=frame.mode, marks=TurnMarks()))
        await self.push_frame(LLMTextFrame(frame.text))
        await self.push_frame(ResponseEndFrame(response_id=response_id))

    async def _stop_thinking(self) -> None:
        task, self._thinking = self._thinking, None
        if task is not None and not task.done():
            await self.cancel_task(task)


def to_messages(context: list[Any]) -> list[Message]:
    """pipecat's context as our conversation; what is not plain text is left out."""
    messages = []
    for item in context:
        role, text = item.get("role"), item.get("content")
        if role in ("user", "assistant", "system") and isinstance(text, str) and text.strip():
            messages.append(Message(role, text))
    return messages
