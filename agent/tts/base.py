"""The port of the voice: a sentence in, sound with exact phoneme and word times out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

Int16Array = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class VoiceSpec:
    """How to speak; engine-neutral, as written in a persona."""

    engine: Literal["auto", "piper", "flite", "espeak"] = "auto"
    id: str = "default"
    """The engine's own voice name, or "default" / "female" / "male"."""
    rate: float = 1.0
    """0.5..2, 1 = the voice's pleasant pace."""
    pitch_semitones: float = 0.0
    """-12..12."""
    volume: float = 1.0
    """0..1."""
    speaker: int | None = None
    language: str = "en"
    pronounce: Mapping[str, str] = field(default_factory=dict)
    """Word -> respelling or [[phonemes]]."""


@dataclass(frozen=True, slots=True)
class SpeechEvent:
    """A phoneme or word with its place in the utterance."""

    kind: Literal["phoneme", "word"]
    sample: int
    """First sample, at the chunk's rate, from the start of the utterance."""
    num_samples: int
    symbol: str
    """Phoneme in `SpeechChunk.alphabet`, or the word itself as written in the text."""
    text_position: int = -1
    """Words: index of the first character in the text spoken; else -1."""
    length: int = 0
    """Words: number of characters."""


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """A run of mono sound of one utterance; chunks come in order without holes.

    Every event whose span begins inside or before a chunk comes with that chunk or earlier, and
    phonemes of the next 300 ms come early when the engine knows them (lips need to see ahead).
    """

    samples: Int16Array
    sample_rate_hz: int
    sample: int
    """Index of the first sample in the utterance."""
    alphabet: Literal["espeak", "cmu", "ipa"]
    events: tuple[SpeechEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class VoiceInfo:
    """One voice an engine offers."""

    engine: str
    id: str
    language: str
    licence: str
    sample_rate_hz: int
    gender: Literal["female", "male", "unknown"] = "unknown"


@dataclass(frozen=True, slots=True)
class TtsCapabilities:
    """What an engine can do, shown by `visavis doctor` and the page."""

    name: str
    voices: tuple[VoiceInfo, ...]
    has_phonemes: bool
    notice: str


class TtsEngine(Protocol):
    """The voices of one process."""

    @property
    def capabilities(self) -> TtsCapabilities: ...

    async def start(self) -> None:
        """Start and warm up. Raises TtsError saying what is missing and what to do."""
        ...

    def speak(self, text: str, voice: VoiceSpec, *, utterance_id: str) -> AsyncIterator[SpeechChunk]:
        """Speak one sentence; closing the iterator early cancels the work.

        Raises:
            TtsError: the engine failed (it restarts by itself; the next call works again).
        """
        ...

    async def cancel(self, utterance_id: str) -> None:
        """Stop an utterance: no further chunk of it arrives after this returns; idempotent."""
        ...

    async def aclose(self) -> None: ...
