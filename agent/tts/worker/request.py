# Part of the Visavis speech worker, a program of its own. Copyright (C) 2026 the Visavis authors.
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one `speak` command asks for, and what every engine of this program can do."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from utterance import Utterance

JITTER = 0.03
"""Each sentence is that much slower or faster, higher or lower: a voice that never varies is a machine."""
MAX_TEXT_CHARS = 4000
CALIBRATION = "The quick brown fox jumps over the lazy dog, and we all watch them run home."
"""Spoken once, unheard, to learn how loud a voice is."""


class SpeakError(Exception):
    """An utterance cannot be spoken; `code` is stable, the text says what to do."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Request:
    """One utterance to speak."""

    text: str
    voice: str
    rate: float = 1.0
    pitch_semitones: float = 0.0
    volume: float = 1.0
    speaker: int | None = None
    seed: int = 0
    pronounce: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_header(cls, header: dict[str, Any]) -> Request:
        """Read a `speak` command, its numbers held to their ranges.

        Raises:
            SpeakError: the text is missing or too long.
        """
        text = str(header.get("text", ""))
        if len(text) > MAX_TEXT_CHARS:
            raise SpeakError("tts-text-too-long", f"{len(text)} characters at once; split at {MAX_TEXT_CHARS}")
        speaker = header.get("speaker")
        return cls(
            text=text,
            voice=str(header.get("voice", "")),
            rate=min(2.0, max(0.5, float(header.get("rate", 1.0)))),
            pitch_semitones=min(12.0, max(-12.0, float(header.get("pitch_semitones", 0.0)))),
            volume=min(1.0, max(0.0, float(header.get("volume", 1.0)))),
            speaker=None if speaker is None else int(speaker),
            seed=int(header.get("seed", 0)),
            pronounce={str(word): str(how) for word, how in dict(header.get("pronounce") or {}).items()},
        )

    def jitter(self) -> tuple[float, float]:
        """Factors for rate and pitch of this sentence, from its seed."""
        source = random.Random(self.seed)
        return 1 + source.uniform(-JITTER, JITTER), 1 + source.uniform(-JITTER, JITTER)


Begin = Callable[[int, str, Any], Utterance]
"""Called by an engine with (rate in Hz, alphabet, Polish) when it knows them; opens the utterance."""


class Engine(Protocol):
    """A maker of voices; used by one thread only."""

    def voices(self) -> list[dict[str, Any]]: ...

    def load(self, voice: str) -> None:
        """Make ready to speak with a voice. Raises SpeakError."""
        ...

    def speak(self, request: Request, begin: Begin) -> int:
        """Speak; returns the number of samples. Raises SpeakError."""
        ...
