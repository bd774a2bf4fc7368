"""Sender reports that tell the media clock's time, not the moment a packet happened to leave.

aiortc reports (time of sending, RTP time), so encoding time would be taken for an offset between
picture and sound (RFC 3550 section 6.4.1 wants both values of the same instant).
"""

from __future__ import annotations

from typing import Any

from aiortc import RTCRtpSender
from aiortc.clock import current_ntp_time

from avatar.clock import Clock

from .tracks import Pacer

_TICKS_A_SECOND = {"audio": 48_000, "video": 90_000}


class NtpAnchor:
    """Ties the injected clock to wall time once, so that both tracks report on one scale."""

    def __init__(self, clock: Clock, pacer: Pacer) -> None:
        self._pacer = pacer
        self._anchor_s = clock.now_s()
        self._anchor_ntp = current_ntp_time()

    def ntp_of(self, seconds: float) -> int | None:
        """NTP time (32.32 bits) at which media time `seconds` leaves; None before the first sample."""
        if self._pacer.start_s is None:
            return None
        return self._anchor_ntp + int((self._pacer.start_s + seconds - self._anchor_s) * (1 << 32))


class MediaClockSender(RTCRtpSender):
    """A sender whose reports pair the RTP time last sent with that sample's own moment."""

    _anchor: NtpAnchor
    _encoded_ts: int | None

    async def _next_encoded_frame(self, codec: Any) -> Any:
        encoded = await super()._next_encoded_frame(codec)
        if encoded is not None:
            self._encoded_ts = encoded.timestamp
        return encoded

    # aiortc stores here the time of sending and reads it for its reports.
    @property
    def _RTCRtpSender__ntp_timestamp(self) -> int:
        return int(self.__dict__.get("_reported_ntp", 0))

    @_RTCRtpSender__ntp_timestamp.setter
    def _RTCRtpSender__ntp_timestamp(self, sent_ntp: int) -> None:
        media_ntp = None
        if self._encoded_ts is not None:
            media_ntp = self._anchor.ntp_of(self._encoded_ts / _TICKS_A_SECOND[self.kind])
        self.__dict__["_reported_ntp"] = sent_ntp if media_ntp is None else media_ntp


def follow_media_clock(sender: RTCRtpSender, anchor: NtpAnchor) -> bool:
    """Make a sender report the media clock.

    Returns:
        False when this aiortc keeps its times under other names: its own reports are used then,
        8 ms off on the mean, and the call goes on.
    """
    names = ("_RTCRtpSender__ntp_timestamp", "_RTCRtpSender__rtp_timestamp")
    if not all(name in sender.__dict__ for name in names) or not hasattr(sender, "_next_encoded_frame"):
        return False
    if sender.kind not in _TICKS_A_SECOND:
        return False
    sender.__class__ = MediaClockSender
    sender._anchor = anchor  # type: ignore[attr-defined]
    sender._encoded_ts = None  # type: ignore[attr-defined]
    return True
