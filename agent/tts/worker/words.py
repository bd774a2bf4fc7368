# Part of the Visavis speech worker, a program of its own. Copyright (C) 2026 the Visavis authors.
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of a text: where they stand, and how they change when a persona says how to pronounce them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORD = re.compile(r"[^\s\u2014\u2013]*\w[^\s\u2014\u2013]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Controls end a C string or the line; lone surrogates have no UTF-8."""
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

    def text_of(self, word: TextWord) -> str:
        """What the engine is given for a word."""
        return self.text[word.spoken_position : word.spoken_position + word.spoken_length]

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
    plain = _CONTROL.sub(" ", text).replace("[[", "  ").replace("]]", "  ")
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


def spread(words: Sequence[TextWord], start: int, end: int) -> list[tuple[int, TextWord]]:
    """Share a stretch of sound among words said in one breath ("of the"), by their letters."""
    num_letters = max(1, sum(word.spoken_length for word in words))
    placed, done = [], 0
    for word in words:
        placed.append((start + (end - start) * done // num_letters, word))
        done += word.spoken_length
    return placed


def place_words(words: Sequence[Sequence[str]], sounds: Sequence[str]) -> list[int]:
    """Find each word, known by how it sounds alone, in the sounds of the whole text.

    Words in a sentence sound otherwise than alone ("of the" runs together), so equal stretches are
    matched and what lies between them is shared out evenly.

    Args:
        words: the sounds of each word spoken alone.
        sounds: those of the text, in order.

    Returns:
        Index in `sounds` of each word's first sound, never falling; below `len(sounds)` unless that is 0.
    """
    alone = [sound for word in words for sound in word]
    anchors = [(0, 0)]
    for block in SequenceMatcher(None, alone, sounds, autojunk=False).get_matching_blocks():
        anchors += [(block.a, block.b), (block.a + block.size, block.b + block.size)]
    anchors.append((len(alone), len(sounds)))
    starts: list[int] = []
    position, segment = 0, 0
    for word in words:
        while segment + 1 < len(anchors) - 1 and anchors[segment + 1][0] <= position:
            segment += 1
        (a0, b0), (a1, b1) = anchors[segment], anchors[segment + 1]
        place = b0 + round((position - a0) * (b1 - b0) / (a1 - a0)) if a1 > a0 else b0
        starts.append(min(max(place, starts[-1] if starts else 0), max(0, len(sounds) - 1)))
        position += len(word)
    return starts
