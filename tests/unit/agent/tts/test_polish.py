"""The finish of a voice: level, no clipping, seamless blocks."""

import numpy as np
import pytest
from polish import KNEE, TARGET_LUFS, Polish, bend, gain_for, loudness_lufs, room_filter

pytestmark = pytest.mark.unit
RATE = 22_050


def tone(level: float, frequency_hz: float = 997.0, seconds: float = 1.0, rate_hz: int = RATE) -> np.ndarray:
    return (level * np.sin(2 * np.pi * frequency_hz * np.arange(int(seconds * rate_hz)) / rate_hz)).astype(np.float32)


def test_loudness_is_that_of_the_standard():
    # BS.1770-4: a full-scale 997 Hz sine in one channel reads -3.01 LKFS.
    assert loudness_lufs(tone(1.0, rate_hz=48_000), 48_000) == pytest.approx(-3.01, abs=0.1)
    assert loudness_lufs(tone(0.1), RATE) == pytest.approx(-23.0, abs=0.2)


def test_silence_has_no_gain():
    assert gain_for(np.zeros(RATE, np.float32), RATE) == 1.0
    assert gain_for(np.zeros(0, np.float32), RATE) == 1.0


def test_quiet_and_loud_voices_come_out_alike():
    for level in (0.02, 0.2, 0.9):
        polish = Polish(RATE, gain=gain_for(tone(level), RATE))
        assert loudness_lufs(polish(tone(level)), RATE) == pytest.approx(TARGET_LUFS, abs=0.3)


def test_peaks_are_bent_below_full_scale():
    loud = bend(tone(3.0))
    assert KNEE < np.abs(loud).max() < 1.0
    soft = tone(0.5)
    assert np.array_equal(bend(soft), soft)


def test_blocks_join_without_a_seam():
    sound = np.random.default_rng(1).standard_normal(9000).astype(np.float32) * 0.1
    whole = Polish(RATE, gain=1.0, shelf_db=-5.0, has_room=True)(sound)
    piecewise = Polish(RATE, gain=1.0, shelf_db=-5.0, has_room=True)
    parts = np.concatenate([piecewise(part) for part in np.split(sound, [10, 500, 5000])])
    assert len(parts) == len(sound)
    np.testing.assert_allclose(parts, whole, atol=1e-5)


def test_the_shelf_softens_the_top_only():
    kernel = np.abs(np.fft.rfft(room_filter(RATE, -5.0, False), 4096))
    frequencies = np.fft.rfftfreq(4096, 1 / RATE)
    level_db = 20 * np.log10(kernel)
    assert np.abs(level_db[frequencies < 3000]).max() < 0.5
    assert level_db[frequencies > 6500].max() < -4.0


def test_the_room_is_faint_and_short():
    kernel = room_filter(RATE, 0.0, True).astype(np.float64)
    energy = kernel**2
    direct = energy[:64].sum()
    assert 10 * np.log10(energy[64:].sum() / direct) == pytest.approx(-19.0, abs=1.5)
    assert len(kernel) < 0.2 * RATE
