"""The pair's arithmetic and its behaviour under stalls, faults and interruptions, on a clock that is told."""

from __future__ import annotations

import asyncio
from fractions import Fraction

import numpy as np
import pytest

from agent.transport.tracks import MAX_PICTURES, RAMP_TICKS, MediaPair
from avatar.clock import VirtualClock
from avatar.media import GRID_TICKS, UNIT_TICKS, AVUnit, VideoFrame
from tests.fixtures.flash_source import FlashSource

pytestmark = pytest.mark.unit


class Told:
    """A clock that moves when slept on."""

    def __init__(self) -> None:
        self.clock = VirtualClock(100.0)
        self.slept_s: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.clock.advance(seconds)
        await asyncio.sleep(0)


def _pair(source: FlashSource | None = None, **kwargs: object) -> tuple[MediaPair, Told]:
    told = Told()
    pair = MediaPair(
        source or FlashSource(width=32, height=32),
        clock=told.clock,
        sleep=told.sleep,
        **kwargs,  # type: ignore[arg-type]
    )
    return pair, told


def _samples(frame: object) -> np.ndarray:
    return frame.to_ndarray().reshape(-1)  # type: ignore[attr-defined, no-any-return]


async def test_each_picture_rides_exactly_on_the_first_of_its_two_sound_frames() -> None:
    pair, _ = _pair()
    for _ in range(60):
        first, second = await pair.audio.recv(), await pair.audio.recv()
        picture = await pair.video.recv()
        assert picture.pts * 48_000 == first.pts * 90_000
        assert second.pts - first.pts == GRID_TICKS
        assert picture.time_base == Fraction(1, 90_000) and first.time_base == Fraction(1, 48_000)


async def test_flash_and_beep_of_one_unit_leave_together() -> None:
    pair, _ = _pair()
    for index in range(50):
        sound = np.concatenate([_samples(await pair.audio.recv()), _samples(await pair.audio.recv())])
        picture = await pair.video.recv()
        is_loud, is_bright = np.abs(sound).max() > 1000, picture.to_ndarray(format="gray").mean() > 200
        assert is_loud == is_bright == (index % 25 == 12)


async def test_sound_leaves_each_20_ms_of_the_clock() -> None:
    pair, told = _pair()
    for index in range(10):
        await pair.audio.recv()
        assert told.clock.now_s() == pytest.approx(100.0 + index * 0.02)


@pytest.mark.parametrize("is_frozen", [False, True])
async def test_the_picture_leaves_as_it_was_drawn(is_frozen: bool) -> None:
    i420 = (np.arange(48 * 64) % 251).astype(np.uint8).reshape(48, 64)

    class One:
        def next_unit(self) -> AVUnit:
            return AVUnit(np.zeros(UNIT_TICKS, np.int16), VideoFrame(i420, 0), 0, 0)

    told = Told()
    pair = MediaPair(One(), clock=told.clock, sleep=told.sleep)
    await pair.audio.recv()
    i420.setflags(write=not is_frozen)
    frame, drawn = await pair.video.recv(), i420.copy()
    if not is_frozen:
        i420[:] = 0
    assert np.array_equal(frame.to_ndarray(format="yuv420p"), drawn), "what may still change is copied"


async def test_a_slow_encoder_loses_the_oldest_pictures_and_they_are_counted() -> None:
    pair, _ = _pair()
    for _ in range(20):
        await pair.audio.recv()
    assert pair.counters.units == 10
    assert pair.counters.dropped_slow_encoder == 10 - MAX_PICTURES
    assert pair.counters.max_waiting_pictures == MAX_PICTURES
    assert (await pair.video.recv()).pts == 8 * 3600


async def test_a_hiccup_is_caught_up_at_once() -> None:
    pair, told = _pair()
    for _ in range(2):
        await pair.audio.recv()
    told.clock.advance(0.1)
    told.slept_s.clear()
    sent = [(await pair.audio.recv()).pts for _ in range(8)]
    assert sent == [GRID_TICKS * index for index in range(2, 10)], "nothing is left out"
    assert len(told.slept_s) == 4 and pair.counters.stalls == 0
    assert told.clock.now_s() == pytest.approx(100.0 + 9 * 0.02), "on the clock it began with"


