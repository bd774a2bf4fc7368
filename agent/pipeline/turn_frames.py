"""pipecat's eager turn strategies, with one thing added: a turn in which nothing was understood ends too."""

from __future__ import annotations

from pipecat.frames.frames import Frame
from pipecat.turns.types import ProcessFrameResult
from pipecat.turns.user_start import ExternalUserTurnStartStrategy
from pipecat.turns.user_stop import EagerUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies

from .frames import EmptyTurnFrame


class EarTurnStop(EagerUserTurnStopStrategy):
    """Ends the turn when the ear says so, with or without words."""

    async def process_frame(self, frame: Frame) -> ProcessFrameResult:
        result = await super().process_frame(frame)
        if isinstance(frame, EmptyTurnFrame):
            await self.trigger_user_turn_finalized()
        return result


def ear_turn_strategies() -> UserTurnStrategies:
    """The ear decides; pipecat opens the turn, interrupts, speculates, releases."""
    return UserTurnStrategies(start=[ExternalUserTurnStartStrategy()], stop=[EarTurnStop(speculation_timeout=4.0)])
