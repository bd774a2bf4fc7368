"""Blinks and glances: where the eyes look, how long, and when the lids fall.

A small explicit state and an instant in, the next state out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..media import MEDIA_CLOCK_RATE, Activity
from .chance import between, normal, skewed, smoothstep, uniform
from .coarticulation import TICKS_PER_MS

BLINKS_PER_MIN: Mapping[Activity, float] = {
    Activity.IDLE: 17.0,
    Activity.LISTENING: 17.0,
    Activity.THINKING: 20.0,
    Activity.SPEAKING: 26.0,
}
"""Rest 17, conversation 26 (Bentivoglio et al. 1997, Movement Disorders 12); thinking between them."""
_BLINK_SPREAD = 0.6
"""Log-normal spread of the intervals; they are strongly skewed (same source)."""
_BLINK_MIN_S = 0.5
_CLOSING_TICKS = 80 * TICKS_PER_MS
_SHUT_TICKS = 40 * TICKS_PER_MS
_OPENING_TICKS = 180 * TICKS_PER_MS
"""Lids fall in 70-100 ms and rise in about twice that (VanderWerf et al. 2003, J. Neurophysiology 89)."""
BLINK_TICKS = _CLOSING_TICKS + _SHUT_TICKS + _OPENING_TICKS
_SHIFT_BLINK = 0.35
"""Share of large glances that come with a blink (Evinger et al. 1994, Experimental Brain Research 100)."""
_SACCADE_TICKS = 60 * TICKS_PER_MS

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Glancing:
    """How the eyes wander in an activity."""

    away_share: float
    """Of the fixations, how many leave the caller's face."""
    away_s: float
    """Median length of such a look away."""
    up: float
    """-1..1: where looks away tend to."""


# Lengths after Andrist et al. 2014, "Conversational Gaze Aversion for Humanlike Robots" (listening 1.1 s,
# each 7 s; speaking 2.0 s, each 5 s; thinking 3.5 s), shorter where a camera-near face would seem evasive.
GLANCING: Mapping[Activity, Glancing] = {
    Activity.IDLE: Glancing(0.12, 1.2, -0.1),
    Activity.LISTENING: Glancing(0.04, 0.7, 0.0),
    Activity.THINKING: Glancing(0.65, 1.6, 0.6),
    Activity.SPEAKING: Glancing(0.12, 0.9, 0.0),
}
_FIXATION_S = 0.8
_FIXATION_SPREAD = 0.5
_CONTACT = 0.03
"""Spread of fixations on the caller's face, in gaze units."""


@dataclass(frozen=True, slots=True)
class EyesState:
    """What the eyes remember."""

    seed: int
    blink_at: int
    """Start of the blink that runs or comes next, ticks."""
    blink_count: int = 0
    origin: Point = (0.0, 0.0)
    target: Point = (0.0, 0.0)
    moved_at: int = 0
    next_move_at: int = 0
    move_count: int = 0
    is_away: bool = False


def first_eyes(seed: int, instant: int) -> EyesState:
    """Eyes that look at the caller."""
    first_s = between(0.8, 3.0, seed, 10)
    return EyesState(
        seed, instant + int(first_s * MEDIA_CLOCK_RATE), moved_at=instant, next_move_at=instant + MEDIA_CLOCK_RATE
    )


def look(state: EyesState, instant: int, activity: Activity, *, has_turned: bool) -> EyesState:
    """Eyes at the next instant.

    Args:
        state: eyes one picture earlier.
        instant: ticks, later than before.
        activity: what the avatar does now.
        has_turned: the activity has just changed, so the eyes answer at once.
    """
    if instant >= state.next_move_at or has_turned:
        state = _glance(state, instant, activity, has_turned=has_turned)
    if instant >= state.blink_at + BLINK_TICKS:
        state = _schedule_blink(state, instant, activity)
    return state


def lids_at(state: EyesState, instant: int) -> float:
    """0 open .. 1 shut."""
    age = instant - state.blink_at
    if age < 0 or age >= BLINK_TICKS:
        return 0.0
    if age < _CLOSING_TICKS:
        return smoothstep(age / _CLOSING_TICKS)
    return 1.0 - smoothstep((age - _CLOSING_TICKS - _SHUT_TICKS) / _OPENING_TICKS)


def gaze_at(state: EyesState, instant: int) -> Point:
    """Gaze x and y, -1..1, + = subject's left and up."""
    part = smoothstep((instant - state.moved_at) / _SACCADE_TICKS)
    (from_x, from_y), (to_x, to_y) = state.origin, state.target
    return from_x + (to_x - from_x) * part, from_y + (to_y - from_y) * part


def _glance(state: EyesState, instant: int, activity: Activity, *, has_turned: bool) -> EyesState:
    count = state.move_count + 1
    habit = GLANCING[activity]
    wants_away = uniform(state.seed, 20, count) < habit.away_share
    if has_turned:
        wants_away = activity is Activity.THINKING
    # Nobody looks away twice in a row without a glance back.
    is_away = wants_away and (has_turned or not state.is_away)
    if is_away:
        side = 1.0 if uniform(state.seed, 21, count) < 0.5 else -1.0
        target = (
            side * between(0.22, 0.42, state.seed, 22, count),
            0.30 * habit.up + between(-0.10, 0.10, state.seed, 23, count),
        )
        stay_s = skewed(habit.away_s, 0.35, state.seed, 24, count)
    else:
        target = (_CONTACT * normal(state.seed, 25, count), 0.7 * _CONTACT * normal(state.seed, 26, count))
        stay_s = max(skewed(_FIXATION_S, _FIXATION_SPREAD, state.seed, 27, count), 0.2)
    origin = gaze_at(state, instant)
    blink_at = state.blink_at
    is_far = math.dist(origin, target) > 0.2
    if is_far and instant < blink_at and uniform(state.seed, 28, count) < _SHIFT_BLINK:
        blink_at = instant
    return replace(
        state, blink_at=blink_at, origin=origin, target=target, moved_at=instant, is_away=is_away, move_count=count,
        next_move_at=instant + int(stay_s * MEDIA_CLOCK_RATE),
    )  # fmt: skip


def _schedule_blink(state: EyesState, instant: int, activity: Activity) -> EyesState:
    count = state.blink_count + 1
    mean_s = 60.0 / BLINKS_PER_MIN[activity] - BLINK_TICKS / MEDIA_CLOCK_RATE
    median_s = mean_s / math.exp(_BLINK_SPREAD**2 / 2.0)
    wait_s = max(skewed(median_s, _BLINK_SPREAD, state.seed, 30, count), _BLINK_MIN_S)
    return replace(state, blink_at=instant + int(wait_s * MEDIA_CLOCK_RATE), blink_count=count)
