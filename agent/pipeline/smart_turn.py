"""The two small nets that ship with pipecat: is this a voice (Silero), is this turn over (smart-turn v3.2).

pipecat keeps the turn net behind a private method; it is touched here only, and
`tests/contracts/test_pipecat_names.py` fails when an upgrade renames it.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3
from pipecat.audio.vad.silero import SileroVADAnalyzer

from ..stt.base import SAMPLE_RATE_HZ, Int16Array

VAD_SAMPLES = 512
VAD_MS = 32
TURN_SECONDS = 8
MUTED_PEAK = 8
"""Of 32767: nothing but dither; no voice, whatever came before."""
QUIET_PEAK = 64
"""-54 dBFS: the room behind a silent caller. The net is not asked while nobody speaks; within speech it is."""
CALM_P = 0.1


class VoiceDetector:
    """Silero over one call's sound; it keeps state, so every call has its own."""

    def __init__(self) -> None:
        self._analyzer = SileroVADAnalyzer(sample_rate=SAMPLE_RATE_HZ)
        self._analyzer.set_sample_rate(SAMPLE_RATE_HZ)
        self._left = np.zeros(0, np.int16)
        self._last_p = 0.0

    def push(self, samples: Int16Array) -> list[float]:
        """Voice probabilities of every 32 ms that is now complete; 0.2 ms of work each."""
        self._left = np.concatenate([self._left, samples])
        probabilities = []
        while len(self._left) >= VAD_SAMPLES:
            probabilities.append(self._probability(self._left[:VAD_SAMPLES]))
            self._left = self._left[VAD_SAMPLES:]
        return probabilities

    def _probability(self, window: Int16Array) -> float:
        limit = QUIET_PEAK if self._last_p < CALM_P else MUTED_PEAK
        if -limit < window.min() and window.max() < limit:
            self._last_p = 0.0  # a silent caller costs nothing
        else:
            self._last_p = float(np.ravel(self._analyzer.voice_confidence(window.tobytes()))[0])
        return self._last_p


class TurnModel:
    """smart-turn, loaded once a process; about 40 ms a question, in a thread of its own."""

    def __init__(self) -> None:
        self._analyzer = LocalSmartTurnAnalyzerV3(sample_rate=SAMPLE_RATE_HZ, cpu_count=1)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="turn")

    async def probability(self, samples: Int16Array) -> float:
        """How surely the speaker has finished.

        Args:
            samples: int16[n] at 16 kHz, the turn up to now with its silence; the last 8 s count.
        """
        return await asyncio.get_running_loop().run_in_executor(self._executor, self.probability_now, samples)

    def probability_now(self, samples: Int16Array) -> float:
        """The same on the calling thread."""
        tail = samples[-TURN_SECONDS * SAMPLE_RATE_HZ :].astype(np.float32) / 32768
        return float(self._analyzer._predict_endpoint(tail)["probability"])

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
