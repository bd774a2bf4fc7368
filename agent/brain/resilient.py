"""A mind that never leaves the caller in silence: when the first one fails, the spare one goes on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing

from avatar.clock import Clock

from ..errors import BrainError
from .base import Brain, BrainCapabilities, BrainEvent, CanWarmUp, Emotion, End, Message, TextDelta

BRIDGE = "Give me a second, I lost my train of thought."
# Long enough that a dead server does not cost every turn its timeout, short enough to come back within the call.
COOL_DOWN_S = 30.0


class ResilientBrain:
    """A Brain of two: `primary` talks, and `spare` while `primary` is down.

    After a failure the spare answers for a while (as long as a rate limit asks, for good when the key or the model
    is wrong), then the primary is tried again.
    """

    def __init__(
        self,
        primary: Brain,
        spare: Brain,
        *,
        clock: Clock,
        on_error: Callable[[BrainError], None],
        on_back: Callable[[], None] | None = None,
        bridge: str = BRIDGE,
    ) -> None:
        """`on_error` hears of each failure once, when it happens; `on_back` when the primary answers again."""
        self._primary = primary
        self._spare = spare
        self._clock = clock
        self._on_error = on_error
        self._on_back = on_back
        self._has_failed = False
        self._bridge = bridge
        self._down_until_s = float("-inf")

    @property
    def is_down(self) -> bool:
        """Whether the spare one answers now."""
        return self._clock.now_s() < self._down_until_s

    @property
    def capabilities(self) -> BrainCapabilities:
        return (self._spare if self.is_down else self._primary).capabilities

    async def respond(self, messages: Sequence[Message]) -> AsyncIterator[BrainEvent]:
        """Answer the conversation; see `Brain.respond`. Fails only when the spare one does."""
        if not self.is_down:
            try:
                async with aclosing(_closing(self._primary.respond(messages))) as events:
                    async for event in events:
                        # An answer with an intent came from a guardrail, not from the model.
                        if isinstance(event, End) and event.intent is None:
                            self._note_success()
                        yield event
                return
            except BrainError as exc:
                self._note(exc)
            yield Emotion({"neutral": 0.7, "surprised": 0.3})
            yield TextDelta(f" {self._bridge} ")
        async with aclosing(_closing(self._spare.respond(messages))) as events:
            async for event in events:
                yield event

    def greeting(self) -> str | None:
        return self._primary.greeting()

    def confidence(self, text: str) -> float:
        return (self._spare if self.is_down else self._primary).confidence(text)

    async def warm_up(self) -> None:
        """Have the primary one get ready, if it can; a failure is noted, and the spare one answers."""
        if not isinstance(self._primary, CanWarmUp) or self.is_down:
            return
        try:
            await self._primary.warm_up()
            self._note_success()
        except BrainError as exc:
            self._note(exc)

    async def aclose(self) -> None:
        try:
            await self._primary.aclose()
        finally:
            await self._spare.aclose()

    def _note_success(self) -> None:
        if self._has_failed:
            self._has_failed = False
            if self._on_back is not None:
                self._on_back()

    def _note(self, exc: BrainError) -> None:
        wait_s = COOL_DOWN_S if exc.retry_after_s is None else max(COOL_DOWN_S, exc.retry_after_s)
        self._down_until_s = self._clock.now_s() + wait_s if exc.retryable else float("inf")
        self._has_failed = True
        self._on_error(exc)


async def _closing(events: AsyncIterator[BrainEvent]) -> AsyncGenerator[BrainEvent, None]:
    """The events, their source closed as soon as this is: a withdrawn turn ends its request at once."""
    try:
        async for event in events:
            yield event
    finally:
        if isinstance(events, AsyncGenerator):
            await events.aclose()