@pytest.mark.parametrize("stall_s", [0.2, 0.7, 30.0])
async def test_after_a_stall_media_time_is_now_and_no_unit_is_left_out(stall_s: float) -> None:
    left: list[int] = []
    pair, told = _pair(on_unit=lambda unit, _: left.append(unit.pts // UNIT_TICKS))
    for _ in range(3):
        await pair.audio.recv()
    told.clock.advance(stall_s)
    second_half = await pair.audio.recv()
    assert second_half.pts == 3 * GRID_TICKS, "a unit that has begun is sent to its end"
    first = await pair.audio.recv()
    lag_s = told.clock.now_s() - 100.0 - first.pts / 48_000
    assert first.pts % UNIT_TICKS == 0 and 0 <= lag_s < 0.04
    assert pair.counters.stalls == 1 and pair.counters.skipped_ms == pytest.approx((first.pts - 3840) / 48)
    picture = [await pair.video.recv() for _ in range(2)][-1]
    assert picture.pts * 48_000 == first.pts * 90_000
    assert left == [0, 1, 2]


async def test_on_unit_tells_when_each_unit_left() -> None:
    sent: list[tuple[int, float]] = []
    pair, _ = _pair(on_unit=lambda unit, at_s: sent.append((unit.pts, at_s)))
    for _ in range(6):
        await pair.audio.recv()
    assert sent == [(0, 100.0), (1920, pytest.approx(100.04)), (3840, pytest.approx(100.08))]


async def test_clearing_drops_waiting_pictures_and_ramps_the_rest_of_the_sound_out() -> None:
    source = FlashSource(width=32, height=32, period_units=1)
    pair, _ = _pair(source)
    loud = _samples(await pair.audio.recv())
    assert np.abs(loud).max() > 10_000
    pair.clear(1)
    rest = _samples(await pair.audio.recv()).astype(np.int32)
    assert np.abs(rest[:48]).max() > 5_000, "no click: the cut is a ramp"
    assert not rest[RAMP_TICKS:].any(), "silent 5 ms after the decision"
    assert pair.counters.dropped_stale == 1
    source.epoch = 1
    await pair.audio.recv()
    assert (await pair.video.recv()).pts == 3600, "the first picture after the cut is the new epoch's"


async def test_hushing_silences_a_unit_of_the_newest_epoch_too() -> None:
    pair, _ = _pair(FlashSource(width=32, height=32, period_units=1))
    await pair.audio.recv()
    pair.hush(0)
    assert not _samples(await pair.audio.recv())[RAMP_TICKS:].any()
    assert np.abs(_samples(await pair.audio.recv())).max() > 10_000, "the next unit is heard again"


async def test_a_listener_that_fails_does_not_stop_the_sound() -> None:
    def fail(unit: AVUnit, sent_s: float) -> None:
        raise RuntimeError("not now")

    pair, _ = _pair(FlashSource(width=32, height=32, period_units=1), on_unit=fail)
    for _ in range(4):
        assert np.abs(_samples(await pair.audio.recv())).max() > 10_000
    assert pair.counters.listener_faults == 2


async def test_a_unit_of_an_old_epoch_does_not_leave() -> None:
    sent: list[int] = []
    pair, _ = _pair(FlashSource(width=32, height=32, period_units=1), on_unit=lambda unit, _: sent.append(unit.epoch))
    pair.clear(3)
    assert not _samples(await pair.audio.recv()).any()
    assert sent == [] and pair.counters.dropped_stale == 1


async def test_a_newer_epoch_of_the_source_drops_waiting_older_pictures() -> None:
    source = FlashSource(width=32, height=32)
    pair, _ = _pair(source)
    await pair.audio.recv()
    await pair.audio.recv()
    source.epoch = 2
    await pair.audio.recv()
    assert (await pair.video.recv()).pts == 3600
    assert pair.counters.dropped_stale == 1


async def test_a_faulty_source_gives_silence_and_is_counted() -> None:
    class Broken:
        def next_unit(self) -> AVUnit:
            raise RuntimeError("no face")

    told = Told()
    pair = MediaPair(Broken(), clock=told.clock, sleep=told.sleep)
    for _ in range(4):
        assert not _samples(await pair.audio.recv()).any()
    assert pair.counters.source_faults == 2


async def test_picture_alone_paces_itself() -> None:
    pair, told = _pair()
    pair.negotiated(audio=False, video=True)
    assert [(await pair.video.recv()).pts for _ in range(3)] == [0, 3600, 7200]
    assert told.clock.now_s() == pytest.approx(100.08)


async def test_sound_alone_keeps_no_pictures() -> None:
    pair, _ = _pair()
    pair.negotiated(audio=True, video=False)
    for _ in range(10):
        await pair.audio.recv()
    assert pair.counters.max_waiting_pictures == 0 and pair.counters.dropped_slow_encoder == 0


class _ToneThenFade:
    """Speaks loudly, then (as a face does after it was cleared) fades what would have followed."""

    def __init__(self) -> None:
        self.num_voiced = UNIT_TICKS
        self._pts = 0

    def next_unit(self) -> AVUnit:
        samples = np.full(UNIT_TICKS, 8000, np.int16)
        if not self.num_voiced:
            samples[RAMP_TICKS:] = 0
        self._pts += UNIT_TICKS
        frame = VideoFrame(np.zeros((48, 32), np.uint8), self._pts)
        return AVUnit(samples, frame, self._pts, epoch=0, num_voiced=self.num_voiced)


async def test_a_hush_in_mid_unit_fades_once_and_the_sources_own_fade_is_no_blip() -> None:
    source = _ToneThenFade()
    pair, _ = _pair(source)  # type: ignore[arg-type]
    await pair.audio.recv()
    pair.hush(0)
    source.num_voiced = 0
    rest = _samples(await pair.audio.recv())
    assert rest[:100].any() and not rest[RAMP_TICKS:].any(), "5 ms, then silence"
    following = [_samples(await pair.audio.recv()) for _ in range(2)]
    assert not any(samples.any() for samples in following)


async def test_sound_let_go_within_the_unit_it_was_hushed_in_rises_without_a_click() -> None:
    source = _ToneThenFade()
    pair, _ = _pair(source)  # type: ignore[arg-type]
    whole = _samples(await pair.audio.recv())
    pair.hush(0)
    await pair.audio.recv()
    following = _samples(await pair.audio.recv())
    assert abs(int(following[0])) < 200 and np.abs(np.diff(following[:RAMP_TICKS])).max() < 2_000
    assert np.array_equal(following[RAMP_TICKS:], whole[RAMP_TICKS:]), "after 5 ms it is as it was"


async def test_a_hush_between_units_leaves_the_fade_to_the_source() -> None:
    source = _ToneThenFade()
    pair, _ = _pair(source)  # type: ignore[arg-type]
    await pair.audio.recv()
    await pair.audio.recv()
    pair.hush(0)
    source.num_voiced = 0
    following = _samples(await pair.audio.recv())
    assert following[:100].any() and not following[RAMP_TICKS:].any()
