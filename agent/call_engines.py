"""What one call hears, thinks, speaks and shows itself with, and what its caller is told of that."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from avatar.face import Face

from .brain.base import Brain, CanWarmUp
from .pipeline.smart_turn import TurnModel
from .stt.base import SttStream
from .tts.base import TtsEngine, VoiceSpec

Report = Callable[[Exception, str], None]
Slots = dict[str, dict[str, Any]]
"""stt, brain, tts -> what `events.EnginesChanged` says of it."""


@dataclass(slots=True)
class CallEngines:
    """The engines of one call, kept to its end whatever better ones arrive; closed with it."""

    hearing: SttStream
    turn_model: TurnModel
    brain: Brain
    tts: TtsEngine
    voice: VoiceSpec
    face: Face
    own: Slots
    """As they were when the call began."""
    stack: AsyncExitStack
    """Frees what is this call's alone."""
    _news: Slots = field(default_factory=dict)
    _report: Report | None = None
    _on_change: Callable[[Slots], None] | None = None

    def describe(self) -> Slots:
        """Which engines talk, and what is on its way for the next call."""
        return {slot: {**own, **self._news.get(slot, {})} for slot, own in self.own.items()}

    def watch(self, report: Report, on_change: Callable[[Slots], None]) -> None:
        """Tell `report` of failures that were bridged, and `on_change` of every change of `describe`."""
        self._report, self._on_change = report, on_change

    def follow(self, latest: Slots) -> None:
        """Take news of ears and voice: what the server would give a call that begins now."""
        for slot in ("stt", "tts"):
            self._news[slot] = _news_of(latest[slot], self.own[slot])
        self._tell()

    def trouble(self, error: Exception) -> None:
        """A failure of the brain that the spare one bridges."""
        self._news["brain"] = {
            "state": "failed",
            "notice": self.brain.capabilities.notice,
            "problem": str(error),
        }
        if self._report is not None:
            self._report(error, "brain")
        self._tell()

    def recovered(self) -> None:
        """The brain answers again."""
        self._news.pop("brain", None)
        self._tell()

    async def warm_up(self) -> None:
        """Have the brain get ready for the first question; a failure is bridged, and told."""
        if not isinstance(self.brain, CanWarmUp):
            return
        try:
            await self.brain.warm_up()
        except Exception as error:  # whatever it is, the call goes on and the caller hears of it
            self.trouble(error)

    async def aclose(self) -> None:
        """Free all of it; the warm engines behind stay."""
        await self.stack.aclose()

    def _tell(self) -> None:
        if self._on_change is not None:
            self._on_change(self.describe())


def _news_of(latest: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    if latest["state"] == "downloading":
        return {key: latest[key] for key in ("state", "next", "percent") if key in latest}
    if "problem" in latest:
        return {key: latest[key] for key in ("next", "problem") if key in latest}
    return {} if latest["name"] == own["name"] else {"next": latest["name"]}
