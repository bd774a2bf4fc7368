"""Scores the face's lips against the lips of real speakers: `python -m tests.bench.lips_truth`.

Prints JSON: per method and group of speakers, means over clips. gap_r and width_r: Pearson r with the
measured gap and width at the frame times; in_speech: the same from first to last phone; closure:
frames with a shut mouth inside speech; pbm_closed: share of p, b, m with a shut instant; peak_lag_ms:
where the correlation peaks, < 0 = the prediction is early. With `--check` it exits 1 where the phones miss
a goal, and says which.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import soxr

from avatar.media import MEDIA_CLOCK_RATE, PhonemeCue
from avatar.motion.coarticulation import MouthShape
from avatar.motion.energy import REACH_AFTER_TICKS, REACH_BEFORE_TICKS, shape_from_sound
from avatar.motion.speech_track import SpeechTrack

from .grid_corpus import SAMPLE_RATE_HZ, Clip, FloatArray, corpus_folder, load

SHUT_GAP = 0.03
"""Below this a measured mouth is shut, in distances between the irises."""
SHUT_SHAPE = 0.15
"""The same in units of the prediction: 0.03 / 0.2."""
_LAGS_S = np.arange(-0.2, 0.201, 0.02)
_STEP_S = 0.005

GOALS = {
    "s1": {"gap_r": 0.85, "in_speech": 0.75, "width_r": 0.65, "closure_f1": 0.48, "pbm_closed": 1.0},
    "others": {"gap_r": 0.70, "in_speech": 0.68, "width_r": 0.45, "closure_f1": 0.38, "pbm_closed": 1.0},
}
"""Least scores of the path by phones (lips.md section 6)."""
MAX_LAG_MS = 20.0

Predict = Callable[[Clip, FloatArray], list[MouthShape]]


@dataclass(frozen=True, slots=True)
class Score:
    clips: int
    gap_r: float
    in_speech: float
    width_r: float
    closure_f1: float
    pbm_closed: float
    peak_lag_ms: float


def by_phones(clip: Clip, times_s: FloatArray) -> list[MouthShape]:
    """The path of our own voices: exact phone times."""
    track = SpeechTrack()
    for phone in clip.phones:
        start, end = (round(t * MEDIA_CLOCK_RATE) for t in (phone.start_s, phone.end_s))
        track.add(PhonemeCue(phone.symbol, "cmu", start, end - start), base=0)
    track.finish(round(clip.phones[-1].end_s * MEDIA_CLOCK_RATE))
    return [track.shape_at(round(t * MEDIA_CLOCK_RATE)) for t in times_s]


def by_loudness(clip: Clip, times_s: FloatArray) -> list[MouthShape]:
    """The fallback."""
    sound = np.asarray(soxr.resample(clip.sound, SAMPLE_RATE_HZ, MEDIA_CLOCK_RATE), dtype=np.int16)
    shapes = []
    for at in np.round(times_s * MEDIA_CLOCK_RATE).astype(int):
        start = max(at - REACH_BEFORE_TICKS, 0)
        shapes.append(shape_from_sound(sound[start : max(at + REACH_AFTER_TICKS, 0)], max(at - start, 0)))
    return shapes


def score(clips: Sequence[Clip], predict: Predict) -> Score:
    """Means over clips; see the module."""
    curves, inside, widths = [], [], []
    hits = np.zeros(3)
    closed = np.zeros(2)
    for clip in clips:
        fine_s = np.arange(-0.3, clip.time_s[-1] + 0.3, _STEP_S)
        shapes = predict(clip, fine_s)
        gap, width = np.array([s.gap for s in shapes]), np.array([s.width for s in shapes])
        curves.append([_r(np.interp(clip.time_s + lag, fine_s, gap), clip.gap) for lag in _LAGS_S])
        here = np.interp(clip.time_s, fine_s, gap)
        speaks = (clip.time_s >= clip.phones[0].start_s) & (clip.time_s <= clip.phones[-1].end_s)
        inside.append(_r(here[speaks], clip.gap[speaks]))
        widths.append(_r(np.interp(clip.time_s, fine_s, width), clip.width))
        real, ours = (clip.gap < SHUT_GAP) & speaks, (here < SHUT_SHAPE) & speaks
        hits += ((real & ours).sum(), real.sum(), ours.sum())
        for phone in clip.phones:
            if phone.symbol in ("P", "B", "M"):
                near = (fine_s > phone.start_s - 0.06) & (fine_s < phone.end_s + 0.04)
                closed += (bool((gap[near] < SHUT_SHAPE).any()), 1)
    mean = np.mean(curves, axis=0)
    return Score(
        clips=len(clips),
        gap_r=round(float(mean[len(_LAGS_S) // 2]), 3),
        in_speech=round(float(np.mean(inside)), 3),
        width_r=round(float(np.mean(widths)), 3),
        closure_f1=round(2 * hits[0] / max(hits[1] + hits[2], 1), 3),
        pbm_closed=round(closed[0] / max(closed[1], 1), 3),
        peak_lag_ms=round(float(1000 * _LAGS_S[int(mean.argmax())])),
    )


def main() -> int:
    folder = corpus_folder()
    if folder is None:
        print("no avtruth clips: set VISAVIS_SHARED to the folder that holds them", file=sys.stderr)
        return 2
    clips = list(load(folder))
    groups = {"s1": [c for c in clips if c.is_s1], "others": [c for c in clips if not c.is_s1]}
    methods: dict[str, Predict] = {"phones": by_phones, "loudness": by_loudness}
    result = {m: {g: asdict(score(cs, predict)) for g, cs in groups.items()} for m, predict in methods.items()}
    print(json.dumps(result, indent=2))
    missed = misses(result["phones"]) if "--check" in sys.argv[1:] else []
    print("\n".join(missed), file=sys.stderr, end="\n" if missed else "")
    return 1 if missed else 0


def misses(scores: dict[str, dict[str, float]]) -> list[str]:
    """The goals that the scores by group do not reach, one sentence each."""
    faults = [
        f"{group}: {name} is {scores[group][name]}, the goal {least}"
        for group, goals in GOALS.items()
        for name, least in goals.items()
        if scores[group][name] < least
    ]
    lags = {group: values["peak_lag_ms"] for group, values in scores.items()}
    return faults + [f"{group}: peak at {lag} ms" for group, lag in lags.items() if abs(lag) > MAX_LAG_MS]


def _r(a: FloatArray, b: FloatArray) -> float:
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


if __name__ == "__main__":
    raise SystemExit(main())
