# Part of the Visavis speech worker, a program of its own. Copyright (C) 2026 the Visavis authors.
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of a text: where they stand, and how they change when a persona says how to pronounce them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = re.compile(r"[^\s\u2014\u2013]*\w[^\s\u2014\u2013]*")
_EDGE = re.compile(r"^[^\w$]+|[^\w%]+$")


@dataclass(frozen=True, slots=True)
class TextWord:
    """A word as written, without the punctuation around it."""

    text: str
    position: int
    """Index of its first character in the text as written."""
    spoken_position: int
    """Index of its first character in the text given to the engine."""
    spoken_length: int


@dataclass(frozen=True, slots=True)
class SpokenText:
    """What the engine is given, and the written words behind it."""

    text: str
    words: tuple[TextWord, ...]

    def word_at(self, spoken_position: int) -> int | None:
        """Index of the word that covers a character of the spoken text."""
        for index, word in enumerate(self.words):
            if word.spoken_position <= spoken_position < word.spoken_position + word.spoken_length:
                return index
        return None


def prepare(text: str, pronounce: dict[str, str], *, has_phonemes: bool) -> SpokenText:
    """Replace the words of `pronounce` (any case) and remember where each written word went.

    Args:
        text: as written; square brackets in it never become phoneme input.
        pronounce: word -> respelling, or `[[phonemes]]` in the engine's alphabet.
        has_phonemes: the engine reads `[[...]]`; otherwise such words are said as they are written.
    """
    plain = text.replace("[[", "  ").replace("]]", "  ")
    how = {word.casefold(): spoken for word, spoken in pronounce.items()}
    out, words, done = "", [], 0
    for match in _WORD.finditer(plain):
        bare = _EDGE.sub("", match.group())
        start = match.start() + match.group().index(bare)
        spoken = how.get(bare.casefold(), bare)
        if spoken.startswith("[[") and not has_phonemes:
            spoken = bare
        out += plain[done:start]
        words.append(TextWord(bare, start, len(out), len(spoken)))
        out, done = out + spoken, start + len(bare)
    return SpokenText(out + plain[done:], tuple(words))
