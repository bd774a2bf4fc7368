"""Repeatable chance: the same seed and keys give the same number on every machine."""

from __future__ import annotations

import math
from statistics import NormalDist

_MASK = (1 << 64) - 1
_NORMAL = NormalDist()


def uniform(seed: int, *keys: int) -> float:
    """A number in (0, 1) (SplitMix64 finaliser, Steele et al. 2014)."""
    z = seed & _MASK
    for key in keys:
        z = (z + 0x9E3779B97F4A7C15 * (key + 1)) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        z ^= z >> 31
    return ((z >> 11) + 0.5) / (1 << 53)


def between(low: float, high: float, seed: int, *keys: int) -> float:
    """A number evenly spread over low..high."""
    return low + (high - low) * uniform(seed, *keys)


def normal(seed: int, *keys: int) -> float:
    """A standard normal number."""
    return _NORMAL.inv_cdf(uniform(seed, *keys))


def skewed(median: float, spread: float, seed: int, *keys: int) -> float:
    """A log-normal number, > 0; its mean is median * exp(spread^2 / 2)."""
    return median * math.exp(spread * normal(seed, *keys))


def smoothstep(x: float) -> float:
    """0..1 with level ends; clips outside."""
    x = min(max(x, 0.0), 1.0)
    return x * x * (3.0 - 2.0 * x)
