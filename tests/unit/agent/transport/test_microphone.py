"""Decoded frames become 16 kHz chunks; nothing grows without bound."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from agent.transport.microphone import CHUNK_SAMPLES, MAX_CHUNKS, Microphone

pytestmark = pytest.mark.unit


def _frame(samples: np.ndarray, pts: int, *, rate: int = 48_000, layout: str = "stereo") -> av.AudioFrame:
    packed = np.repeat(samples, 2) if layout == "stereo" else samples
    frame = av.AudioFrame.from_ndarray(packed[np.newaxis, :].astype(np.int16), format="s16", layout=layout)
    frame.sample_rate = rate
    frame.pts = pts
    frame.time_base = Fraction(1, rate)
    return frame


async def _all(microphone: Microphone) -> list[np.ndarray]:
    microphone.close()
    return [chunk async for chunk in microphone]


async def test_stereo_48_khz_becomes_mono_16_khz_of_the_same_pitch_and_level() -> None:
    microphone = Microphone()
    tone = 8000 * np.sin(2 * np.pi * 1000 * np.arange(48_000) / 48_000)
    for start in range(0, 48_000, 960):
        microphone.push(_frame(tone[start : start + 960], start))
    chunks = await _all(microphone)
    assert 48 <= len(chunks) <= 50 and all(c.shape == (CHUNK_SAMPLES,) and c.dtype == np.int16 for c in chunks)
    heard = np.concatenate(chunks)[3200:9600].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(heard))
    assert np.argmax(spectrum) * 16_000 / len(heard) == pytest.approx(1000, abs=3)
    assert np.abs(heard).max() == pytest.approx(8000, rel=0.05)


async def test_telephone_rates_are_taken_too() -> None:
    microphone = Microphone()
    for index in range(20):
        microphone.push(_frame(np.full(160, 500), index * 160, rate=8000, layout="mono"))
    assert 18 <= len(await _all(microphone)) <= 20


async def test_lost_packets_become_silence_so_that_time_is_kept() -> None:
    microphone = Microphone()
    loud = np.full(960, 9000)
    for index in (0, 1, 4, 5):
        microphone.push(_frame(loud, index * 960))
    chunks = await _all(microphone)
    assert len(chunks) == 6 - 1, "the last 20 ms wait for the resampler's next frame"
    assert microphone.counters.filled_gap_ms == pytest.approx(40.0)
    assert sum(not chunk.any() for chunk in chunks) == 2


async def test_what_a_sender_leaves_out_in_silence_is_filled() -> None:
    microphone = Microphone()
    for index in (0, 20, 40):  # Opus DTX: a packet in 400 ms
        microphone.push(_frame(np.zeros(960), index * 960))
    assert microphone.counters.filled_gap_ms == pytest.approx(760.0)
    assert len(await _all(microphone)) == 41 - 1


async def test_a_long_pause_of_the_sender_is_not_filled() -> None:
    microphone = Microphone()
    microphone.push(_frame(np.zeros(960), 0))
    microphone.push(_frame(np.zeros(960), 480_000))
    assert microphone.counters.filled_gap_ms == 0.0


async def test_a_sender_that_changes_its_codec_is_still_heard() -> None:
    microphone = Microphone()
    microphone.push(_frame(np.full(960, 9000), 0))
    narrow = av.AudioFrame.from_ndarray(np.full((1, 160), 9000, np.int16), format="s16", layout="mono")
    narrow.sample_rate = 8000
    for _ in range(4):
        microphone.push(narrow)
    chunks = await _all(microphone)
    assert len(chunks) >= 3 and np.abs(chunks[-1]).max() > 8000


async def test_a_slow_listener_loses_the_oldest() -> None:
    microphone = Microphone()
    for index in range(MAX_CHUNKS + 30):
        microphone.push(_frame(np.full(960, index * 100), index * 960))
    chunks = await _all(microphone)
    assert len(chunks) == MAX_CHUNKS
    assert microphone.counters.dropped_slow_listener == microphone.counters.chunks - MAX_CHUNKS > 20
    assert chunks[0][160] > 2500, "what is left is the newest"
