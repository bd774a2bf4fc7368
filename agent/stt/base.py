"""The port of recognition: sound of one turn in, words out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

SAMPLE_RATE_HZ = 16_000
Int16Array = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was understood."""

    text: str
    confidence: float = 1.0
    """0..1; under 0.5 the page says "I heard: ..."."""
    language: str = "en"


@dataclass(frozen=True, slots=True)
class SttCapabilities:
    """What an engine can do, shown by `visavis doctor` and the page."""

    name: str
    is_dictation: bool
    """False: knows the persona's script only."""
    has_partials: bool
    languages: tuple[str, ...]
    notice: str
    """One plain sentence for the caller: what this engine means for the talk."""


class SttStream(Protocol):
    """The hearing of one call. Used from one task at a time."""

    def push(self, samples: Int16Array) -> None:
        """Add sound of the current turn: int16[n] at 16 kHz. Never blocks for more than 5 ms."""
        ...

    async def partial(self) -> str | None:
        """What is understood so far in this turn, or None when the engine is busy or has nothing."""
        ...

    async def transcribe(self) -> Transcript:
        """All sound pushed since `reset`. May be called again after more sound was pushed.

        Raises:
            SttError: the engine failed; the stream stays usable after `reset`.
        """
        ...

    def reset(self) -> None:
        """Forget the turn's sound; what was learnt of the microphone is kept."""
        ...

    async def aclose(self) -> None:
        """Free the stream; idempotent."""
        ...


class SttEngine(Protocol):
    """One warm recogniser per process, shared by its calls."""

    @property
    def capabilities(self) -> SttCapabilities: ...

    async def start(self) -> None:
        """Load and warm up, in a thread. Raises SttError saying what is missing and what to do."""
        ...

    async def open(self, *, script: Sequence[str], words: Sequence[str], language: str) -> SttStream:
        """Open the hearing of one call.

        Args:
            script: sentences likely to be said (the persona's examples, keys, replies).
            words: names and terms to favour.
            language: BCP 47.
        """
        ...

    async def aclose(self) -> None: ...
