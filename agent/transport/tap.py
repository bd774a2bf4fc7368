"""Records what a receiver gets from the wire, before any buffer: for measuring, not for calls.

aiortc has no public place to see packets; the two method names stand here alone
(tests/contracts/test_aiortc_names.py fails when they change).
"""

from __future__ import annotations

from typing import Any

from aiortc import RTCRtpReceiver
from aiortc.rtp import RtcpSrPacket, RtpPacket

from avatar.clock import Clock

from .measure import NTP_TO_UNIX_S, PacketMark, ReportMark, StreamLog


def tap(receiver: RTCRtpReceiver, log: StreamLog, clock: Clock) -> None:
    """Copy each packet's times into `log`, then let aiortc go on with it."""
    handle_rtp = receiver._handle_rtp_packet
    handle_rtcp = receiver._handle_rtcp_packet

    async def on_rtp(packet: RtpPacket, *args: Any, **kwargs: Any) -> None:
        log.packets.append(
            PacketMark(
                clock.now_s(), packet.timestamp, packet.sequence_number, bool(packet.marker), len(packet.payload)
            )
        )
        await handle_rtp(packet, *args, **kwargs)

    async def on_rtcp(packet: Any) -> None:
        if isinstance(packet, RtcpSrPacket):
            info = packet.sender_info
            ntp_s = info.ntp_timestamp / 2**32 - NTP_TO_UNIX_S
            log.reports.append(ReportMark(clock.now_s(), ntp_s, info.rtp_timestamp))
        await handle_rtcp(packet)

    receiver._handle_rtp_packet = on_rtp  # type: ignore[method-assign]
    receiver._handle_rtcp_packet = on_rtcp  # type: ignore[method-assign]
