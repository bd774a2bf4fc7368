"""The face as the call uses it: the track pulls, sound is never late, nothing stale comes out."""

import asyncio

import numpy as np
import pytest

from avatar.errors import BufferFullError
from avatar.face import INSTANT_TICKS, LIP_LEAD_TICKS
from avatar.media import UNIT_TICKS, Activity, AudioChunk, PhonemeCue
from avatar.sync.sound_queue import RAMP_TICKS
from tests.fixtures.face_kit import (
    MouthRenderer,
    chunk,
    chunks,
    counting,
    cues_of,
    luma,
    make_face,
    say,
    take,
    ticks_of_the_loop,
    tone,
)

pytestmark = pytest.mark.unit


async def test_idle_units_are_silent_shut_and_counted_on():
    face = make_face(start_pts=4 * UNIT_TICKS)
    await face.start()
    units = take(face, 5)
    assert [u.pts for u in units] == [(4 + i) * UNIT_TICKS for i in range(5)]
    assert all(u.frame.pts == u.pts and not u.samples.any() and u.utterance_id is None for u in units)
    assert all(u.mouth == 0.0 and not u.is_late and luma(u) == 0 for u in units)
    assert not units[0].frame.i420.flags.writeable


def test_speech_pushed_in_idle_is_heard_and_seen_in_the_next_unit():
    face = make_face()
    take(face, 3)
    say(face)
    unit = face.next_unit()
    assert (unit.response_id, unit.utterance_id, unit.offset, unit.num_voiced) == ("r", "u", 0, UNIT_TICKS)
    assert not unit.is_late and unit.mouth > 0.1 and luma(unit) > 5
    assert np.array_equal(unit.samples, tone(48_000)[:UNIT_TICKS])


def test_places_are_exact_over_joined_utterances():
    face = make_face()
    for i, size in enumerate((5000, 100, 3840)):
        say(face, sound=counting(size), utterance=f"u{i}")
    units = take(face, 7)
    assert [(u.utterance_id, u.offset, u.num_voiced) for u in units] == [
        ("u0", 0, 1920), ("u0", 1920, 1920), ("u0", 3840, 1160), ("u1", 0, 100),
        ("u2", 0, 1920), ("u2", 1920, 1920), (None, 0, 0),
    ]  # fmt: skip
    assert all(u.samples[0] == u.offset + 1 for u in units[:6])


def test_how_the_sound_is_cut_into_chunks_changes_nothing():
    def film(size):
        face = make_face(seed=3)
        cues = cues_of("h @ l oU _ p A: p _ m eI b i: _ s t u: p")
        for part in chunks(tone(17 * 4800), size):
            # Cues come with 300 ms of look-ahead and the lead of the pictures.
            until = part.pts + part.samples.size + 24_000
            now = [c for c in cues if c.pts < until]
            cues = cues[len(now) :]
            face.push_audio(part, now, response_id="r", utterance_id="u")
        face.end_utterance("u")
        return take(face, 45)

    whole, parts = film(17 * 4800), film(1000)
    assert all(np.array_equal(a.samples, b.samples) and a.mouth == b.mouth for a, b in zip(whole, parts, strict=True))


def test_a_closure_is_seen_in_the_unit_in_which_it_sounds():
    # The p lasts from unit 5 to the end of unit 6; a picture shows the middle of its unit, 15 ms ahead.
    cues = [
        PhonemeCue("A:", "espeak", 0, 5 * UNIT_TICKS),
        PhonemeCue("p", "espeak", 5 * UNIT_TICKS, 2 * UNIT_TICKS),
        PhonemeCue("A:", "espeak", 7 * UNIT_TICKS, 5 * UNIT_TICKS),
    ]
    face = make_face()
    face.push_audio(chunk(tone(12 * UNIT_TICKS)), cues, response_id="r", utterance_id="u")
    mouths = [u.mouth for u in take(face, 10)]
    assert INSTANT_TICKS + LIP_LEAD_TICKS == 35 * 48
    assert mouths[5] == mouths[6] == 0.0
    assert mouths[4] < mouths[3] and min(mouths[2], mouths[3]) > 0.4 and mouths[8] > 0.4


def test_the_mouth_opens_before_the_first_sound_of_an_utterance():
    face = make_face()
    say(face, phones="_ _ _ _ A: A: A:", num_ticks=7 * 4800)
    mouths = [u.mouth for u in take(face, 12)]
    assert mouths[0] == mouths[1] == 0.0
    assert mouths[8] > 0.2, "320 ms, the sound starts at 400 ms"


def test_the_mouth_is_shut_two_units_after_the_voice():
    face = make_face()
    say(face, num_ticks=10 * UNIT_TICKS, phones="A: A: A: A:")
    units = take(face, 13)
    assert units[8].mouth > 0.5
    assert units[11].mouth == units[12].mouth == 0.0


def test_hold_keeps_the_sound_and_shuts_the_mouth_and_resume_goes_on():
    face = make_face()
    say(face)
    take(face, 5)
    waiting = face.buffered_ms
    face.hold()
    face.hold()
    units = take(face, 4)
    assert units[0].samples[:RAMP_TICKS].any() and not np.concatenate([u.samples for u in units])[RAMP_TICKS:].any()
    assert units[1].mouth == units[3].mouth == 0.0 and luma(units[1]) == 0
    assert all(u.num_voiced == 0 for u in units) and face.buffered_ms == waiting and face.epoch == 0
    face.resume()
    face.resume()
    unit = face.next_unit()
    assert (unit.offset, unit.num_voiced, unit.is_late) == (5 * UNIT_TICKS, UNIT_TICKS, False)
    assert unit.mouth > 0.1


