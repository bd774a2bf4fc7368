"""What the ear needs around it, as ports: tests bring their own."""

from __future__ import annotations

from typing import Protocol

from ..stt.base import Int16Array


class Detector(Protocol):
    """Voice probabilities of each complete 32 ms."""

    def push(self, samples: Int16Array) -> list[float]: ...


class TurnOracle(Protocol):
    """How surely a turn is over."""

    async def probability(self, samples: Int16Array) -> float: ...


class FloorHolder(Protocol):
    """The agent's voice, as far as the ear may touch it."""

    def hold(self) -> None: ...

    def resume(self) -> None: ...
