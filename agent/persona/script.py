"""What a persona gives to the recogniser: sentences likely to be said, and words to favour."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .schema import Persona
from .template import fill

_HOLE = re.compile(r"\{[a-z][a-z0-9_]*\}")
# Around a key that stands alone ("price"), people put these.
CARRIERS = ("tell me about {}", "what about {}", "what is {}", "i have a question about {}")
COMMON_LINES = (
    "yes", "no", "okay", "yes please", "no thanks", "thank you", "the first one", "the second one",
    "can you repeat that", "say that again please", "sorry what did you say", "are you a robot", "are you real",
    "are you a real person", "are you an ai", "are you a machine", "am i talking to a machine",
)  # fmt: skip


def script_lines(persona: Persona) -> list[str]:
    """Sentences the user is likely to say, most likely first, each once.

    The persona's own lines come last: they lend their words to the recogniser's language model. Names stand in
    their first spelling of `hear`, the others are mishearings; slots as their choices or left out.
    """
    lines: dict[str, None] = {}
    for line in _raw_lines(persona):
        text = " ".join(line.split())
        if text:
            lines.setdefault(_heard(text, persona))
    return list(lines)


def persona_words(persona: Persona) -> list[str]:
    """Names and terms to favour, each once: the persona's names, `hear`, `pronounce`, lore keys."""
    words: dict[str, None] = dict.fromkeys((persona.name, *persona.name.split()))
    for name, spellings in persona.hear.items():
        words |= dict.fromkeys((name, *spellings))
    words |= dict.fromkeys(persona.voice.pronounce)
    words |= dict.fromkeys(key for lore in persona.knowledge.lorebook for key in lore.keys)
    return list(words)


def _raw_lines(persona: Persona) -> Iterator[str]:
    values = {f"vars.{name}": value for name, value in persona.vars.items()} | {"char": persona.name}
    for intent in persona.intents:
        for example in intent.examples:
            yield from _holes_filled(example, persona)
    yield from (line.user for talk in persona.examples for line in talk if line.user)
    for lore in persona.knowledge.lorebook:
        for key in lore.keys:
            yield from (key, *(carrier.format(key) for carrier in CARRIERS))
    yield from COMMON_LINES
    yield from (fill(reply, values) for intent in persona.intents for reply in intent.replies)
    yield from (fill(state.say, values) for state in persona.states.values() if state.say)
    yield from (fill(fact, values) for fact in persona.knowledge.facts)
    yield from (fill(line, values) for line in persona.greeting)


def _holes_filled(example: str, persona: Persona) -> Iterator[str]:
    hole = _HOLE.search(example)
    if hole is None:
        yield example
        return
    slot = persona.brain.slots.get(hole[0].strip("{}"))
    for value in slot.choices if slot and slot.choices else ("",):
        yield from _holes_filled(example.replace(hole[0], value, 1), persona)


def _heard(text: str, persona: Persona) -> str:
    for name, spellings in persona.hear.items():
        if spellings:
            # Split and join, so that nothing in an author's spelling is read as a pattern.
            text = spellings[0].join(re.split(rf"\b{re.escape(name)}\b", text, flags=re.IGNORECASE))
    return text
