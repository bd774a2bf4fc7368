"""A voice's chunks become the face's sound: resampled once to the media clock, events placed in ticks."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import soxr

from avatar.media import MEDIA_CLOCK_RATE, AudioChunk, Int16Array, PhonemeCue

from ..tts.base import SpeechChunk, SpeechEvent

RESAMPLER_TICKS = 9600
"""200 ms: more than any resampler holds back."""


class SoundSink(Protocol):
    """The part of a Face that takes sound."""

    def push_audio(self, chunk: AudioChunk, cues: list[PhonemeCue], *, response_id: str, utterance_id: str) -> None: ...

    def end_utterance(self, utterance_id: str) -> None: ...


class SpokenSound:
    """One utterance on its way from the voice to the face."""

    def __init__(self, face: SoundSink, *, response_id: str, utterance_id: str) -> None:
        self._face = face
        self.response_id = response_id
        self.utterance_id = utterance_id
        self._resampler: soxr.ResampleStream | None = None
        self.num_ticks = 0
        """Sound given to the face so far."""

    def num_ticks_of(self, chunk: SpeechChunk) -> int:
        """How much room a chunk may need: the resampler holds a little back and gives it out later."""
        return round(len(chunk.samples) * MEDIA_CLOCK_RATE / chunk.sample_rate_hz) + RESAMPLER_TICKS

    def push(self, chunk: SpeechChunk) -> list[tuple[SpeechEvent, int, int]]:
        """Give a chunk to the face; returns its words, each with its start and end in ticks."""
        samples = chunk.samples
        if chunk.sample_rate_hz != MEDIA_CLOCK_RATE:
            if self._resampler is None:
                self._resampler = soxr.ResampleStream(chunk.sample_rate_hz, MEDIA_CLOCK_RATE, 1, dtype="int16")
            samples = self._resampler.resample_chunk(samples)
        scale = MEDIA_CLOCK_RATE / chunk.sample_rate_hz
        cues, words = [], []
        for event in chunk.events:
            start, length = round(event.sample * scale), round(event.num_samples * scale)
            if event.kind == "phoneme":
                cues.append(PhonemeCue(event.symbol, chunk.alphabet, start, length))
            else:
                words.append((event, start, start + length))
        self._push(samples, cues)
        return words

    def finish(self) -> int:
        """All sound of the utterance has come; returns its length in ticks."""
        if self._resampler is not None:
            self._push(self._resampler.resample_chunk(np.zeros(0, np.int16), last=True), [])
            self._resampler = None
        self._face.end_utterance(self.utterance_id)
        return self.num_ticks

    def _push(self, samples: Int16Array, cues: list[PhonemeCue]) -> None:
        chunk = AudioChunk(np.ascontiguousarray(samples, np.int16), MEDIA_CLOCK_RATE, self.num_ticks)
        self.num_ticks += len(samples)
        self._face.push_audio(chunk, cues, response_id=self.response_id, utterance_id=self.utterance_id)
