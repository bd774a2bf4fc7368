"""The microphone's packets go straight to the decoder.

aiortc holds four packets (80 ms) for a smooth playout that nobody hears: our listener is a machine.
After one lost packet it holds sixteen, for the rest of the call.
"""

from __future__ import annotations

from aiortc import RTCRtpReceiver
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import RtpPacket
from aiortc.utils import uint16_add, uint16_gt

MAX_JUMP = 3000
"""Sequence numbers further apart than this (a minute of sound) are a new start, RFC 3550 A.1."""


class DirectBuffer(JitterBuffer):
    """Gives each audio packet at once; one that comes after a newer one is dropped and counted."""

    def __init__(self) -> None:
        super().__init__(capacity=2)
        self._newest: int | None = None
        self.num_late = 0

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """Take a packet.

        Returns:
            (False, its frame), or (False, None) if it came too late.
        """
        number = packet.sequence_number
        if self._newest is not None and not uint16_gt(number, self._newest):
            behind = uint16_add(self._newest, -number)
            if behind < MAX_JUMP:
                self.num_late += 1
                return False, None
        self._newest = number
        return False, JitterFrame(data=packet._data, timestamp=packet.timestamp)  # type: ignore[attr-defined]


def hear_directly(receiver: RTCRtpReceiver) -> DirectBuffer:
    """Replace a receiver's audio buffer.

    The name is private to aiortc; were it to change, the microphone would be 80 ms later and the call
    would go on (tests/contracts/test_aiortc_names.py fails first).
    """
    buffer = DirectBuffer()
    receiver._RTCRtpReceiver__jitter_buffer = buffer  # type: ignore[attr-defined]
    return buffer
