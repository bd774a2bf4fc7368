"""What a script learns from the user: `my name is {name}` and answers to a question for it."""

from __future__ import annotations

import re

from ..persona.schema import Slot, SlotType

HOLE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_LEAD = re.compile(
    r"^(?:(?:well|um|uh|yes|okay|ok|sure)[, ]+)*"
    r"(?:(?:it is|it's|its|that is|that's|this is|i am|i'm|my name is|they call me|call me|about|around|maybe|say|the)"
    r"\s+)*",
    re.IGNORECASE,
)
_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_SMALL = {word: n for n, word in enumerate(_UNITS)} | {word: 10 * (n + 2) for n, word in enumerate(_TENS)}
_MANY = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
# Longer free answers are sentences and no values.
MAX_TEXT_WORDS = 4


class Pattern:
    """An example with holes, such as `my name is {name}`."""

    def __init__(self, example: str, types: dict[str, Slot]) -> None:
        self.names = tuple(HOLE.findall(example))
        self._types = types
        parts = HOLE.split(_clean(example))
        whole = "".join(self._group(p, "{0,2}") if n % 2 else _words(p) for n, p in enumerate(parts))
        short = "".join(self._group(p, "{0,0}") if n % 2 else _words(p) for n, p in enumerate(parts))
        self._whole = re.compile(rf"^(?:.*\b)?{whole.strip()}$", re.IGNORECASE)
        self._short = re.compile(rf"^(?:.*\b)?{short.strip()}\b", re.IGNORECASE)

    @staticmethod
    def _group(name: str, more: str) -> str:
        return rf"(?P<{name}>[\w'-]+(?:\s[\w'-]+){more})"

    def find(self, text: str) -> dict[str, str] | None:
        """The values in a sentence, or None when it is another sentence or a value is of the wrong type."""
        clean = _clean(text)
        # First with the sentence ending in the value, then one word of value with more behind it.
        match = self._whole.match(clean) or self._short.match(clean)
        if not match:
            return None
        found = {name: read_value(match[name], self._types.get(name, Slot()), name) for name in self.names}
        return {name: value for name, value in found.items() if value} if all(found.values()) else None


def read_value(text: str, slot: Slot, name: str = "") -> str | None:
    """The value in an answer, or None when there is none of the slot's type."""
    clean = _LEAD.sub("", _clean(text)).strip()
    if slot.type == "number":
        number = read_number(clean)
        return None if number is None else str(number)
    if slot.type == "choice":
        said = f" {clean.casefold()} "
        return next((choice for choice in slot.choices if f" {choice.casefold()} " in said), None)
    # "call me a taxi" gives no name.
    if not clean or len(clean.split()) > MAX_TEXT_WORDS or clean.casefold().split()[0] in ("a", "an", "not"):
        return None
    return clean.title() if name.endswith("name") and clean.islower() else clean


def read_number(text: str) -> int | None:
    """The first whole number in a text, in digits or English words."""
    digits = re.search(r"\d[\d,]*", text)
    if digits:
        return int(digits[0].replace(",", ""))
    total, current, found = 0, 0, False
    for word in text.casefold().replace("-", " ").split():
        if word in _SMALL:
            current, found = current + _SMALL[word], True
        elif word == "hundred":
            current, found = max(current, 1) * 100, True
        elif word in _MANY:
            total, current, found = total + max(current, 1) * _MANY[word], 0, True
        elif found and word != "and":
            break
    return total + current if found else None


def slot_types(slots: dict[str, Slot], declared: dict[str, SlotType]) -> dict[str, Slot]:
    """The slots of a persona, with the types an intent narrows them to."""
    return {**{name: Slot(type=kind) for name, kind in declared.items() if name not in slots}, **slots}


def _clean(text: str) -> str:
    return " ".join(re.sub(r"[^\w{}' -]", " ", text.replace("’", "'")).split())


def _words(part: str) -> str:
    return r"\s+".join(re.escape(word) for word in part.split()).join(
        (r"\s+" if part.startswith(" ") else "", r"\s+" if part.endswith(" ") else "")
    )
