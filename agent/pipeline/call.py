"""What the stages of one call share: where events go, what the agent is doing, the marks of the turn."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from avatar.clock import Clock
from avatar.media import Activity

from ..events import AvatarState, ServerEvent
from ..metrics import CallCounters, TurnMarks

RECENT_AGENT_WORDS = 40
"""About 12 s of speech: an echo that comes later is no echo."""


def _set_event() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass(slots=True)
class Call:
    """One call as its stages see it. Everything runs on the call's event loop."""

    clock: Clock
    emit: Callable[[ServerEvent], None]
    """Send an event to the caller."""
    report: Callable[[Exception, str], None]
    """Surface a failure: the exception and the stage it happened in."""
    marks: TurnMarks = field(default_factory=TurnMarks)
    counters: CallCounters = field(default_factory=CallCounters)
    activity: Activity = Activity.IDLE
    is_agent_speaking: bool = False
    agent_words: deque[str] = field(default_factory=lambda: deque(maxlen=RECENT_AGENT_WORDS))
    on_activity: Callable[[Activity], None] | None = None
    on_reply: Callable[[TurnMarks], None] | None = None
    """Told the phases of each reply when it is over."""
    interruption_over: asyncio.Event = field(default_factory=_set_event)
    """Set when an interruption has passed the last stage, so that memory holds what was heard."""
    _ordinal: int = 0

    def next_response_id(self) -> tuple[str, int]:
        """A new response's id and ordinal."""
        self._ordinal += 1
        return f"res_{self._ordinal}", self._ordinal

    @property
    def recent_agent_text(self) -> str:
        return " ".join(self.agent_words)

    def set_activity(self, activity: Activity) -> None:
        """Tell the face and the caller what the avatar does now."""
        if activity is self.activity:
            return
        self.activity = activity
        if self.on_activity is not None:
            self.on_activity(activity)
        self.emit(AvatarState(activity.value))