def test_clear_ends_the_epoch_and_nothing_of_it_comes_after():
    face = make_face()
    say(face, utterance="a")
    say(face, utterance="b")
    before = take(face, 7)
    played = face.clear()
    assert {u.epoch for u in before} == {0} and face.epoch == 1
    assert [(p.utterance_id, p.played_ticks) for p in played] == [("a", 7 * UNIT_TICKS), ("b", 0)]
    units = take(face, 5)
    assert {u.epoch for u in units} == {1}
    assert units[0].samples[:RAMP_TICKS].any() and not np.concatenate([u.samples for u in units])[RAMP_TICKS:].any()
    assert all(u.num_voiced == 0 for u in units)
    assert units[1].mouth == 0.0 and luma(units[1]) == 0
    assert face.buffered_ms == 0 and not face.is_speaking


def test_sound_of_a_cleared_response_that_still_comes_is_dropped():
    face = make_face()
    say(face, ended=False)
    take(face, 3)
    face.clear()
    face.push_audio(chunk(tone(9600), 48_000), response_id="r", utterance_id="u")
    face.push_audio(chunk(tone(9600)), response_id="r", utterance_id="next")
    face.end_utterance("u")
    assert not any(u.num_voiced for u in take(face, 5))
    assert face.stats.dropped_ms == {"cleared": 1000 - 120 + 400}
    say(face, response="r2", utterance="u2")
    assert face.next_unit().utterance_id == "u2"


def test_an_answer_right_after_an_interruption_begins_after_the_fade():
    face = make_face()
    say(face)
    take(face, 5)
    face.clear()
    say(face, response="r2", utterance="u2", sound=counting(9600))
    fade, speech = take(face, 2)
    assert fade.num_voiced == 0 and fade.samples[:100].any()
    assert (speech.utterance_id, speech.offset, speech.samples[0]) == ("u2", 0, 1)
    assert not (fade.is_late or speech.is_late)


def test_random_interruptions_leave_no_stale_unit():
    chance = np.random.default_rng(4)
    face = make_face()
    for turn in range(25):
        say(face, 9600 * int(chance.integers(1, 8)), response=f"r{turn}", utterance=f"u{turn}", ended=turn % 2 == 0)
        for unit in take(face, int(chance.integers(0, 12))):
            assert unit.utterance_id in (None, f"u{turn}") or not unit.num_voiced
            assert unit.epoch == turn
        if chance.random() < 0.3:
            face.hold()
            take(face, 1)
        face.clear()
    assert sum(face.stats.late.values()) == 0


async def test_at_most_60_s_wait_and_room_tells_when_there_is_some():
    face = make_face()
    say(face, 59 * 48_000, ended=False)
    await asyncio.wait_for(face.room(48_000), 1)
    with pytest.raises(BufferFullError):
        face.push_audio(chunk(tone(2 * 48_000), 59 * 48_000), response_id="r", utterance_id="u")
    waiter = asyncio.ensure_future(face.room(2 * 48_000))
    await ticks_of_the_loop()
    assert not waiter.done() and face.buffered_ms == 59_000
    take(face, 25)
    await ticks_of_the_loop()
    assert waiter.done()
    with pytest.raises(ValueError):
        await face.room(61 * 48_000)


async def test_clear_and_close_wake_who_waits_for_room():
    face = make_face()
    say(face, 60 * 48_000, ended=False)
    waiter = asyncio.ensure_future(face.room())
    await ticks_of_the_loop()
    face.clear()
    await ticks_of_the_loop()
    assert waiter.done()


def test_wrong_sound_is_refused():
    face = make_face()
    with pytest.raises(ValueError, match="48000"):
        face.push_audio(AudioChunk(tone(100), 22_050, 0), response_id="r", utterance_id="u")
    with pytest.raises(ValueError, match="960 ticks"):
        face.push_audio(chunk(tone(100), 960), response_id="r", utterance_id="u")


def test_sound_after_the_end_of_its_utterance_is_dropped_and_counted():
    face = make_face()
    say(face)
    face.push_audio(chunk(tone(4800), 48_000), response_id="r", utterance_id="u")
    assert face.stats.dropped_ms == {"ended": 100}


def test_without_cues_the_mouth_follows_the_loudness():
    face = make_face()
    quiet_then_loud = np.concatenate([np.zeros(9600, np.int16), tone(19_200)])
    face.push_audio(chunk(quiet_then_loud), response_id="r", utterance_id="u")
    mouths = [u.mouth for u in take(face, 14)]
    assert max(mouths[:3]) == 0.0 and min(mouths[7:]) > 0.3


def test_activity_mood_and_gesture_reach_the_picture_without_a_jump():
    face = make_face()
    take(face, 5)
    face.set_activity(Activity.LISTENING)
    face.set_emotion({"happy": 1.0})
    assert face.gesture("nod") and not face.gesture("wave")
    faces = np.array([u.face.weights for u in take(face, 40)])
    blinks = [8, 9]
    assert np.abs(np.diff(np.delete(faces, blinks, axis=1), axis=0)).max() <= 0.081
    assert faces[-1][43] > 0.4
    with pytest.raises(ValueError):
        face.set_emotion({"bored": 1.0})


def test_two_faces_with_one_seed_are_one():
    def film(seed):
        face = make_face(seed=seed)
        say(face)
        return [(u.face.yaw_deg, u.mouth, u.face.gaze_x) for u in take(face, 30)]

    assert film(1) == film(1) != film(2)


async def test_closing_frees_the_renderer_and_leaves_next_unit_safe():
    renderer = MouthRenderer()
    face = make_face(renderer=renderer)
    say(face)
    await face.aclose()
    await face.aclose()
    assert renderer.is_closed
    say(face, utterance="v")
    units = take(face, 3)
    assert not any(u.num_voiced for u in units) and units[2].pts == 2 * UNIT_TICKS
