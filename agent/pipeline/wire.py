"""The last stage before memory: messages for the caller leave here. Sound and picture do not pass by."""

from __future__ import annotations

import json
from collections.abc import Callable

from pipecat.frames.frames import (
    Frame,
    InterruptionFrame,
    OutputTransportMessageFrame,
    OutputTransportMessageUrgentFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams

from .call import Call


class Wire(BaseOutputTransport):
    """Hands pipecat's own messages (RTVI) to the data channel.

    It is a BaseOutputTransport because RTVI reports spoken words only when one passes them on;
    everything that class does with media is skipped, since our tracks do it on one clock.
    """

    def __init__(self, send: Callable[[str], None]) -> None:
        super().__init__(TransportParams(), name="wire")
        self._send = send

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await FrameProcessor.process_frame(self, frame, direction)
        if isinstance(frame, (OutputTransportMessageFrame, OutputTransportMessageUrgentFrame)):
            self._send(json.dumps(frame.message))
            return
        await self.push_frame(frame, direction)


class LastStage(FrameProcessor):
    """Stands behind memory."""

    def __init__(self, call: Call) -> None:
        super().__init__(name="last")
        self._call = call

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, InterruptionFrame) and direction is FrameDirection.DOWNSTREAM:
            self._call.interruption_over.set()
        await self.push_frame(frame, direction)
