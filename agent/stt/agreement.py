"""What of a growing text can be relied on; pure."""

from __future__ import annotations

_MAX_UNIT_WORDS = 6
_LOOPS = {1: 6}
"""Repeats in a row that are no human speech: of one word six ("no no no" is said), else three."""
_DEFAULT_LOOPS = 4


class LocalAgreement:
    """Takes the guesses at one turn, gives the words in which two guesses in a row agree.

    What was given stays: the caller never sees a word withdrawn.

    Source: Liu et al. 2020, "Low-Latency Sequence-to-Sequence Speech Recognition and Translation by
    Partial Hypothesis Selection" (LA-2).
    """

    def __init__(self) -> None:
        self._previous: list[str] = []
        self._agreed: list[str] = []

    def update(self, guess: str) -> str:
        """Add a guess at the whole turn so far; returns the words agreed on."""
        words = guess.split()
        common = 0
        for old, new in zip(self._previous, words, strict=False):
            if _bare(old) != _bare(new):
                break
            common += 1
        self._previous = words
        if common > len(self._agreed):
            self._agreed = words[:common]
        return " ".join(self._agreed)


def is_looping(text: str) -> bool:
    """Whether a text repeats itself as a stuck model does, not as people do."""
    words = [_bare(word) for word in text.split()]
    for size in range(1, _MAX_UNIT_WORDS + 1):
        times = _LOOPS.get(size, _DEFAULT_LOOPS)
        for start in range(len(words) - size * times + 1):
            unit = words[start : start + size]
            if words[start : start + size * times] == unit * times:
                return True
    return False


def _bare(word: str) -> str:
    return word.casefold().strip(".,!?;:…\"'")
