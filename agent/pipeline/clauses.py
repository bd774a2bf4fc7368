"""Where a stream of words may be cut for the voice: the first piece early, the rest at sentence ends."""

from __future__ import annotations

import re

FIRST_CLAUSE_WORDS = 8
"""A clause that long sounds whole on its own, and the voice starts a comma earlier."""
LONGEST_CHARS = 300
"""A voice that gets more at once starts late; nobody speaks that long without a breath."""
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"')\]”’]*(?=\s)|(?<=[。！？])[”’」』）]*(?=[^”’」』）])")
"""Chinese and Japanese put no space after a sentence."""
_CLAUSE_END = re.compile(r"(?<=[,;:—–])(?=\s)")
_ABBREVIATION = re.compile(r"(?:\b(?:mr|mrs|ms|dr|prof|st|vs|e\.g|i\.e|no|approx|z\.b)|\b[a-z])\.$", re.IGNORECASE)


class ClauseSplitter:
    """Cuts one reply; `push` what comes, `flush` at its end."""

    def __init__(self) -> None:
        self._text = ""
        self._is_first = True

    def push(self, delta: str) -> list[str]:
        """Take some more text and give out the pieces that are complete."""
        self._text += delta
        pieces = []
        while (cut := self._cut()) is not None:
            piece, self._text = self._text[:cut].strip(), self._text[cut:].lstrip()
            if piece:
                pieces.append(piece)
                self._is_first = False
        return pieces

    def flush(self) -> list[str]:
        """The rest of the reply."""
        rest, self._text = self._text.strip(), ""
        return [rest] if rest else []

    def _cut(self) -> int | None:
        for match in _SENTENCE_END.finditer(self._text):
            if not _ABBREVIATION.search(self._text[: match.start()]):
                return match.end()
        if self._is_first:
            for match in _CLAUSE_END.finditer(self._text):
                if len(self._text[: match.start()].split()) >= FIRST_CLAUSE_WORDS:
                    return match.end()
        if len(self._text) > LONGEST_CHARS:
            return self._text.rfind(" ", 0, LONGEST_CHARS) + 1 or LONGEST_CHARS
        return None
