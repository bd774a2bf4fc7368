"""What a caller saw and heard, in figures: pure functions over recorded packets, sound and pictures.

Offsets are video minus audio in ms, + = picture late, as in ITU-R BT.1359.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from avatar.media import Int16Array, UInt8Array

RTP_RATES = {"audio": 48_000, "video": 90_000}
NTP_TO_UNIX_S = 2_208_988_800
"""RFC 5905 section 6."""
WINDOW_SAMPLES = 240
"""5 ms at 48 kHz: the grain at which sound is judged."""
AUDIBLE_RMS = 60.0
"""About -55 dB below full scale."""


@dataclass(frozen=True, slots=True)
class PacketMark:
    """One RTP packet as it came."""

    arrived_s: float
    rtp: int
    sequence_number: int
    is_last_of_frame: bool
    num_bytes: int


@dataclass(frozen=True, slots=True)
class ReportMark:
    """One RTCP sender report as it came."""

    arrived_s: float
    ntp_s: float
    """The sender's clock."""
    rtp: int


@dataclass(slots=True)
class StreamLog:
    """All that came of one track."""

    kind: str
    packets: list[PacketMark] = field(default_factory=list)
    reports: list[ReportMark] = field(default_factory=list)

    def frame_arrivals(self) -> list[tuple[float, int]]:
        """(time of the last packet, RTP time) of each frame, in order."""
        arrivals: dict[int, float] = {}
        for packet in self.packets:
            arrivals[packet.rtp] = max(packet.arrived_s, arrivals.get(packet.rtp, packet.arrived_s))
        return sorted((arrived_s, rtp) for rtp, arrived_s in arrivals.items())

    def arrival_of(self, rtp: int) -> float | None:
        """When the first packet of that RTP time came."""
        return next((packet.arrived_s for packet in self.packets if packet.rtp == rtp), None)


@dataclass(frozen=True, slots=True)
class Spread:
    """A sample of durations or offsets."""

    count: int
    mean_ms: float
    sd_ms: float
    min_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


def spread(values_ms: Sequence[float]) -> Spread | None:
    """Summarise; None when there is nothing."""
    if not len(values_ms):
        return None
    values = np.asarray(values_ms, np.float64)
    p50, p95, p99 = np.percentile(values, (50, 95, 99))
    return Spread(
        len(values),
        float(values.mean()),
        float(values.std()),
        float(values.min()),
        float(p50),
        float(p95),
        float(p99),
        float(values.max()),
    )


def intervals(arrivals_s: Sequence[float]) -> Spread | None:
    """Times between neighbours."""
    return spread([float(step) for step in np.diff(np.asarray(arrivals_s)) * 1000])


def rate_hz(arrivals_s: Sequence[float]) -> float:
    """Frames a second from the first to the last; 0 with fewer than two."""
    if len(arrivals_s) < 2 or arrivals_s[-1] <= arrivals_s[0]:
        return 0.0
    return (len(arrivals_s) - 1) / (arrivals_s[-1] - arrivals_s[0])


def rtp_difference(a: int, b: int) -> int:
    """a - b over the 32-bit wrap (RFC 3550 section 5.1)."""
    return ((a - b + 2**31) % 2**32) - 2**31


def num_lost(packets: Sequence[PacketMark]) -> int:
    """Sequence numbers that never came, between the first and the last."""
    if not packets:
        return 0
    base = packets[0].sequence_number
    seen = {((p.sequence_number - base + 2**15) % 2**16) - 2**15 for p in packets}
    # Longer calls wrap: count per lap by walking in order of arrival.
    lap, last = 0, 0
    if len(packets) >= 2**15:
        seen = set()
        for packet in packets:
            step = ((packet.sequence_number - base - last + 2**15) % 2**16) - 2**15
            lap = last + step
            seen.add(lap)
            last = max(last, lap)
    return max(seen) - min(seen) + 1 - len(seen)


def sender_time_s(log: StreamLog, rtp: int, arrived_s: float) -> float | None:
    """The sender's clock at an RTP time, by the last report that had come (the first one before that)."""
    if not log.reports:
        return None
    report = log.reports[0]
    for candidate in log.reports:
        if candidate.arrived_s <= arrived_s:
            report = candidate
    return report.ntp_s + rtp_difference(rtp, report.rtp) / RTP_RATES[log.kind]


