"""What we take from pipecat beyond its documented doors; an upgrade that renames it fails here, not in a call."""

import inspect

import numpy as np
import pytest
from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.processors.frameworks.rtvi import observer
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.turns.speculation_gate import SpeculationGate
from pipecat.turns.user_stop import EagerUserTurnStopStrategy

from agent.pipeline.smart_turn import TurnModel, VoiceDetector
from agent.pipeline.wire import Wire

pytestmark = pytest.mark.contract


def test_the_turn_model_answers_with_a_probability():
    assert inspect.signature(LocalSmartTurnAnalyzerV3._predict_endpoint).parameters.keys() == {"self", "audio_array"}
    model = TurnModel()
    try:
        assert 0 <= model.probability_now(np.zeros(16_000, np.int16)) <= 1
    finally:
        model.close()


def test_the_voice_detector_tells_a_voice_from_silence():
    detector = VoiceDetector()
    assert max(detector.push(np.zeros(512 * 10, np.int16))) < 0.3
    assert callable(SileroVADAnalyzer.voice_confidence)


def test_the_speculation_gate_has_the_doors_we_use():
    gate = SpeculationGate(name="test")
    assert gate.is_speculating is False and callable(gate.begin_speculation) and callable(gate.process)


def test_a_turn_may_be_finalised_from_outside():
    assert callable(EagerUserTurnStopStrategy.trigger_user_turn_finalized)


def test_rtvi_takes_spoken_words_from_an_output_transport_and_ours_is_one():
    assert "isinstance(src, BaseOutputTransport)" in inspect.getsource(observer.RTVIObserver.on_push_frame)
    assert issubclass(Wire, BaseOutputTransport)
