"""What is answered before any mind is asked: refused words, and the question whether this is a machine.

Neither a script nor a language model nor a prompt of the author's can take it away.
"""

from __future__ import annotations

import re

from ..persona.schema import Persona
from ..persona.template import fill
from .builtin import asks_if_machine
from .matcher import Normaliser, plain

DISCLOSURE, REFUSED = "disclosure", "refused"


class Guard:
    """The guardrails of one persona."""

    def __init__(self, persona: Persona) -> None:
        self._normalise = Normaliser(persona.hear)
        self._disclosure = persona.guardrails.disclosure
        self._refusals = [(_pattern(r.match, self._normalise), r.say) for r in persona.guardrails.refuse]
        self._values = {f"vars.{name}": value for name, value in persona.vars.items()} | {"char": persona.name}

    def answer(self, text: str) -> tuple[str, str] | None:
        """(DISCLOSURE or REFUSED, words to say), or None when the mind may answer."""
        # First, or an author could refuse the question.
        if asks_if_machine(text):
            return DISCLOSURE, fill(self._disclosure, self._values)
        said = self._normalise(text)
        for pattern, words in self._refusals:
            if pattern.search(said):
                return REFUSED, fill(words, self._values)
        return None


def _pattern(match: str, normalise: Normaliser) -> re.Pattern[str]:
    """Words on word borders; `*` stands for any words between."""
    parts = [re.escape(normalise(part)) for part in match.split("*") if plain(part)]
    # A pattern without a word would refuse everything.
    return re.compile(r"\b" + r"\b.*?\b".join(parts) + r"\b" if parts else r"(?!)")
