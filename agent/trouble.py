"""Failures of a call, surfaced: counted, logged, told to the caller, and when there are too many, the end."""

from __future__ import annotations

import logging
from collections.abc import Callable

from avatar.clock import Clock

from .errors import AgentError
from .events import Error, ServerEvent
from .metrics import CallCounters

logger = logging.getLogger(__name__)

TELL_EVERY_S = 2.0
"""The same failure is told that often at most; all are counted."""
MAX_ERRORS = 200
"""A call that fails so often is of no use to anybody."""


class Troubles:
    """Takes every failure of one call.

    Args:
        session_id: for the log.
        clock: of the call.
        emit: tells the caller.
        counters: where failures are counted by code.
        give_up: ends the call.
    """

    def __init__(
        self,
        session_id: str,
        *,
        clock: Clock,
        emit: Callable[[ServerEvent], None],
        counters: CallCounters,
        give_up: Callable[[], None],
    ) -> None:
        self._session_id = session_id
        self._clock = clock
        self._emit = emit
        self._counters = counters
        self._give_up = give_up
        self._told_s: dict[tuple[str, str], float] = {}

    def report(self, error: Exception, stage: str) -> None:
        """Take a failure; nothing fails in silence."""
        code = error.code if isinstance(error, AgentError) else "internal"
        self._counters.errors[code] += 1
        if self._counters.errors[code] > MAX_ERRORS:
            self._give_up()
        now_s = self._clock.now_s()
        if now_s - self._told_s.get((stage, code), float("-inf")) < TELL_EVERY_S:
            return
        self._told_s[stage, code] = now_s
        logger.warning("%s failed: %s (%s)", stage, code, type(error).__name__, extra={"session": self._session_id})
        self._emit(Error(to_error(error, stage)))


def to_error(error: Exception, stage: str) -> dict[str, object]:
    """A failure as the wire tells it; what is not ours to tell stays in the log."""
    if not isinstance(error, AgentError):
        message = f"{stage} failed inside the server; its log says more"
        return {"type": "error", "code": "internal", "message": message, "retryable": False}
    told: dict[str, object] = {
        "type": "error",
        "code": error.code,
        "message": str(error),
        "retryable": error.retryable,
    }
    if error.retry_after_s is not None:
        told["retry_after_s"] = error.retry_after_s
    return told
