"""The port of the mind: a conversation in, words and emotions out, as a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Message:
    """One line of the conversation as it was heard."""

    role: Literal["user", "assistant", "system"]
    text: str


@dataclass(frozen=True, slots=True)
class Emotion:
    """A change of expression, sent before the text it colours."""

    weights: Mapping[str, float]
    """Of neutral happy sad angry surprised fearful, each 0..1."""
    gesture: str | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """Some more words, without emotion tags."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A request for a tool."""

    call_id: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class End:
    """The reply is complete."""

    hang_up: bool = False
    """The persona wants the call to end after this reply."""
    intent: str | None = None
    """Scripted brain: the intent that matched."""
    score: float | None = None


BrainEvent = Emotion | TextDelta | ToolCall | End


@dataclass(frozen=True, slots=True)
class BrainCapabilities:
    """What a brain can do, shown by `visavis doctor` and the page."""

    name: str
    is_free_talk: bool
    """False: knows its story only."""
    notice: str


class Brain(Protocol):
    """One mind for one call."""

    @property
    def capabilities(self) -> BrainCapabilities: ...

    def respond(self, messages: Sequence[Message]) -> AsyncIterator[BrainEvent]:
        """Answer the conversation; the last message is the user's.

        Speculative: may be called for a turn that is then withdrawn, so it must leave no trace.

        Raises:
            BrainError: coded, with what to do.
        """
        ...

    def greeting(self) -> str | None:
        """What the persona says first, or None when the user begins."""
        ...

    def confidence(self, text: str) -> float:
        """How surely the words so far match something the brain knows, 0..1; 0 when it cannot tell."""
        ...

    async def aclose(self) -> None: ...


@runtime_checkable
class CanWarmUp(Protocol):
    """A brain that answers sooner when it was told that a call has begun."""

    async def warm_up(self) -> None:
        """Get ready. Raises BrainError, or notes the failure itself."""
        ...
