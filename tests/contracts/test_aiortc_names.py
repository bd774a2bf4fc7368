"""Every private name of aiortc that we touch: these fail on an upgrade that changes one."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import aioice
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCRtpSender
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.opus import OpusEncoder
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.jitterbuffer import JitterBuffer, JitterFrame

from agent.transport.encoders import TunedVp8Encoder, install
from agent.transport.ice import BoundedConnection, bound_gathering
from agent.transport.jitter import hear_directly
from agent.transport.rtcp_clock import NtpAnchor, follow_media_clock
from agent.transport.tracks import Pacer, PairCounters
from avatar.clock import VirtualClock

pytestmark = pytest.mark.contract


async def _transceiver(kind: str) -> tuple[RTCPeerConnection, Any]:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    return pc, pc.addTransceiver(kind)


async def test_a_sender_keeps_its_encoder_and_times_under_these_names() -> None:
    pc, transceiver = await _transceiver("video")
    names = {"_RTCRtpSender__encoder", "_RTCRtpSender__ntp_timestamp", "_RTCRtpSender__rtp_timestamp"}
    assert names <= set(vars(transceiver.sender))
    assert vars(transceiver.sender)["_RTCRtpSender__encoder"] is None, "it makes its own only if there is none"
    await pc.close()


def test_a_sender_uses_what_is_there_and_asks_it_for_nothing_more() -> None:
    source = inspect.getsource(RTCRtpSender)
    for line in (
        "if self.__encoder is None:",
        "self.__encoder.encode, data, force_keyframe",
        "self.__encoder.target_bitrate = bitrate",
        "self.__ntp_timestamp = clock.current_ntp_time()",
        "ntp_timestamp=self.__ntp_timestamp",
        "await self._next_encoded_frame(codec)",
    ):
        assert line in source, line


async def test_an_installed_encoder_is_the_one_that_encodes() -> None:
    pc, transceiver = await _transceiver("video")
    encoder = TunedVp8Encoder(VirtualClock())
    install(transceiver.sender, encoder)
    assert vars(transceiver.sender)["_RTCRtpSender__encoder"] is encoder
    await pc.close()


def test_encoders_pack_and_encode_as_ours_do() -> None:
    for kind in (Vp8Encoder, H264Encoder, OpusEncoder):
        assert list(inspect.signature(kind.encode).parameters) == ["self", "frame", "force_keyframe"]
        assert list(inspect.signature(kind.pack).parameters) == ["self", "packet"]


async def test_a_sender_reports_the_media_clock_when_asked_to() -> None:
    pc, transceiver = await _transceiver("audio")
    clock = VirtualClock(50.0)
    pacer = Pacer(clock, asyncio.sleep, PairCounters())
    anchor = NtpAnchor(clock, pacer)
    assert follow_media_clock(transceiver.sender, anchor)
    await pacer.until(0)
    sender = transceiver.sender
    sender._encoded_ts = 96_000
    sender._RTCRtpSender__ntp_timestamp = 1
    assert sender._RTCRtpSender__ntp_timestamp == anchor.ntp_of(2.0)
    first, second = anchor.ntp_of(2.0), anchor.ntp_of(3.0)
    assert first is not None and second is not None and second - first == 1 << 32
    await pc.close()


async def test_without_the_names_a_sender_is_left_as_it_is() -> None:
    class Other:
        kind = "audio"

    other = Other()
    clock = VirtualClock()
    anchor = NtpAnchor(clock, Pacer(clock, asyncio.sleep, PairCounters()))
    assert not follow_media_clock(other, anchor)  # type: ignore[arg-type]
    assert type(other) is Other


async def test_a_receiver_keeps_its_buffer_under_this_name() -> None:
    pc, transceiver = await _transceiver("audio")
    assert isinstance(vars(transceiver.receiver)["_RTCRtpReceiver__jitter_buffer"], JitterBuffer)
    buffer = hear_directly(transceiver.receiver)
    assert vars(transceiver.receiver)["_RTCRtpReceiver__jitter_buffer"] is buffer
    await pc.close()
    source = inspect.getsource(RTCRtpReceiver)
    assert "pli_flag, encoded_frame = self.__jitter_buffer.add(packet)" in source
    assert "packet._data = depayload(codec, packet.payload)" in source
    assert list(inspect.signature(JitterFrame).parameters) == ["data", "timestamp"]


def test_a_receiver_hands_packets_to_these_methods() -> None:
    assert list(inspect.signature(RTCRtpReceiver._handle_rtp_packet).parameters) == [
        "self",
        "packet",
        "arrival_time_ms",
    ]
    assert list(inspect.signature(RTCRtpReceiver._handle_rtcp_packet).parameters) == ["self", "packet"]


async def test_gathering_can_be_bounded_under_these_names() -> None:
    pc, transceiver = await _transceiver("audio")
    connection = transceiver.receiver.transport.transport.iceGatherer._connection
    assert type(connection) is aioice.Connection
    bound_gathering(pc, 0.7)
    assert type(connection) is BoundedConnection and connection.gather_timeout_s == 0.7
    await pc.close()
    names = ["self", "component", "addresses", "timeout"]
    assert list(inspect.signature(aioice.Connection.get_component_candidates).parameters) == names
    assert "asyncio.wait(tasks, timeout=timeout)" in inspect.getsource(aioice.Connection.get_component_candidates)
