"""Encoders: keyframes on demand, no needless rebuilds, sound stamped by its own samples."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from agent.transport.bitrate import HOLD_S
from agent.transport.encoders import (
    TunedH264Encoder,
    TunedOpusEncoder,
    TunedVp8Encoder,
    make_encoder,
    num_encoder_threads,
    usable_cores,
)
from avatar.clock import VirtualClock
from tests.fixtures.flash_source import FlashSource

pytestmark = pytest.mark.unit


def _picture(index: int, *, width: int = 160, height: int = 96) -> av.VideoFrame:
    source = FlashSource(width=width, height=height, period_units=1000)
    source.num_units = index
    frame = av.VideoFrame.from_ndarray(source.next_unit().frame.i420, format="yuv420p")
    frame.pts, frame.time_base = index * 3600, Fraction(1, 90_000)
    return frame


def _sound(index: int, samples: np.ndarray) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(samples[np.newaxis, :].astype(np.int16), format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, index * 960, Fraction(1, 48_000)
    return frame


@pytest.mark.parametrize("kind", [TunedVp8Encoder, TunedH264Encoder])
def test_pictures_keep_their_time_and_keyframes_come_on_demand_only(kind: Any) -> None:
    clock = VirtualClock()
    encoder = kind(clock)
    for index in range(20):
        payloads, timestamp = encoder.encode(_picture(index), index == 15)
        assert timestamp == index * 3600 and payloads and all(len(p) <= 1300 for p in payloads)
        assert encoder.core.counters.keyframes == (1 if index < 15 else 2)
        clock.advance(0.04)
    assert encoder.core.counters.frames == 20
    assert encoder.core.counters.rebuilds == 0 and encoder.core.counters.cpu_s > 0


def test_a_burst_of_demands_gives_a_keyframe_each_half_second() -> None:
    clock = VirtualClock()
    encoder = TunedVp8Encoder(clock)
    keyframes = []
    for index in range(75):
        before = encoder.core.counters.keyframes
        encoder.encode(_picture(index, width=64, height=64), 5 <= index < 50)
        if encoder.core.counters.keyframes > before:
            keyframes.append(index)
        clock.advance(0.04)
    assert keyframes == [0, 13, 26, 39, 52], "the last demand is answered too"


@pytest.mark.parametrize("kind", [TunedVp8Encoder, TunedH264Encoder])
def test_what_is_encoded_can_be_decoded(kind: Any) -> None:
    encoder = kind(VirtualClock())
    decoder = av.CodecContext.create("libvpx" if kind is TunedVp8Encoder else "h264", "r")
    for index in range(6):
        for packet in encoder.core.encode(_picture(index), False):
            shown = decoder.decode(av.Packet(bytes(packet)))
    error = shown[-1].to_ndarray(format="gray").astype(float) - _picture(5).to_ndarray(format="gray")
    assert 10 * np.log10(255**2 / (error**2).mean()) > 32


def test_restless_estimates_rebuild_at_most_once_in_ten_seconds() -> None:
    clock = VirtualClock()
    encoder = TunedVp8Encoder(clock)
    for index in range(500):
        encoder.encode(_picture(index, width=64, height=64))
        encoder.core.policy.sent(7_000, clock.now_s())
        if index % 25 == 24:
            encoder.target_bitrate = 300_000 if index % 100 < 50 else 2_500_000
        clock.advance(0.04)
    assert encoder.core.counters.rebuilds <= 20 / HOLD_S
    assert encoder.core.counters.keyframes == 1 + encoder.core.counters.rebuilds


def test_another_size_is_taken() -> None:
    encoder = TunedVp8Encoder(VirtualClock())
    encoder.encode(_picture(0))
    assert encoder.encode(_picture(1, width=64, height=64))[0]
    assert encoder.core.counters.rebuilds == 1


def test_threads_follow_affinity_and_quota(tmp_path: Path) -> None:
    own = len(os.sched_getaffinity(0))
    quota = tmp_path / "cpu.max"
    assert usable_cores(tmp_path / "none") == own
    for text, cores in (("max 100000", own), ("50000 100000", 1), ("150000 100000", min(own, 2)), ("junk", own)):
        quota.write_text(text)
        assert usable_cores(quota) == cores
    assert num_encoder_threads() == (1 if usable_cores() < 8 else 2)


@pytest.mark.parametrize("takes_fec", [False, True])
def test_sound_is_stamped_so_that_what_is_heard_sits_on_its_sample(takes_fec: bool) -> None:
    encoder, decoder = TunedOpusEncoder(takes_fec=takes_fec), av.CodecContext.create("libopus", "r")
    tone = np.zeros(48_000)
    onset = 24_000
    tone[onset:] = 12_000 * np.sin(2 * np.pi * 1000 * np.arange(24_000) / 48_000)
    heard = np.zeros(50_000)
    stamps = []
    for index in range(50):
        payloads, timestamp = encoder.encode(_sound(index, tone[index * 960 : index * 960 + 960]))
        assert len(payloads) == 1 and len(payloads[0]) < 400
        stamps.append(timestamp)
        for frame in decoder.decode(av.Packet(payloads[0])):
            left = frame.to_ndarray()[0, :: len(frame.layout.channels)]
            start = max(0, timestamp)
            heard[start : timestamp + 960] = left[start - timestamp :]
    assert np.all(np.diff(stamps) == 960) and stamps[0] < 0
    first = int(np.flatnonzero(np.abs(heard) > 3_000)[0])
    assert abs(first - onset) < 48, "within a millisecond"


def test_sound_after_a_jump_of_time_is_stamped_with_the_new_time() -> None:
    encoder = TunedOpusEncoder(takes_fec=False)
    stamps = [encoder.encode(_sound(index, np.zeros(960)))[1] for index in (0, 1, 40, 41)]
    assert np.diff(stamps).tolist() == [960, 39 * 960, 960]


def test_odd_frames_fall_back_to_a_resampled_stream() -> None:
    encoder = TunedOpusEncoder(takes_fec=False)
    assert encoder.encode(_sound(0, np.zeros(1920)))[0]


def test_each_codec_has_its_encoder() -> None:
    kinds = [type(make_encoder(name, VirtualClock(), takes_opus_fec=True)) for name in ("VP8", "H264", "opus", "PCMU")]
    assert kinds == [TunedVp8Encoder, TunedH264Encoder, TunedOpusEncoder, type(None)]
