"""How the avatar carries itself while it idles, listens, thinks and speaks.

A small explicit state and the doings of the moment in, a pose and the next state out; no clock,
no hidden chance. The lips are not decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..media import MEDIA_CLOCK_RATE, NUM_BLENDSHAPES, UNIT_TICKS, Activity, Float32Array
from .blendshapes import columns, to_weights
from .chance import between, skewed, smoothstep, uniform
from .coarticulation import TICKS_PER_MS
from .emotion import NEUTRAL, Mood, mood_weights
from .eyes import EyesState, first_eyes, gaze_at, lids_at, look
from .gestures import Gesture, movement_at
from .idle import breath_at, sway_at

MAX_STEP = 0.08
"""The most a coefficient of life moves in one picture, blinks excepted."""
EMOTION_TICKS = 300 * TICKS_PER_MS
_TURN_TICKS = 500 * TICKS_PER_MS
"""From one activity's bearing to the next one's."""
_HEAD_SHARE = 0.22
"""Of the way to its goal that the head goes in one picture (160 ms time constant)."""
_HEAD_PER_GAZE_DEG = (9.0, -6.0)
"""Yaw and pitch that follow a gaze of 1: the head takes part in glances."""
_NOD_S = 5.0
"""Median between the small nods of a listener."""
_BEAT_GAP_S = 0.7
_EMPHASIS = 0.75
_BLINKS = list(columns("eyeBlink"))

_ACTIVITIES = tuple(Activity)
_BEARING: Mapping[Activity, Float32Array] = {
    Activity.IDLE: to_weights({"mouthSmile": 0.05}),
    Activity.LISTENING: to_weights({"browInnerUp": 0.10, "mouthSmile": 0.07, "eyeWide": 0.05}),
    Activity.THINKING: to_weights({"browInnerUp": 0.06, "browDown": 0.18, "eyeSquint": 0.15, "mouthPress": 0.10}),
    Activity.SPEAKING: to_weights({"browInnerUp": 0.05, "mouthSmile": 0.04}),
}
_PITCH_DEG: Mapping[Activity, float] = {Activity.LISTENING: 0.8, Activity.THINKING: -0.8}
_ROLL_DEG: Mapping[Activity, float] = {Activity.LISTENING: 1.6, Activity.THINKING: -1.0}
_SWAY: Mapping[Activity, float] = {Activity.LISTENING: 0.7, Activity.THINKING: 0.9, Activity.SPEAKING: 1.5}


@dataclass(frozen=True, slots=True)
class LifeInput:
    """The moment."""

    instant: int
    """Ticks of the call."""
    activity: Activity = Activity.IDLE
    mood: Mood = NEUTRAL
    gestures: tuple[Gesture, ...] = ()
    emphasis: float = 0.0
    """0..1: how much the voice stresses what it says now."""


@dataclass(frozen=True, slots=True)
class LifeState:
    """What life remembers from picture to picture."""

    seed: int
    eyes: EyesState
    activity: Activity = Activity.IDLE
    levels: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0)
    """How far each activity's bearing is taken on."""
    mood_from: Mood = NEUTRAL
    mood_to: Mood = NEUTRAL
    mood_at: int = 0
    weights: tuple[float, ...] = (0.0,) * NUM_BLENDSHAPES
    """Before lids and lips."""
    head: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Yaw, pitch, roll that follow bearing and gaze slowly."""
    own: tuple[Gesture, ...] = ()
    """Nods and beats that were begun unasked."""
    nod_at: int = 0
    beat_at: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Pose:
    """One picture of life; fields as in `FaceState`."""

    weights: Float32Array
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    shift_x_px: float
    shift_y_px: float
    gaze_x: float
    gaze_y: float
    breath: float


def first_life(seed: int, instant: int) -> LifeState:
    """An idle avatar that looks at the caller."""
    return LifeState(seed, first_eyes(seed, instant), mood_at=instant - EMOTION_TICKS)


def live(state: LifeState, now: LifeInput) -> tuple[Pose, LifeState]:
    """Life one picture (40 ms) later."""
    instant = now.instant
    has_turned = now.activity is not state.activity
    eyes = look(state.eyes, instant, now.activity, has_turned=has_turned)
    state = _stir(replace(state, eyes=eyes, activity=now.activity), now, has_turned=has_turned)
    step = UNIT_TICKS / _TURN_TICKS
    levels = tuple(
        min(max(level + (step if a is now.activity else -step), 0.0), 1.0)
        for a, level in zip(_ACTIVITIES, state.levels, strict=True)
    )
    state = _feel(replace(state, levels=levels), now)
    gaze = gaze_at(eyes, instant)
    movement = movement_at((*now.gestures, *state.own), instant)
    weights = _weights(state, now, movement.weights)
    head = _head(state, gaze)
    sway = sway_at(instant, state.seed)
    size = _blend(state, _SWAY, 1.0)
    breath = breath_at(instant, state.seed)
    shown = weights.copy()
    shown[_BLINKS] = np.maximum(shown[_BLINKS], lids_at(eyes, instant))
    pose = Pose(
        weights=shown,
        yaw_deg=size * sway.yaw_deg + head[0] + movement.yaw_deg,
        pitch_deg=size * sway.pitch_deg + head[1] + movement.pitch_deg - 0.15 * breath,
        roll_deg=size * sway.roll_deg + head[2] + movement.roll_deg,
        shift_x_px=sway.shift_x_px,
        shift_y_px=sway.shift_y_px + movement.shift_y_px,
        gaze_x=gaze[0],
        gaze_y=gaze[1],
        breath=breath,
    )
    return pose, replace(state, weights=tuple(weights.tolist()), head=head)


def mood_at(state: LifeState, instant: int) -> Mood:
    """The mood shown at an instant, on its way to the one asked for."""
    part = smoothstep((instant - state.mood_at) / EMOTION_TICKS)
    return tuple(a + (b - a) * part for a, b in zip(state.mood_from, state.mood_to, strict=True))


def _feel(state: LifeState, now: LifeInput) -> LifeState:
    if now.mood == state.mood_to:
        return state
    before = now.instant - UNIT_TICKS
    return replace(state, mood_from=mood_at(state, before), mood_to=now.mood, mood_at=before)


def _stir(state: LifeState, now: LifeInput, *, has_turned: bool) -> LifeState:
    """Begin nods while listening and beats while speaking."""
    own = tuple(g for g in state.own if g.end > now.instant)
    count, nod_at, beat_at = state.count, state.nod_at, state.beat_at
    if now.activity is Activity.LISTENING:
        if has_turned or now.instant >= nod_at:
            if not has_turned:
                own = (*own, Gesture("small_nod", now.instant, between(0.6, 1.2, state.seed, 40, count)))
            count += 1
            nod_at = now.instant + int(max(skewed(_NOD_S, 0.5, state.seed, 41, count), 1.5) * MEDIA_CLOCK_RATE)
    elif now.activity is Activity.SPEAKING and now.emphasis >= _EMPHASIS and now.instant >= beat_at:
        kind = "beat_brow" if uniform(state.seed, 42, count) < 0.4 else "beat"
        own = (*own, Gesture(kind, now.instant, between(0.6, 1.2, state.seed, 43, count)))
        count += 1
        beat_at = now.instant + int(skewed(2 * _BEAT_GAP_S, 0.4, state.seed, 44, count) * MEDIA_CLOCK_RATE)
    return replace(state, own=own, count=count, nod_at=nod_at, beat_at=beat_at)


def _weights(state: LifeState, now: LifeInput, extra: Float32Array) -> Float32Array:
    wanted = mood_weights(mood_at(state, now.instant)) + extra
    for activity, level in zip(_ACTIVITIES, state.levels, strict=True):
        wanted = wanted + np.float32(smoothstep(level)) * _BEARING[activity]
    before = np.array(state.weights, dtype=np.float32)
    moved: Float32Array = before + np.clip(np.clip(wanted, 0.0, 1.0) - before, -MAX_STEP, MAX_STEP)
    return moved


def _head(state: LifeState, gaze: tuple[float, float]) -> tuple[float, float, float]:
    goals = (
        _HEAD_PER_GAZE_DEG[0] * gaze[0],
        _HEAD_PER_GAZE_DEG[1] * gaze[1] + _blend(state, _PITCH_DEG, 0.0),
        _blend(state, _ROLL_DEG, 0.0),
    )
    yaw, pitch, roll = (old + _HEAD_SHARE * (goal - old) for old, goal in zip(state.head, goals, strict=True))
    return yaw, pitch, roll


def _blend(state: LifeState, values: Mapping[Activity, float], default: float) -> float:
    levels = [smoothstep(level) for level in state.levels]
    total = sum(levels) or 1.0
    return sum(values.get(a, default) * level for a, level in zip(_ACTIVITIES, levels, strict=True)) / total
