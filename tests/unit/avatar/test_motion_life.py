"""Life around the lips: blinks, breath, glances, nods, moods; smooth and repeatable."""

import numpy as np
import pytest

from avatar.media import MEDIA_CLOCK_RATE, UNIT_TICKS, Activity
from avatar.motion.behaviour import MAX_STEP, LifeInput, first_life, live
from avatar.motion.blendshapes import INDEX, columns
from avatar.motion.chance import normal, uniform
from avatar.motion.coarticulation import MouthShape
from avatar.motion.driver import MotionState, move
from avatar.motion.emotion import EMOTIONS, NEUTRAL, mood_weights, to_mood
from avatar.motion.eyes import BLINKS_PER_MIN
from avatar.motion.gestures import GESTURES, Gesture, movement_at
from avatar.motion.idle import breath_at, sway_at

pytestmark = pytest.mark.unit
BLINKS = list(columns("eyeBlink"))
OTHERS = [i for i in range(52) if i not in BLINKS]
LIPS = list(columns("jawOpen") + columns("mouthLowerDown") + columns("mouthUpperUp") + columns("tongueOut"))
S = MEDIA_CLOCK_RATE


def lived(num_units, *, seed=1, activity=Activity.IDLE, mood=NEUTRAL, emphasis=0.0, gestures=()):
    """Poses of some seconds; activity, mood, emphasis may be functions of the unit."""

    def at(value, i):
        return value(i) if callable(value) else value

    state, poses = first_life(seed, 0), []
    for i in range(num_units):
        now = LifeInput(i * UNIT_TICKS, at(activity, i), at(mood, i), tuple(gestures), at(emphasis, i))
        pose, state = live(state, now)
        poses.append(pose)
    return poses


def blinks(poses):
    shut = np.array([p.weights[BLINKS[0]] for p in poses]) > 0.5
    return np.nonzero(shut[1:] & ~shut[:-1])[0]


