"""The mind's stage: a conversation in, the agent's words and feelings out, held back while they are a guess."""

from __future__ import annotations

import asyncio
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
from ..errors import AgentError
from .call import Call
from .frames import EmotionFrame, ResponseEndFrame, ResponseStartFrame, SayFrame


class Mind(FrameProcessor):
    """Runs the brain for each turn, one at a time; a new turn or an interruption cancels it."""

    def __init__(self, call: Call, brain: Brain) -> None:
        super().__init__(name="mind")
        self._call = call
        self._brain = brain
        self._gate = SpeculationGate(name="mind")
        self._thinking: asyncio.Task[None] | None = None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMContextFrame):
            await self._stop_thinking()
            self._gate.begin_speculation(frame.speculation)
            messages = to_messages(frame.context.get_messages())
            self._thinking = self.create_task(self._think(messages), "think")
            return
        if isinstance(frame, (InterruptionFrame, CancelFrame, EndFrame)) or (
            isinstance(frame, EagerEndOfTurnCancelFrame) and self._gate.is_speculating
        ):
            await self._stop_thinking()
        if isinstance(frame, SayFrame):
            await self._say(frame)
            return
        await self.push_frame(frame, direction)

    async def push_frame(self, frame: Frame, direction: FrameDirection = FrameDirection.DOWNSTREAM) -> None:
        for held, way in self._gate.process(frame, direction):
            await super().push_frame(held, way)

    async def cleanup(self) -> None:
        await super().cleanup()
        await self._stop_thinking()

    async def _think(self, messages: list[Message]) -> None:
        response_id, _ = self._call.next_response_id()
        marks = self._call.marks
        marks.brain_asked_s, marks.first_text_s = self._call.clock.now_s(), None
        end = End()
        await self.push_frame(ResponseStartFrame(response_id=response_id))
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
            if not isinstance(error, AgentError):
                await self.push_error(f"brain: {error}", exception=error)
        await self.push_frame(ResponseEndFrame(response_id=response_id, hang_up=end.hang_up))

    async def _say(self, frame: SayFrame) -> None:
        response_id, _ = self._call.next_response_id()
        await self.push_frame(ResponseStartFrame(response_id=response_id, mode=frame.mode))
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
