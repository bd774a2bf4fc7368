"""One fault in a persona file, with its place and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ..errors import PersonaError

Location = tuple[str | int, ...]
"""Keys and indices from the top of the file to a value."""
Level = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault. An error keeps the file from loading, a warning and an info do not."""

    file: str
    line: int
    """From 1."""
    column: int
    """From 1."""
    level: Level
    code: str
    path: str
    """Dotted, "" for the file as a whole."""
    text: str
    hint: str = ""
    source_line: str = ""

    def __str__(self) -> str:
        subject = f" {self.path}:" if self.path else ""
        hint = f" - {self.hint}" if self.hint else ""
        head = f"{self.file}:{self.line}:{self.column}: {self.level}[{self.code}]{subject} {self.text}{hint}"
        if not self.source_line.strip():
            return head
        return f"{head}\n    {self.source_line}\n    {' ' * (self.column - 1)}^"


class PersonaFileError(PersonaError):
    """A persona file has errors; the text lists all of them, `problems` holds them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint naming the closest of `known`, or "" when none is close."""
    close = difflib.get_close_matches(word, list(known), 1, 0.65)
    return f"did you mean '{close[0]}'?" if close else ""


def dotted(location: Location) -> str:
    """`("brain", "intents", 0, "id")` -> `"brain.intents.0.id"`."""
    return ".".join(str(part) for part in location)