def test_the_same_seed_lives_the_same_life_and_another_does_not():
    first, again, other = lived(150, seed=5), lived(150, seed=5), lived(150, seed=6)
    assert all(np.array_equal(a.weights, b.weights) and a.gaze_x == b.gaze_x for a, b in zip(first, again, strict=True))
    assert any(a.gaze_x != b.gaze_x for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("activity", [Activity.IDLE, Activity.SPEAKING])
def test_blinks_come_as_often_as_people_blink_and_never_evenly(activity):
    num_units = 1500
    starts = blinks(lived(num_units, activity=activity))
    per_min = starts.size / (num_units * UNIT_TICKS / S / 60)
    assert per_min == pytest.approx(BLINKS_PER_MIN[activity], rel=0.35)
    gaps_s = np.diff(starts) * UNIT_TICKS / S
    assert gaps_s.std() / gaps_s.mean() > 0.3
    assert gaps_s.min() > 0.4


def test_a_blink_is_shut_in_a_whole_picture_and_over_in_300_ms():
    lids = np.array([p.weights[BLINKS[0]] for p in lived(1200)])
    starts = np.nonzero((lids[1:] > 0) & (lids[:-1] == 0))[0]
    assert starts.size > 8
    for start in starts:
        blink = lids[start + 1 : start + 9]
        assert blink.max() > 0.99
        assert blink[-1] < 0.02


def test_breath_is_slow_and_full():
    curve = np.array([breath_at(t * S // 25, 3) for t in range(25 * 60)])
    assert curve.min() < -0.99 and curve.max() > 0.99
    breaths = np.nonzero((curve[1:] > 0) & (curve[:-1] <= 0))[0].size
    assert 12 <= breaths <= 20
    assert np.abs(np.diff(curve)).max() < 0.1


def test_posture_sways_a_little_and_slowly():
    sway = np.array(
        [[s.yaw_deg, s.pitch_deg, s.roll_deg, s.shift_x_px] for t in range(0, 60 * S, 1920) if (s := sway_at(t, 3))]
    )
    assert (np.abs(sway).max(axis=0) < [2.5, 2.0, 1.5, 4.0]).all()
    assert (sway.std(axis=0) > 0.2).all()
    assert np.abs(np.diff(sway, axis=0)).max() < 0.15


def test_no_coefficient_jumps_whatever_the_avatar_turns_to():
    order = [Activity.IDLE, Activity.LISTENING, Activity.THINKING, Activity.SPEAKING, Activity.LISTENING, Activity.IDLE]
    moods = [to_mood({e: 1.0}) for e in EMOTIONS]
    poses = lived(
        400,
        activity=lambda i: order[i // 13 % len(order)],
        mood=lambda i: moods[i // 9 % len(moods)],
        emphasis=1.0,
        gestures=[Gesture("brow_raise", 60 * UNIT_TICKS), Gesture("smile", 90 * UNIT_TICKS)],
    )
    weights = np.array([p.weights for p in poses])[:, OTHERS]
    assert np.abs(np.diff(weights, axis=0)).max() <= MAX_STEP + 1e-6
    head = np.array([(p.yaw_deg, p.pitch_deg, p.roll_deg) for p in poses])
    assert np.abs(np.diff(head, axis=0)).max() < 2.0
    assert np.abs(head).max() < 10.0


def test_a_mood_is_reached_in_300_ms_more_or_less():
    poses = lived(40, mood=lambda i: to_mood({"happy": 1.0}) if i >= 10 else NEUTRAL)
    smile = np.array([p.weights[INDEX["mouthSmileLeft"]] for p in poses])
    assert smile[10] < 0.15 < 0.5 < smile[20]


def test_the_listener_looks_at_the_caller_and_nods():
    poses = lived(1000, activity=Activity.LISTENING)
    away = np.mean([np.hypot(p.gaze_x, p.gaze_y) > 0.15 for p in poses])
    assert away < 0.12
    still = np.array([p.pitch_deg - sway_at(i * UNIT_TICKS, 1).pitch_deg * 0.7 for i, p in enumerate(poses)])
    nods = np.nonzero((still[1:] > 2.0) & (still[:-1] <= 2.0))[0]
    assert 3 <= nods.size <= 30


def test_the_thinker_looks_away_briefly():
    poses = lived(400, activity=lambda i: Activity.LISTENING if i < 20 else Activity.THINKING)
    away = np.array([np.hypot(p.gaze_x, p.gaze_y) > 0.15 for p in poses])
    assert away[24:30].all(), "at once"
    assert 0.25 < away[20:].mean() < 0.9, "and back now and then"


def test_the_eyes_are_never_quite_still():
    gaze = np.array([(p.gaze_x, p.gaze_y) for p in lived(500)])
    assert (np.abs(np.diff(gaze, axis=0)).sum(axis=1) > 0.002).sum() > 15
    assert np.abs(gaze).max() < 0.6


def test_stressed_speech_moves_the_head_and_unstressed_does_not():
    def nodding(emphasis):
        poses = lived(500, activity=Activity.SPEAKING, emphasis=emphasis)
        return np.std(np.diff([p.pitch_deg for p in poses]))

    assert nodding(1.0) > 1.5 * nodding(0.0)


@pytest.mark.parametrize("kind", GESTURES)
def test_gestures_move_something_and_end_where_they_began(kind):
    gesture = Gesture(kind, 100)
    middle = [movement_at([gesture], 100 + (gesture.end - 100) * k // 10) for k in range(1, 10)]
    size = max(abs(m.yaw_deg) + abs(m.pitch_deg) + abs(m.roll_deg) + m.weights.sum() for m in middle)
    assert size > 0.5
    end = movement_at([gesture], gesture.end)
    assert end.weights.sum() == end.yaw_deg == end.pitch_deg == 0.0


def test_moods_blend_and_wrong_ones_are_named():
    half = to_mood({"happy": 0.5, "sad": 0.5})
    assert np.allclose(
        mood_weights(half), (mood_weights(to_mood({"happy": 1})) + mood_weights(to_mood({"sad": 1}))) / 2
    )
    assert sum(to_mood({"happy": 1.0, "angry": 1.0})) == pytest.approx(1.0)
    assert to_mood({}) == NEUTRAL
    with pytest.raises(ValueError, match="joyful"):
        to_mood({"joyful": 1.0})
    with pytest.raises(ValueError, match="0..1"):
        to_mood({"happy": 1.5})


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_no_mood_parts_the_lips(emotion):
    state = MotionState(first_life(1, 0))
    for i in range(40):
        shape = MouthShape(gap=0.0, seal=1.0) if i > 20 else None
        motion = move(state, LifeInput(i * UNIT_TICKS, mood=to_mood({emotion: 1.0})), shape)
        state = motion.state
        assert not motion.face.weights[LIPS].any()
        assert motion.mouth == 0.0
    assert motion.face.weights[INDEX["mouthClose"]] == 1.0


def test_weights_of_a_picture_cannot_be_written():
    motion = move(MotionState(first_life(1, 0)), LifeInput(0), None)
    with pytest.raises(ValueError):
        motion.face.weights[0] = 1.0


def test_chance_is_even_and_repeatable():
    numbers = np.array([uniform(9, i) for i in range(4000)])
    assert abs(numbers.mean() - 0.5) < 0.02 and abs(numbers.std() - 12**-0.5) < 0.02
    assert uniform(9, 1, 2) == uniform(9, 1, 2) != uniform(9, 2, 1)
    assert abs(np.mean([normal(9, i) for i in range(2000)])) < 0.06
