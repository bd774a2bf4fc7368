"""What a script answers: a pure fold over the user's turns.

The transcript is the whole state, so that a cancelled turn, a barge-in, a reconnect on another worker and a
replay need no saved engine state: same turns, same seed, same words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..persona.condition import parse_condition
from ..persona.schema import Intent, Persona, State
from ..persona.template import fill, names_in
from .builtin import asks_if_machine, asks_to_repeat, chosen
from .choice import draw
from .guard import Guard
from .matcher import Match, Matcher, Normaliser
from .slots import HOLE, Pattern, read_value, slot_types

THRESHOLD = 0.44
"""Under it nothing was understood; the best total on two sets of sentences made for it (74 and 125)."""
MARGIN = 0.02
"""Two intents this near each other are told apart by asking."""
SURE = 0.9
"""From here on a close second is not asked about."""
GUESS = 0.36
"""From here up to THRESHOLD the best intent is offered as a question."""
STATE_BONUS = 0.05
"""What is expected now wins over what is understood everywhere."""
NO_STATE = "-"
"""Where a persona without a drill stays."""
FACT_THRESHOLD = 0.4
REPEAT, CLARIFY, KNOWLEDGE = "repeat", "clarify", "knowledge"
"""Names of what is no intent of the author's."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer."""

    text: str
    intent: str | None = None
    """The author's intent id, one of the built-in names, or None for a fallback."""
    score: float | None = None
    emotion: str | None = None
    gesture: str | None = None
    end: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where the talk stands after some turns."""

    state: str = NO_STATE
    turn: int = 0
    slots: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, int] = field(default_factory=dict)
    misses: int = 0
    """Turns in a row that were not understood."""
    offered: tuple[str, ...] = ()
    """Keys of the intents a question just offered."""
    wanted: tuple[str, str] | None = None
    """Key of the intent that waits for a slot, and the slot."""
    last: Reply | None = None
    date: str = ""


@dataclass(frozen=True, slots=True)
class _Scope:
    """What is understood in one state."""

    matcher: Matcher
    patterns: tuple[tuple[str, Pattern], ...]


class Story:
    """A persona's script, made ready once (40 ms for 400 examples) and then only read, by any number of calls."""

    def __init__(self, persona: Persona) -> None:
        self.persona = persona
        self.normalise = Normaliser(persona.hear)
        self._values = {f"vars.{name}": value for name, value in persona.vars.items()}
        self._values |= {"char": persona.name}
        self._intents: dict[str, Intent] = {f"/{intent.id}": intent for intent in persona.brain.intents}
        for name, state in persona.states.items():
            self._intents |= {f"{name}/{intent.id}": intent for intent in state.intents}
        self._conditions = {key: parse_condition(i.when) for key, i in self._intents.items() if i.when}
        self._matchers: dict[tuple[str, ...], Matcher] = {}
        self._scopes = {name: self._scope(name) for name in tuple(persona.states) or (NO_STATE,)}
        self._guard = Guard(persona)
        lore = [entry for entry in persona.knowledge.lorebook if entry.enabled]
        self._lore = sorted(lore, key=lambda entry: -entry.priority)
        self._facts = Matcher(((fact, fact) for fact in persona.knowledge.facts), self.normalise)
        self._pairs = Matcher(_example_pairs(persona), self.normalise)
        self._everything = self._matcher(self._intents)

    def start(self, *, date: str = "") -> Place:
        """Before the user's first word; `date` is today as a person says it."""
        return Place(state=self.persona.brain.drill.start if self.persona.brain.drill else NO_STATE, date=date)

    def reply(self, turns: Sequence[str], *, seed: str) -> Reply | None:
        """The answer to the last of the user's turns; None without turns."""
        return self.place(turns, seed=seed).last

    def place(self, turns: Sequence[str], *, seed: str) -> Place:
        """Where the talk stands after these turns of the user."""
        place = self.start()
        for text in turns:
            place = self.step(place, text, seed=seed)
        return place

    def confidence(self, text: str) -> float:
        """How surely a text is one of the script's, 0..1, in whatever state."""
        patterns = (pattern for scope in self._scopes.values() for _, pattern in scope.patterns)
        if asks_if_machine(text) or any(pattern.find(text) for pattern in patterns):
            return 1.0
        ranked = self._everything.rank(text)
        return ranked[0].score if ranked else 0.0

    def step(self, place: Place, text: str, *, seed: str) -> Place:
        """One turn of the user."""
        place = replace(place, turn=place.turn + 1)
        if guarded := self._guard.answer(text):
            return self._say(place, Reply(guarded[1], guarded[0], 1.0))
        if place.last is not None and asks_to_repeat(text):
            return self._say(place, replace(place.last, intent=REPEAT, score=1.0, end=False))
        return (
            self._answer_to_question(place, text, seed)
            or self._pattern(place, text, seed)
            or self._matched(place, text, seed)
        )

    def _answer_to_question(self, place: Place, text: str, seed: str) -> Place | None:
        if place.wanted:
            key, name = place.wanted
            value = read_value(text, self.persona.brain.slots[name], name)
            # "what is your name" is no name: what the script knows well is not swallowed as a value.
            if value is not None and self.confidence(text) < SURE:
                return self._take(replace(place, slots={**place.slots, name: value}), key, None, seed)
        if place.offered:
            index = chosen(text, len(place.offered))
            if index is not None and index >= 0:
                return self._take(place, place.offered[index], None, seed)
        return None

    def _pattern(self, place: Place, text: str, seed: str) -> Place | None:
        for key, pattern in self._scopes[place.state].patterns:
            if self._is_open(key, place) and (found := pattern.find(text)) is not None:
                return self._take(replace(place, slots={**place.slots, **found}), key, 1.0, seed)
        return None

    def _matched(self, place: Place, text: str, seed: str) -> Place:
        ranked = self._ranked(place, text)
        top = ranked[0] if ranked else None
        second = ranked[1] if len(ranked) > 1 else None
        if top and top.score >= THRESHOLD:
            if second and second.score >= THRESHOLD and top.score - second.score < MARGIN and top.score < SURE:
                return self._offer(place, (top, second))
            return self._take(place, top.key, min(1.0, top.score), seed)
        known = self._known(place, text)
        if known:
            return known
        if top and top.score >= GUESS and not place.offered:
            return self._offer(place, (top,))
        return self._fallback(place, top.score if top else 0.0)

    def _ranked(self, place: Place, text: str) -> list[Match]:
        prefix = f"{place.state}/"
        matches = [
            replace(match, score=match.score + STATE_BONUS) if match.key.startswith(prefix) else match
            for match in self._scopes[place.state].matcher.rank(text)
            if self._is_open(match.key, place)
        ]
        return sorted(matches, key=lambda match: -match.score)

    def _is_open(self, key: str, place: Place) -> bool:
        condition = self._conditions.get(key)
        return condition is None or condition.holds(turn=place.turn, slots=place.slots, seen=place.seen)

    def _take(self, place: Place, key: str, score: float | None, seed: str) -> Place:
        """Answer an intent, or ask for what its answer needs."""
        intent = self._intents[key]
        for name in intent.slots:
            ask = self.persona.brain.slots[name].ask
            if name not in place.slots and ask:
                asked = self._say(place, Reply(self._fill(ask, place), intent.id, score, intent.emotion))
                return replace(asked, wanted=(key, name))
        text = self._fill(self._choose(intent, place, seed), place)
        seen = {**place.seen, intent.id: place.seen.get(intent.id, 0) + 1}
        place = replace(place, seen=seen)
        return self._enter(place, intent.goto, Reply(text, intent.id, score, intent.emotion, intent.gesture))

    def _enter(self, place: Place, state: str | None, reply: Reply) -> Place:
        """Say a reply on the way into a state (None stays)."""
        if state is None or state == place.state:
            return self._say(place, reply)
        entered: State = self.persona.states[state]
        # Who was not understood is not sent on with a hint that can no longer be used.
        before = "" if reply.intent is None and entered.say else reply.text
        words = f"{before} {self._fill(entered.say or '', place)}".strip()
        return self._say(replace(place, state=state), replace(reply, text=words, end=entered.end))

    def _choose(self, intent: Intent, place: Place, seed: str) -> str:
        """A seeded first reply, then the others in turn, so that no joke comes twice before all were told."""
        can = [r for r in intent.replies if all(self._has(name, place) for name in names_in(r))] or [intent.replies[0]]
        return can[(draw(seed, intent.id, len(can)) + place.seen.get(intent.id, 0)) % len(can)]

    def _has(self, name: str, place: Place) -> bool:
        return not name.startswith("slot.") or name.removeprefix("slot.") in place.slots

    def _offer(self, place: Place, matches: Sequence[Match]) -> Place:
        options = " or ".join(f"{_quoted(HOLE.sub('', match.example))}" for match in matches)
        offer = self._say(place, Reply(f"Did you mean: {options}?", CLARIFY, matches[0].score, "curious"))
        return replace(offer, offered=tuple(match.key for match in matches))

    def _known(self, place: Place, text: str) -> Place | None:
        """An answer from lore, facts or example talks when no intent matches."""
        said = f" {self.normalise(text)} "
        for entry in self._lore:
            hit = any(f" {self.normalise(key)} " in said for key in entry.keys)
            if hit and (not entry.secondary or any(f" {self.normalise(key)} " in said for key in entry.secondary)):
                return self._tell(place, entry.text, 1.0)
        for matcher, threshold in ((self._facts, FACT_THRESHOLD), (self._pairs, THRESHOLD)):
            ranked = matcher.rank(text)
            if ranked and ranked[0].score >= threshold:
                return self._tell(place, ranked[0].key, ranked[0].score)
        return None

    def _tell(self, place: Place, text: str, score: float) -> Place:
        """One sentence at a time; asked again, the next one."""
        sentences = re.split(r"(?<=[.!?])\s+", self._fill(text, place))
        count = place.seen.get(text, 0)
        place = replace(place, seen={**place.seen, text: count + 1})
        return self._say(place, Reply(sentences[count % len(sentences)], KNOWLEDGE, score))

    def _fallback(self, place: Place, score: float) -> Place:
        state = self.persona.states.get(place.state)
        lines = (state.fallback if state else ()) or self.persona.brain.fallback or (self._own_fallback(),)
        text = self._fill(lines[min(place.misses, len(lines) - 1)], place)
        misses = place.misses + 1
        reply = Reply(text, None, score, "sorry")
        if state and state.after_fallbacks and misses >= state.after_fallbacks.count:
            return self._enter(place, state.after_fallbacks.goto, reply)
        return replace(self._say(place, reply), misses=misses)

    def _own_fallback(self) -> str:
        asks = [HOLE.sub("", intent.examples[0]).strip() for intent in self._intents.values()][:2]
        known = " or ".join(_quoted(ask) for ask in asks)
        return "I only know my own story." + (f" You could ask me: {known}" if known else "")

    def _say(self, place: Place, reply: Reply) -> Place:
        return replace(place, misses=0, offered=(), wanted=None, last=reply)

    def _fill(self, text: str, place: Place) -> str:
        known = {f"slot.{name}": value for name, value in place.slots.items()}
        known |= {"user": place.slots.get("name", ""), "date": place.date}
        return fill(text, {**self._values, **known})

    def _scope(self, state: str) -> _Scope:
        keys = {key: intent for key, intent in self._intents.items() if key.split("/")[0] in ("", state)}
        # What belongs to the state comes first, so that equal scores go to it.
        ordered = dict(sorted(keys.items(), key=lambda item: item[0].startswith("/")))
        patterns = [
            (key, Pattern(example, slot_types(self.persona.brain.slots, intent.slots)))
            for key, intent in ordered.items()
            for example in intent.examples
            if HOLE.search(example)
        ]
        return _Scope(self._matcher(ordered), tuple(patterns))

    def _matcher(self, intents: Mapping[str, Intent]) -> Matcher:
        """Scopes with the same intents share one index."""
        keys = tuple(intents)
        if keys not in self._matchers:
            # An example with a hole is a pattern; without its value it would match too much.
            pairs = [(k, e) for k, intent in intents.items() for e in intent.examples if not HOLE.search(e)]
            self._matchers[keys] = Matcher(pairs, self.normalise)
        return self._matchers[keys]


def _quoted(example: str) -> str:
    return example.strip().rstrip("?.!")


def _example_pairs(persona: Persona) -> list[tuple[str, str]]:
    """(answer, question) of the example talks."""
    pairs = []
    for talk in persona.examples:
        for first, second in zip(talk, talk[1:], strict=False):
            if first.user and second.char:
                pairs.append((second.char, first.user))
    return pairs
