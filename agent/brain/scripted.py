"""The mind that needs nothing: it answers from the persona's own script."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from ..persona.expressions import emotion_weights
from ..persona.schema import Persona
from .base import BrainCapabilities, BrainEvent, Emotion, End, Message, TextDelta
from .choice import greeting
from .story import Place, Reply, Story


class ScriptedBrain:
    """A Brain over a `Story`; keeps nothing of the talk, so any turn may be asked for again or withdrawn."""

    def __init__(
        self, persona: Persona, *, seed: str = "0", date: str = "", notice: str = "", story: Story | None = None
    ) -> None:
        """`seed` picks among replies: same seed and same turns give the same words. `story` saves making it anew."""
        self._persona = persona
        self._story = story or Story(persona)
        self._before: tuple[list[str], Place] = ([], self._story.start(date=date))
        """Turns and where they led: a saved part of the sum, never a state of its own."""
        self._seed = seed
        self._date = date
        self._notice = notice or f"{persona.name} talks from a script and knows only that story."

    @property
    def capabilities(self) -> BrainCapabilities:
        return BrainCapabilities("scripted", False, self._notice)

    async def respond(self, messages: Sequence[Message]) -> AsyncIterator[BrainEvent]:
        """Answer the conversation; see `Brain.respond`. Never fails."""
        reply = self.reply(messages)
        weights = emotion_weights(self._persona, reply.emotion or "neutral")
        yield Emotion(weights or {"neutral": 1.0}, reply.gesture)
        yield TextDelta(reply.text)
        yield End(reply.end, reply.intent, reply.score)

    def reply(self, messages: Sequence[Message]) -> Reply:
        """The whole answer at once."""
        turns = [self._meant(lines) for lines in user_turns(messages)]
        if not turns:
            return Reply("")
        known, place = self._before
        if turns[: len(known)] != known or len(known) >= len(turns):
            known, place = [], self._story.start(date=self._date)
        for turn in turns[len(known) : -1]:
            place = self._story.step(place, turn, seed=self._seed)
        # Without the last turn, which may still be withdrawn or grow.
        self._before = (turns[:-1], place)
        return self._story.step(place, turns[-1], seed=self._seed).last or Reply("")

    def _meant(self, lines: tuple[str, ...]) -> str:
        """One turn of several lines: a sentence in pieces, or a new question that replaced the one before."""
        whole = " ".join(lines)
        is_new = len(lines) > 1 and self._story.confidence(lines[-1]) > self._story.confidence(whole)
        return lines[-1] if is_new else whole

    def greeting(self) -> str | None:
        return greeting(self._persona, seed=self._seed, date=self._date)

    def confidence(self, text: str) -> float:
        return self._story.confidence(text)

    async def aclose(self) -> None:
        return None


def user_turns(messages: Sequence[Message]) -> list[tuple[str, ...]]:
    """The user's turns that count; lines in a row are one turn, since the earlier ones never got a reply."""
    turns: list[tuple[str, ...]] = []
    is_open = False
    for message in messages:
        if message.role == "user":
            turns[-1:] = [(*turns[-1], message.text)] if is_open else [*turns[-1:], (message.text,)]
            is_open = True
        elif message.role == "assistant" and message.text.strip():
            is_open = False
    return turns
