"""Choices that look free and are the same each time: drawn from a seed, never from chance."""

from __future__ import annotations

import hashlib

from ..persona.schema import Persona
from ..persona.template import fill


def draw(seed: str, key: str, count: int) -> int:
    """A number in 0..count-1; the same for the same seed and key."""
    return int(hashlib.sha256(f"{seed}|{key}".encode()).hexdigest(), 16) % count


def greeting(persona: Persona, *, seed: str, date: str = "") -> str | None:
    """What the persona says first, or None when the user begins."""
    if not persona.greeting:
        return None
    values = {f"vars.{name}": value for name, value in persona.vars.items()}
    line = persona.greeting[draw(seed, "greeting", len(persona.greeting))]
    return fill(line, {**values, "char": persona.name, "date": date})
