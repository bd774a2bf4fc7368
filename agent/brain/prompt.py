"""From a persona to the system prompt of a language model: a pure function, the stable parts first.

A server's prefix cache lives on the unchanging beginning; lore, which depends on the talk, comes last.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..persona.expressions import emotion_names
from ..persona.schema import Lore, Persona
from ..persona.template import fill
from .base import Message

LANGUAGE_NAMES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "nl": "Dutch"}
# Four letters a token is the usual rule of thumb for English.
CHARS_PER_TOKEN = 4
# A processor reads some 50 tokens a second before the first word; these many answers show the voice well enough.
SHARED_INTENTS_MAX = 24


def system_prompt(persona: Persona, *, language: str = "en", user: str = "the caller", date: str = "") -> str:
    """The part of the prompt that stays the same for a whole call.

    Args:
        persona: who speaks.
        language: BCP 47, what to answer in.
        user: how the caller is called in the texts.
        date: today, as a person says it; "" when no text needs it.
    """
    values = {f"vars.{name}": value for name, value in persona.vars.items()}
    values |= {"char": persona.name, "user": user, "date": date}
    sections = (
        _identity(persona),
        _scenario(persona),
        _style(persona),
        _emotions(persona),
        _guardrails(persona),
        _facts(persona),
        _script(persona),
        f"Language: answer in {LANGUAGE_NAMES.get(language.split('-')[0], language)}.",
        _examples(persona),
    )
    built = "\n\n".join(section for section in sections if section)
    if persona.system:
        built = fill(persona.system, {**values, "original": built})
        # A replaced prompt must still say what it is when asked, and it must still be speakable.
        built += "" if "{{original}}" in persona.system.replace(" ", "") else f"\n\n{_disclosure(persona)}"
    return fill(built, values)


def lore_prompt(persona: Persona, messages: Sequence[Message]) -> str | None:
    """Lore whose keys occur in the last turns, cut at the token budget; None when nothing fits."""
    recent = [message.text for message in messages if message.role != "system"][-persona.knowledge.scan_depth :]
    said = " ".join(recent).casefold()
    found = [entry for entry in persona.knowledge.lorebook if entry.enabled and _applies(entry, said)]
    budget = persona.knowledge.token_budget * CHARS_PER_TOKEN
    lines: list[str] = []
    for entry in sorted(found, key=lambda entry: -entry.priority):
        if len(entry.text) <= budget:
            lines.append(f"- {entry.text}")
            budget -= len(entry.text)
    if not lines:
        return None
    values = {f"vars.{name}": value for name, value in persona.vars.items()}
    return fill("What you know about this:\n" + "\n".join(lines), {**values, "char": persona.name})


def _applies(entry: Lore, said: str) -> bool:
    return entry.always or (_any_in(entry.keys, said) and (not entry.secondary or _any_in(entry.secondary, said)))


def _any_in(keys: Sequence[str], said: str) -> bool:
    return any(re.search(rf"\b{re.escape(key.casefold())}\b", said) for key in keys)


def _identity(persona: Persona) -> str:
    lines = [f"You are {persona.name}.", persona.description.strip()]
    if persona.personality:
        lines.append(f"Personality: {persona.personality.strip()}.")
    return " ".join(line for line in lines if line)


def _scenario(persona: Persona) -> str:
    return f"Situation: {persona.scenario.strip()}" if persona.scenario else ""


def _style(persona: Persona) -> str:
    style = persona.style
    lines = [
        "You are heard, not read: this is a spoken call.",
        f"Answer in at most {style.max_sentences} short sentences unless asked for more; one thought a sentence.",
        "Plain words only: no markdown, no lists, no emojis, no stage directions, no links.",
        "Write numbers, units and signs as they are spoken.",
        "What the caller says comes from a speech recogniser: read past its mistakes, ask back when it makes no sense.",
    ]
    if style.tone:
        lines.append(f"Tone: {style.tone}.")
    lines += [_sentence(rule) for rule in style.rules]
    if style.avoid:
        lines.append(f"Avoid: {', '.join(style.avoid)}.")
    return _section("How you talk", lines)


def _emotions(persona: Persona) -> str:
    names = ", ".join(f"[{name}]" for name in emotion_names(persona))
    return (
        f"Your face shows what you feel. Begin each answer with one tag out of {names}, and put another one before "
        "a sentence where the feeling changes. Tags are never spoken; use no other brackets."
    )


def _guardrails(persona: Persona) -> str:
    lines = [f"Never {rule.rstrip('.')}." for rule in persona.guardrails.never]
    return _section("Limits, whatever the caller says", [*lines, _disclosure(persona)])


def _disclosure(persona: Persona) -> str:
    return f'Asked whether you are a machine, a recording or a person, say: "{persona.guardrails.disclosure}"'


def _facts(persona: Persona) -> str:
    return _section("What you know", list(persona.knowledge.facts))


def _script(persona: Persona) -> str:
    """The script as stage directions: the states of the drill, and what is answered to what."""
    lines: list[str] = []
    for intent in [intent for intent in persona.brain.intents if not intent.scripted_only][:SHARED_INTENTS_MAX]:
        lines.append(f'Asked "{intent.examples[0]}": {intent.replies[0]}')
    for name, state in persona.states.items():
        if state.intents or state.say:
            lines.append(f"Stage {name}:" + (f' begins with "{state.say}"' if state.say else ""))
        for intent in [intent for intent in state.intents if not intent.scripted_only]:
            goto = f" Then stage {intent.goto}." if intent.goto else ""
            when = f" Only if {intent.when}." if intent.when else ""
            lines.append(f'Asked "{intent.examples[0]}": {intent.replies[0]}{when}{goto}')
    if not lines:
        return ""
    drill = persona.brain.drill
    start = f"; begin in stage {drill.start}" if drill and any(s.intents for s in drill.states.values()) else ""
    return _section(f"Your story; keep to its facts and say it in your own words.{start}", lines)


def _examples(persona: Persona) -> str:
    talks = []
    for talk in persona.examples:
        talks.append("\n".join(f"Caller: {t.user}" if t.user else f"{persona.name}: {t.char}" for t in talk))
    return "Examples of how you talk:\n" + "\n---\n".join(talks) if talks else ""


def _section(title: str, lines: Sequence[str]) -> str:
    return f"{title}:\n" + "\n".join(f"- {line}" for line in lines) if lines else ""


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
