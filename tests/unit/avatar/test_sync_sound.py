"""The queue of sound: exact places, ramps where it is cut, bounds."""

import numpy as np
import pytest

from avatar.errors import BufferFullError
from avatar.media import UNIT_TICKS
from avatar.sync.sound_queue import HISTORY_TICKS, LIMIT_TICKS, RAMP_TICKS, SoundQueue, Utterance
from tests.fixtures.face_kit import counting, tone

pytestmark = pytest.mark.unit


def played(queue, count):
    return [queue.pop() for _ in range(count)]


def test_all_sound_comes_out_once_in_order_whatever_the_chunks():
    sound = counting(10_000)
    for size in (160, 960, 1920, 2500, 10_000):
        queue = SoundQueue()
        for start in range(0, sound.size, size):
            queue.push(sound[start : start + size], "r", "u")
        queue.end("u")
        units = played(queue, 7)
        assert [u.num_voiced for u in units] == [1920] * 5 + [400, 0]
        assert [u.place and u.place.offset for u in units] == [0, 1920, 3840, 5760, 7680, 9600, None]
        assert np.array_equal(np.concatenate([u.samples for u in units])[:10_000], sound)
        assert not units[5].samples[400:].any()


def test_a_part_of_a_unit_waits_until_it_is_full_or_ended():
    queue = SoundQueue()
    queue.push(counting(1000), "r", "u")
    assert queue.pop().place is None
    queue.push(counting(920, 1001), "r", "u")
    assert np.array_equal(queue.pop().samples, counting(1920))
    assert queue.end("u") is not None
    assert queue.end("u") is None


def test_the_next_utterance_follows_without_a_hole_and_on_a_unit():
    queue = SoundQueue()
    queue.push(counting(2000), "r", "a")
    queue.push(counting(1920), "r", "b")
    units = played(queue, 3)
    assert [(u.place.utterance_id, u.place.offset, u.num_voiced) for u in units] == [
        ("a", 0, 1920), ("a", 1920, 80), ("b", 0, 1920),
    ]  # fmt: skip
    assert [u.place.axis - units[0].place.axis for u in units] == [0, 1920, 3840]


def largest_step(samples):
    return int(np.abs(np.diff(samples.astype(int))).max())


def test_hold_fades_in_5_ms_and_resume_goes_on_at_the_held_sample():
    sound = tone(9600)
    queue = SoundQueue()
    queue.push(sound, "r", "u")
    before = queue.pop()
    queue.hold()
    fade, silence = queue.pop(), queue.pop()
    assert fade.place.offset == 1920 and fade.num_voiced == 0
    assert fade.samples[: RAMP_TICKS // 2].any() and not fade.samples[RAMP_TICKS:].any()
    assert not silence.samples.any() and silence.place is None
    queue.resume()
    after = queue.pop()
    assert (after.place.offset, after.num_voiced) == (1920, 1920)
    assert np.array_equal(after.samples[RAMP_TICKS:], sound[1920 + RAMP_TICKS : 3840])
    heard = np.concatenate([u.samples for u in (before, fade, silence, after)])
    assert largest_step(heard) < 1.5 * largest_step(sound)
    assert queue.waiting_ticks == 9600 - 3840


def test_an_underrun_fades_is_counted_and_loses_nothing():
    sound = tone(4800)
    queue = SoundQueue()
    queue.push(sound[:1920], "r", "u")
    first, gap = queue.pop(), queue.pop()
    assert gap.num_voiced == 0 and queue.underruns == 1
    assert largest_step(np.concatenate([first.samples, gap.samples])) < 1.5 * largest_step(sound)
    queue.push(sound[1920:], "r", "u")
    again = queue.pop()
    assert again.place.offset == 1920
    assert np.array_equal(again.samples[RAMP_TICKS:], sound[1920 + RAMP_TICKS : 3840])


def test_clear_leaves_5_ms_and_tells_what_was_played():
    queue = SoundQueue()
    queue.push(tone(1920), "r", "a")
    queue.push(tone(9600), "r", "b")
    queue.push(tone(4800), "r", "c")
    played(queue, 3)
    report = queue.clear()
    assert [(p.utterance_id, p.played_ticks, p.received_ticks, p.is_ended) for p in report] == [
        ("a", 1920, 1920, True), ("b", 3840, 9600, True), ("c", 0, 4800, False),
    ]  # fmt: skip
    tail = queue.pop()
    assert tail.samples[:RAMP_TICKS].any() and not tail.samples[RAMP_TICKS:].any()
    assert (tail.num_voiced, tail.place.utterance_id) == (0, "b")
    assert not queue.pop().samples.any()
    assert queue.waiting_ticks == 0 and queue.is_closed("c")


def test_clear_of_silence_leaves_silence():
    queue = SoundQueue()
    assert queue.clear() == ()
    queue.push(tone(1000), "r", "u")
    assert [p.played_ticks for p in queue.clear()] == [0]
    assert not queue.pop().samples.any()
    queue.push(tone(1920), "r2", "u2")
    queue.hold()
    queue.clear()
    queue.push(tone(1920), "r3", "u3")
    assert queue.pop().num_voiced == 1920, "hold does not outlive the interruption"


def test_a_second_clear_keeps_the_fade_of_the_first():
    queue = SoundQueue()
    queue.push(tone(9600), "r", "u")
    queue.pop()
    queue.clear()
    queue.clear()
    assert np.abs(queue.pop().samples[:20]).max() > 4000


def test_new_sound_after_clear_waits_for_the_fade():
    queue = SoundQueue()
    queue.push(tone(9600), "r", "u")
    queue.pop()
    queue.clear()
    queue.push(counting(1920), "r2", "v")
    assert queue.peek(0) is None and queue.peek(1) is not None
    assert (queue.pop().num_voiced, queue.pop().num_voiced) == (0, 1920)


def test_ducking_turns_the_voice_down_without_a_click():
    queue = SoundQueue()
    queue.push(np.full(9600, 10_000, np.int16), "r", "u")
    queue.pop()
    queue.duck(0.25)
    ducked, steady = queue.pop().samples, queue.pop().samples
    assert ducked[0] > 9900 and ducked[-1] == 2500 and (steady == 2500).all()
    assert largest_step(ducked) < 20
    queue.duck(1.0)
    assert queue.pop().samples[-1] == 10_000


def test_an_utterance_without_end_keeps_only_its_last_seconds():
    utterance = Utterance("r", "u", 0)
    for i in range(600):
        utterance.append(np.full(4800, i, np.int16))
        utterance.played = max(utterance.received - 9600, 0)
        assert utterance.read(utterance.played, 4800)[0] == max(i - 1, 0)
    assert utterance.read(0, 4800).size == 0
    last = utterance.read(utterance.received - HISTORY_TICKS, HISTORY_TICKS + 5)
    assert last.size == HISTORY_TICKS and last[-1] == 599 and last[0] == 570
    assert utterance.read(utterance.received, 10).size == 0


def test_at_most_60_s_wait():
    queue = SoundQueue()
    queue.push(np.zeros(LIMIT_TICKS - 10, np.int16), "r", "u")
    with pytest.raises(BufferFullError):
        queue.push(np.zeros(11, np.int16), "r", "u")
    queue.push(np.zeros(10, np.int16), "r", "u")
    assert queue.waiting_ticks == LIMIT_TICKS
    queue.pop()
    queue.push(np.zeros(UNIT_TICKS, np.int16), "r", "u")
