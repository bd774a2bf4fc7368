"""The measuring functions on signals whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from agent.transport import measure
from agent.transport.measure import PacketMark, ReportMark, StreamLog

pytestmark = pytest.mark.unit


def _packet(arrived_s: float, rtp: int, number: int) -> PacketMark:
    return PacketMark(arrived_s, rtp % 2**32, number % 2**16, True, 100)


def _logs(late_ms: float, *, audio_origin: int = 2**32 - 10_000, video_origin: int = 77) -> tuple[StreamLog, StreamLog]:
    """Both tracks of a sender whose picture is `late_ms` behind, with a report each second."""
    audio, video = StreamLog("audio"), StreamLog("video")
    for second in range(20):
        for log, origin, rate, late_s in (
            (audio, audio_origin, 48_000, 0.0),
            (video, video_origin, 90_000, late_ms / 1000),
        ):
            rtp = (origin + second * rate) % 2**32
            log.reports.append(ReportMark(second + 0.01, 1e9 + second + late_s, rtp))
    return audio, video


@pytest.mark.parametrize("late_ms", [0.0, 80.0, -35.0])
def test_offset_by_reports_over_the_wrap_of_rtp_time(late_ms: float) -> None:
    audio, video = _logs(late_ms)
    beeps = [(s + 0.5, (2**32 - 10_000 + int((s + 0.5) * 48_000)) % 2**32) for s in range(1, 18)]
    flashes = [(s + 0.5, 77 + int((s + 0.5) * 90_000)) for s in range(1, 18)]
    series = measure.offsets_ms(audio, video, beeps, flashes)
    assert len(series) == 17 and all(ms == pytest.approx(late_ms, abs=0.01) for _, ms in series)
    assert measure.drift_ms_per_min(series) == pytest.approx(0.0, abs=0.01)


def test_drift_is_the_slope() -> None:
    assert measure.drift_ms_per_min([(t, 3.0 + t * 0.05) for t in range(60)]) == pytest.approx(3.0)
    assert measure.drift_ms_per_min([(0.0, 1.0)]) == 0.0


def test_an_event_without_its_partner_counts_for_nothing() -> None:
    audio, video = _logs(0.0)
    assert measure.offsets_ms(audio, video, [], [(1.0, 90_077)]) == []
    assert measure.offsets_ms(StreamLog("audio"), video, [(1.0, 5)], [(1.0, 90_077)]) == []
    far = [(5.0, (2**32 - 10_000 + 5 * 48_000) % 2**32)]
    assert measure.offsets_ms(audio, video, far, [(1.0, 90_077)]) == []


def test_intervals_and_rate() -> None:
    arrivals = [0.0, 0.04, 0.08, 0.20, 0.24]
    found = measure.intervals(arrivals)
    assert found is not None and (found.count, round(found.max_ms), round(found.p50_ms)) == (4, 120, 40)
    assert measure.rate_hz([i * 0.04 for i in range(26)]) == pytest.approx(25.0)
    assert measure.intervals([1.0]) is None and measure.rate_hz([1.0]) == 0.0


def test_a_frame_arrives_with_its_last_packet() -> None:
    log = StreamLog("video", packets=[_packet(1.0, 9, 1), _packet(1.2, 9, 2), _packet(1.3, 10, 3)])
    assert log.frame_arrivals() == [(1.2, 9), (1.3, 10)]
    assert log.arrival_of(9) == 1.0 and log.arrival_of(11) is None


@pytest.mark.parametrize("count", [100, 40_000])
def test_lost_packets_are_counted_over_the_wrap(count: int) -> None:
    missing = {7, 40, 41}
    packets = [_packet(0.0, 0, 65_500 + i) for i in range(count) if i not in missing]
    packets[2], packets[3] = packets[3], packets[2]
    assert measure.num_lost(packets) == 3
    assert measure.num_lost([]) == 0


def test_tone_onsets_are_found_to_half_a_period() -> None:
    rng = np.random.default_rng(1)
    samples = rng.normal(0, 20, 48_000 * 3)
    for start in (10_000, 58_000, 106_000):
        samples[start : start + 1920] += 20_000 * np.sin(2 * np.pi * 3000 * np.arange(1920) / 48_000)
    onsets = measure.tone_onsets(samples.astype(np.int16))
    assert len(onsets) == 3
    assert all(abs(found - true) <= 8 for found, true in zip(onsets, (10_000, 58_000, 106_000), strict=True))


def test_the_bounds_of_sound() -> None:
    samples = np.zeros(48_000, np.int16)
    samples[9_600:14_400] = 3000
    assert measure.first_audible(samples) == 9_600 and measure.last_audible(samples) == 14_400
    assert measure.first_audible(np.zeros(4800, np.int16)) is None is measure.last_audible(np.zeros(4800, np.int16))


def test_only_a_moving_mouth_moves() -> None:
    rng = np.random.default_rng(2)
    still = rng.integers(60, 180, (20, 40)).astype(np.uint8)
    pictures = []
    for index in range(10):
        noisy = np.clip(still + rng.normal(0, 0.5, still.shape), 0, 255).astype(np.uint8)
        if 4 <= index < 7:
            noisy[5 : 5 + 3 * (index - 3), 10:30] = 20
        pictures.append((index * 0.04, noisy))
    assert measure.moving_times(pictures) == pytest.approx([0.16, 0.2, 0.24, 0.28])
