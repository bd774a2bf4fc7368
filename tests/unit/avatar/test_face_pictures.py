"""Pictures and their sound: drawn ahead in a thread, late ones replaced, sound never delayed."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from avatar.clock import VirtualClock
from avatar.media import UNIT_TICKS
from avatar.sync.pictures_ahead import MAX_LEAD_UNITS
from tests.fixtures.face_kit import (
    VOWELS,
    InlineExecutor,
    LateExecutor,
    MouthRenderer,
    chunk,
    luma,
    make_face,
    say,
    take,
    ticks_of_the_loop,
    tone,
)

pytestmark = pytest.mark.unit


def test_lead_is_four_units_while_speaking_and_one_while_idle():
    executor = LateExecutor()
    renderer = MouthRenderer()
    face = make_face(InlineExecutor(), renderer)
    face.next_unit()
    assert face.stats.lead_units == 1
    say(face)
    assert face.stats.lead_units == MAX_LEAD_UNITS == 4
    drawn = renderer.drawn
    face.next_unit()
    assert (face.stats.lead_units, renderer.drawn) == (4, drawn + 1)
    assert not executor.waiting


async def test_one_picture_is_drawn_at_a_time():
    executor = LateExecutor()
    face = make_face(executor)
    face.next_unit()
    say(face)
    assert len(executor.waiting) == 1
    executor.run()
    await ticks_of_the_loop()
    assert len(executor.waiting) == 1


async def test_a_late_picture_never_delays_the_sound():
    executor = LateExecutor()
    face = make_face(executor)
    starting = asyncio.ensure_future(face.start())
    await ticks_of_the_loop(2)
    executor.run()
    await starting
    first = face.next_unit()
    assert not first.is_late
    sound = tone(48_000)
    say(face)
    units = take(face, 6)
    assert np.array_equal(np.concatenate([u.samples for u in units]), sound[: 6 * UNIT_TICKS])
    assert all(u.is_late and u.frame.i420 is first.frame.i420 and u.mouth == 0.0 for u in units)
    assert [u.frame.pts for u in units] == [u.pts for u in units]
    assert sum(face.stats.late.values()) == 6
    executor.run(2)
    await ticks_of_the_loop()
    executor.run(1)
    await ticks_of_the_loop()
    assert not face.next_unit().is_late


async def test_a_slow_renderer_shows_some_pictures_in_time_instead_of_all_too_late():
    executor, clock, renderer = LateExecutor(), VirtualClock(), MouthRenderer()
    renderer.on_render = lambda: clock.advance(0.09)
    face = make_face(executor, renderer, clock)
    say(face, 8 * 48_000, phones=" ".join([VOWELS] * 8))
    late = []
    busy_units = 0
    for _ in range(120):
        late.append(face.next_unit().is_late)
        busy_units += 1
        if busy_units >= 2 and executor.waiting:
            executor.run()
            busy_units = 0
        await ticks_of_the_loop()
    assert late[30:].count(False) >= 40, "about every second"


def test_speech_that_goes_on_at_the_last_moment_replaces_idle_pictures_planned_by_a_slow_renderer():
    clock, renderer = VirtualClock(), MouthRenderer()
    renderer.on_render = lambda: clock.advance(0.07)
    face = make_face(renderer=renderer, clock=clock)
    take(face, 25)
    assert face.stats.lead_units > 1
    before = sum(face.stats.late.values())
    for i in range(12):
        face.push_audio(chunk(tone(UNIT_TICKS), i * UNIT_TICKS), response_id="r", utterance_id="u")
        assert face.next_unit().offset == i * UNIT_TICKS
    late = face.stats.late
    assert late.get("unplanned", 0) <= 1 and sum(late.values()) - before <= 12


def test_a_failing_renderer_is_counted_and_the_call_goes_on():
    renderer = MouthRenderer()
    face = make_face(renderer=renderer)
    take(face, 2)
    renderer.fails = True
    say(face)
    units = take(face, 8)
    assert all(u.num_voiced for u in units) and units[-1].is_late
    assert face.stats.late["failed"] >= 3
    renderer.fails = False
    assert not take(face, 8)[-1].is_late


async def test_a_picture_that_was_being_drawn_when_cleared_is_never_shown():
    executor = LateExecutor()
    face = make_face(executor)
    face.next_unit()
    executor.run()
    await ticks_of_the_loop()
    say(face, phones="_ " + VOWELS)
    executor.run()
    await ticks_of_the_loop()
    face.next_unit()
    assert executor.waiting, "an open mouth of the old epoch is being drawn"
    face.clear()
    for _ in range(6):
        executor.run()
        await ticks_of_the_loop()
        unit = face.next_unit()
    assert luma(unit) == 0 and unit.epoch == 1
    assert face.stats.discarded >= 1


async def test_pictures_are_drawn_in_the_given_thread_and_sound_meets_them():
    names, renderer = set(), MouthRenderer()
    renderer.on_render = lambda: names.add(threading.current_thread().name)
    with ThreadPoolExecutor(1, thread_name_prefix="render") as executor:
        face = make_face(executor, renderer)
        await face.start()
        say(face)
        units = []
        for _ in range(8):
            await face.settle()
            units.append(face.next_unit())
        await face.aclose()
    assert names == {"render_0"}
    assert not any(u.is_late for u in units) and [luma(u) > 0 for u in units] == [u.mouth > 0 for u in units]


async def test_the_first_unit_is_in_time_after_start():
    face = make_face()
    await face.start()
    assert not face.next_unit().is_late


async def test_a_busy_machine_does_not_leave_the_mouth_open_after_an_interruption():
    executor = LateExecutor()
    face = make_face(executor)

    async def draw_and_take():
        for _ in range(5):
            executor.run()
            await ticks_of_the_loop()
        return face.next_unit()

    await draw_and_take()
    assert luma(await draw_and_take()) == 0
    say(face)
    assert luma(await draw_and_take()) > 5
    face.clear()
    units = take(face, 4)
    assert all(u.is_late for u in units)
    assert [luma(u) for u in units[1:]] == [0, 0, 0] and units[1].mouth == 0.0
