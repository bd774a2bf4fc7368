"""How long each phase of a turn took, what was lost, and what each kind of work cost."""

from __future__ import annotations

import os
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


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


def thread_cpu_s() -> dict[str, float]:
    """Seconds of processor time per kind of thread of this process since its start; {} where /proc is not.

    Kinds: MainThread is the event loop; asyncio the codecs of the wire; render, stt, turn our own;
    native what libraries started.
    """
    names = {t.native_id: t.name for t in threading.enumerate()}
    seconds: dict[str, float] = {}
    for stat in Path("/proc/self/task").glob("*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # the thread ended while we looked
        kind = names.get(int(stat.parent.name), "native").partition("_")[0]
        seconds[kind] = seconds.get(kind, 0.0) + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return {kind: round(value, 2) for kind, value in seconds.items()}
