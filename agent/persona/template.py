"""`{{vars.x}}` and its few sisters. One pattern of ours and no template engine: people exchange these files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_.]*)\s*\}\}")
PLAIN_NAMES = ("user", "char", "date")


def names_in(text: str) -> Iterator[str]:
    """The names between double braces, in order."""
    return (match[1] for match in PLACEHOLDER.finditer(text))


def fill(text: str, values: Mapping[str, object]) -> str:
    """Put values in place: keys are `vars.x`, `slot.x`, `user`, `char`, `date`; an unknown name becomes nothing."""
    return PLACEHOLDER.sub(lambda match: str(values.get(match[1], "")), text)
