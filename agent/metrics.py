"""How long each phase of a turn took, and what was lost, in numbers a person can read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class TurnMarks:
    """Moments of one turn, seconds of the call's clock; None until they happen."""

    speech_ended_s: float | None = None
    """Last speech of the user (typed turns: when the text came)."""
    committed_s: float | None = None
    stt_ms: float | None = None
    brain_asked_s: float | None = None
    first_text_s: float | None = None
    voice_asked_s: float | None = None
    first_sound_s: float | None = None
    """The voice's first chunk was made."""
    first_played_s: float | None = None
    """The first voiced unit left for the caller."""
    first_frame_s: float | None = None
    """Its picture left."""
    interrupt_ms: float | None = None

    def to_wire(self) -> dict[str, int | None]:
        """The phases in whole milliseconds, null when not measured (names of the API)."""
        values = {
            "endpoint_ms": _ms(self.speech_ended_s, self.committed_s),
            "stt_ms": self.stt_ms,
            "ttft_ms": _ms(self.brain_asked_s, self.first_text_s),
            "ttfb_ms": _ms(self.voice_asked_s, self.first_sound_s),
            "ttfa_ms": _ms(self.speech_ended_s, self.first_played_s),
            "ttff_ms": _ms(self.speech_ended_s, self.first_frame_s),
            "voice_to_voice_ms": _ms(self.speech_ended_s, self.first_played_s),
            "interrupt_ms": self.interrupt_ms,
        }
        return {name: None if value is None else round(value) for name, value in values.items()}


def _ms(start_s: float | None, end_s: float | None) -> float | None:
    return None if start_s is None or end_s is None else (end_s - start_s) * 1000


@dataclass(slots=True)
class CallCounters:
    """What one call counted: everything that was dropped, with its reason."""

    dropped: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    turns: int = 0
    interruptions: int = 0
    held: int = 0
    """Barge-ins that were held; those not in `interruptions` were backchannels, echo or noise."""
