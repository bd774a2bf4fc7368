"""The voice detector: a net's answer for every window that has sound, none for silence without any."""

import numpy as np
import pytest

from agent.pipeline.smart_turn import VAD_SAMPLES, VoiceDetector

pytestmark = pytest.mark.unit


class CountingNet:
    """Stands in for Silero."""

    def __init__(self):
        self.num_asked = 0

    def voice_confidence(self, sound):
        self.num_asked += 1
        return np.array([0.9])


@pytest.fixture
def detector():
    detector = VoiceDetector()
    detector._analyzer = CountingNet()
    return detector


def test_every_complete_window_is_judged_across_chunks(detector):
    loud = np.full(320, 2000, np.int16)
    assert [len(detector.push(loud)) for _ in range(8)] == [0, 1, 0, 1, 1, 0, 1, 1]
    assert detector._analyzer.num_asked == 5


@pytest.mark.parametrize("level", [0, 7, -7])
def test_digital_silence_is_no_voice_and_no_work(detector, level):
    assert detector.push(np.full(4 * VAD_SAMPLES, level, np.int16)) == [0.0] * 4
    assert detector._analyzer.num_asked == 0


@pytest.mark.parametrize("level", [64, -64, 32767, -32768])
def test_one_sample_of_sound_is_judged(detector, level):
    sound = np.zeros(VAD_SAMPLES, np.int16)
    sound[100] = level
    assert detector.push(sound) == [0.9]


def test_a_quiet_room_is_not_asked_about_but_a_soft_sound_in_speech_is(detector):
    room = np.full(VAD_SAMPLES, 40, np.int16)
    assert detector.push(room) == [0.0] and detector._analyzer.num_asked == 0
    detector.push(np.full(VAD_SAMPLES, 2000, np.int16))
    assert detector.push(room) == [0.9] and detector._analyzer.num_asked == 2
