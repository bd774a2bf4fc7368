# Part of the Visavis speech worker, a program of its own. Copyright (C) 2026 the Visavis authors.
# SPDX-License-Identifier: GPL-3.0-or-later
"""The finish of every voice: a softer top, a small room, the same comfortable loudness, no clipping."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]

TARGET_LUFS = -20.0
"""Loudness of every voice; leaves speech peaks (crest about 15 dB) under full scale."""
KNEE = 0.7
"""Samples above this are bent, never clipped."""
SHELF_HZ = 4500.0
ROOM_T60_S = 0.16
ROOM_DB = -19.0
"""Energy of the room against the direct sound: heard as a place, not as an echo."""
_SHELF_TAPS = 64


class Polish:
    """Filters and levels one utterance, block after block; the output is as long as the input."""

    def __init__(self, rate_hz: int, *, gain: float, shelf_db: float = 0.0, has_room: bool = False) -> None:
        self._gain = gain
        self._filter = room_filter(rate_hz, shelf_db, has_room) if shelf_db or has_room else None
        self._tail = np.zeros(len(self._filter) - 1 if self._filter is not None else 0, np.float32)

    def __call__(self, samples: Float32Array) -> Float32Array:
        """float32[n] in, float32[n] in (-1, 1) out."""
        if self._filter is not None and len(samples):
            samples = self._convolve(samples, self._filter)
        return bend(samples * np.float32(self._gain))

    def _convolve(self, samples: Float32Array, kernel: Float32Array) -> Float32Array:
        num_out = len(samples) + len(kernel) - 1
        size = 1 << (num_out - 1).bit_length()
        whole = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(kernel, size), size)[:num_out]
        whole[: len(self._tail)] += self._tail
        out, self._tail = whole[: len(samples)], whole[len(samples) :].astype(np.float32)
        return out.astype(np.float32)


def bend(samples: Float32Array) -> Float32Array:
    """Leave what is below the knee alone and squeeze the rest under full scale."""
    size = np.abs(samples)
    if not len(samples) or size.max() <= KNEE:
        return samples
    room = 0.98 - KNEE
    bent = KNEE + room * np.tanh((size - KNEE) / room)
    return np.where(size > KNEE, np.sign(samples) * bent, samples).astype(np.float32)


@lru_cache(maxsize=8)
def room_filter(rate_hz: int, shelf_db: float, has_room: bool) -> Float32Array:
    """Impulse response of the shelf and the room together; delays by 1.5 ms, too little for lips."""
    frequencies = np.fft.rfftfreq(_SHELF_TAPS, 1 / rate_hz)
    rise = 1 / (1 + np.exp(-(frequencies - SHELF_HZ) / 500.0))
    shelf = np.roll(np.fft.irfft(10 ** (shelf_db * rise / 20)), _SHELF_TAPS // 2)
    shelf *= np.hanning(_SHELF_TAPS + 1)[:-1]
    return np.convolve(shelf, _room(rate_hz)).astype(np.float32) if has_room else shelf.astype(np.float32)


def _room(rate_hz: int) -> Float32Array:
    """Direct sound and a noise tail that falls by 60 dB in `ROOM_T60_S`, duller as it fades."""
    num_taps = int(ROOM_T60_S * rate_hz)
    time_s = np.arange(num_taps) / rate_hz
    tail = np.random.default_rng(1).standard_normal(num_taps) * 10 ** (-3 * time_s / ROOM_T60_S)
    tail = np.convolve(tail, [0.25, 0.5, 0.25], "same")
    tail[time_s < 0.004] = 0.0
    tail *= np.sqrt(10 ** (ROOM_DB / 10) / np.sum(tail**2))
    tail[0] = 1.0
    return tail.astype(np.float32)


def gain_for(samples: Float32Array, rate_hz: int) -> float:
    """The factor that brings a sentence of a voice to `TARGET_LUFS`."""
    loudness = loudness_lufs(samples, rate_hz)
    return float(10 ** ((TARGET_LUFS - loudness) / 20)) if loudness > -70 else 1.0


def loudness_lufs(samples: Float32Array, rate_hz: int) -> float:
    """Integrated loudness of float32[n] mono sound in [-1, 1]; -100 for silence.

    Source: ITU-R BS.1770-4, its two filters applied as magnitudes, its two gates as written.
    """
    size = max(1, len(samples))
    spectrum = np.fft.rfft(samples, size)
    weighted = np.fft.irfft(spectrum * _k_weight(np.fft.rfftfreq(size, 1 / rate_hz).astype(np.float64)), size)
    block, step = int(0.4 * rate_hz), int(0.1 * rate_hz)
    starts = range(0, max(1, size - block + 1), step)
    power = np.array([np.mean(weighted[start : start + block] ** 2) for start in starts]) + 1e-12
    level = -0.691 + 10 * np.log10(power)
    for gate in (-70.0, None):
        kept = level > (gate if gate is not None else -0.691 + 10 * np.log10(power.mean()) - 10)
        if not kept.any():
            return -100.0
        power, level = power[kept], level[kept]
    return float(-0.691 + 10 * np.log10(power.mean()))


def _k_weight(frequencies: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Magnitude of the K filter, from its coefficients at 48 kHz (BS.1770-4, tables 1 and 2)."""
    z = np.exp(-2j * np.pi * frequencies / 48_000)
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    high_pass = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    return np.asarray(np.abs(shelf * high_pass))
