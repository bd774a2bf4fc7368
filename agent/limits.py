"""When a call has to end by itself, and when its persona breaks the silence. Pure: the time is told."""

from __future__ import annotations

from dataclasses import dataclass

from .config import ServerConfig
from .persona.schema import Idle


@dataclass(slots=True)
class CallLimits:
    """The times of one call, seconds of its clock."""

    config: ServerConfig
    max_minutes: float
    created_s: float
    active_s: float | None = None
    """The first connection stood."""
    lost_s: float | None = None
    """The caller was lost and has not come back."""
    quiet_s: float = 0.0
    """Last time anything happened."""
    num_broken_silences: int = 0

    def connected(self, now_s: float) -> None:
        """The wire stands."""
        if self.active_s is None:
            self.active_s = self.quiet_s = now_s
        elif self.lost_s is not None:
            self.quiet_s = now_s  # nobody could say anything meanwhile
        self.lost_s = None

    def lost(self, now_s: float) -> None:
        """The wire is gone."""
        if self.lost_s is None:
            self.lost_s = now_s

    def seconds(self, now_s: float) -> float:
        """How long the call has been active."""
        return 0.0 if self.active_s is None else now_s - self.active_s

    def end_reason(self, now_s: float) -> str | None:
        """Why the call has to end now, or None."""
        if self.active_s is None:
            return "connect_timeout" if now_s - self.created_s > self.config.connect_timeout_s else None
        if self.lost_s is not None and now_s - self.lost_s > self.config.on_disconnect_s:
            return "disconnected"
        if self.seconds(now_s) > self.max_minutes * 60:
            return "max_duration"
        is_idle = self.lost_s is None and 0 < self.config.idle_timeout_s < now_s - self.quiet_s
        return "idle_timeout" if is_idle else None

    def silence_breaker(self, idle: Idle | None, now_s: float) -> str | None:
        """What the persona says because the user has been silent for long, if its author wished so."""
        if idle is None or not idle.after_s or not idle.say or self.num_broken_silences >= idle.times_max:
            return None
        if self.active_s is None or self.lost_s is not None or now_s - self.quiet_s <= idle.after_s:
            return None
        self.quiet_s = now_s
        self.num_broken_silences += 1
        return idle.say[(self.num_broken_silences - 1) % len(idle.say)]