def offsets_ms(
    audio: StreamLog,
    video: StreamLog,
    beeps: Sequence[tuple[float, int]],
    flashes: Sequence[tuple[float, int]],
    *,
    max_apart_s: float = 0.4,
) -> list[tuple[float, float]]:
    """Offset of each flash from its beep on the sender's clock.

    Args:
        audio: packets and reports of the sound.
        video: packets and reports of the picture.
        beeps: (arrival, RTP time) of each beep's first sample.
        flashes: (arrival, RTP time) of each flash's first picture.
        max_apart_s: further apart they are not one event.

    Returns:
        (arrival of the flash in s, offset in ms) of each pair.
    """
    heard_s = [t for t in (sender_time_s(audio, rtp, arrived_s) for arrived_s, rtp in beeps) if t is not None]
    pairs = []
    for arrived_s, rtp in flashes:
        seen_s = sender_time_s(video, rtp, arrived_s)
        if seen_s is None or not heard_s:
            continue
        nearest = min(heard_s, key=lambda t, seen_s=seen_s: abs(t - seen_s))  # type: ignore[misc]
        if abs(seen_s - nearest) <= max_apart_s:
            pairs.append((arrived_s, (seen_s - nearest) * 1000))
    return pairs


def drift_ms_per_min(series: Sequence[tuple[float, float]]) -> float:
    """Slope of (s, ms) by least squares; 0 with fewer than three points."""
    if len(series) < 3:
        return 0.0
    seconds, values = np.asarray(series, np.float64).T
    return float(np.polyfit(seconds - seconds[0], values, 1)[0] * 60)


def loudness(samples: Int16Array) -> npt.NDArray[np.float64]:
    """RMS of each 5 ms at 48 kHz."""
    num_windows = len(samples) // WINDOW_SAMPLES
    windows = samples[: num_windows * WINDOW_SAMPLES].reshape(num_windows, WINDOW_SAMPLES).astype(np.float64)
    return np.asarray(np.sqrt((windows**2).mean(axis=1)))


def first_audible(samples: Int16Array, *, threshold_rms: float = AUDIBLE_RMS) -> int | None:
    """Index of the 5 ms window (as a sample index) in which sound begins; None when silent."""
    loud = np.flatnonzero(loudness(samples) > threshold_rms)
    return int(loud[0]) * WINDOW_SAMPLES if len(loud) else None


def last_audible(samples: Int16Array, *, threshold_rms: float = AUDIBLE_RMS) -> int | None:
    """Index of the end of the last 5 ms window with sound; None when silent."""
    loud = np.flatnonzero(loudness(samples) > threshold_rms)
    return (int(loud[-1]) + 1) * WINDOW_SAMPLES if len(loud) else None


def tone_onsets(samples: Int16Array, *, tone_hz: float = 3000.0, level: float = 4000.0) -> list[int]:
    """Sample indices at which a tone begins, to about half a period; pauses must last 0.25 s.

    The window that crosses `level` is refined to the first sample beyond a quarter of the peak.
    """
    grain = 96
    phase = np.exp(-2j * np.pi * tone_hz * np.arange(grain) / 48_000)
    num = len(samples) // grain
    strength = np.abs((samples[: num * grain].reshape(num, grain).astype(np.float64) * phase).mean(axis=1))
    onsets: list[int] = []
    for index in np.flatnonzero(strength > level):
        start = max(0, (int(index) - 1) * grain)
        if onsets and start - onsets[-1] < 12_000:
            continue
        near = np.abs(samples[start : start + 3 * grain].astype(np.int32))
        onsets.append(start + int(np.argmax(near > near.max() / 4)))
    return onsets


def picture_change(before: UInt8Array, after: UInt8Array) -> float:
    """Mean absolute luma difference of one region in two pictures, 0..255."""
    return float(np.abs(before.astype(np.int16) - after.astype(np.int16)).mean())


def moving_times(
    pictures: Sequence[tuple[float, UInt8Array]], *, threshold: float = 1.5, reach: int = 1
) -> list[float]:
    """Arrival times of the pictures whose region (the mouth, cut out by the caller) moved.

    Args:
        pictures: (arrival, luma uint8[h, w]) in order, all of one shape.
        threshold: change of luma that counts; codec noise on a still face stays below 1.
        reach: how many pictures back to compare with.
    """
    return [
        pictures[i][0]
        for i in range(reach, len(pictures))
        if picture_change(pictures[i - reach][1], pictures[i][1]) > threshold
    ]
