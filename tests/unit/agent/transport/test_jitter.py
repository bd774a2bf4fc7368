"""The microphone's buffer that is none."""

from __future__ import annotations

import pytest
from aiortc.rtp import RtpPacket

from agent.transport.jitter import DirectBuffer

pytestmark = pytest.mark.unit


def _packet(number: int) -> RtpPacket:
    packet = RtpPacket(sequence_number=number % 65536, timestamp=number * 960 % 2**32)
    packet._data = bytes([number % 256])  # type: ignore[attr-defined]
    return packet


def _given(buffer: DirectBuffer, numbers: list[int]) -> list[int | None]:
    frames = [buffer.add(_packet(number))[1] for number in numbers]
    return [frame.data[0] if frame is not None else None for frame in frames]


def test_each_packet_comes_out_at_once() -> None:
    assert _given(DirectBuffer(), [7, 8, 9]) == [7, 8, 9]


def test_a_lost_packet_holds_nothing_back() -> None:
    assert _given(DirectBuffer(), [1, 2, 5, 6]) == [1, 2, 5, 6]


def test_late_and_double_packets_are_dropped_and_counted() -> None:
    buffer = DirectBuffer()
    assert _given(buffer, [10, 12, 11, 12, 13]) == [10, 12, None, None, 13]
    assert buffer.num_late == 2


def test_sequence_numbers_wrap() -> None:
    buffer = DirectBuffer()
    assert _given(buffer, [65534, 65535, 65536, 65537]) == [254, 255, 0, 1]
    assert buffer.num_late == 0


def test_a_sender_that_starts_anew_is_followed() -> None:
    assert _given(DirectBuffer(), [40_000, 20_000, 20_001]) == [40_000 % 256, 20_000 % 256, 20_001 % 256]
