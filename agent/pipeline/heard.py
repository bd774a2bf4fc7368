"""What the caller has heard of a reply, word by word, counted in samples that left the machine. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from avatar.media import MEDIA_CLOCK_RATE

HEARD_SHARE = 0.5
"""A word of which half was heard is understood."""
CHARS_PER_S = 15
"""Speaking rate assumed for a voice that gives no word times."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word as written, with the punctuation that follows it, and its ticks in the utterance."""

    text: str
    start: int
    end: int
    text_end: int
    """Index after the word in the utterance's text."""


@dataclass(slots=True)
class Utterance:
    """One sentence of a reply."""

    id: str
    text: str
    words: list[Word] = field(default_factory=list)
    num_ticks: int | None = None
    """Known when all its sound is made."""
    num_heard: int = 0
    played: int = 0
    """Ticks that left the machine."""

    def add_word(self, text_position: int, length: int, start: int, end: int) -> None:
        """Take a word event of the voice; what the text does not hold there is ignored."""
        if not 0 <= text_position < len(self.text):
            return
        tail = re.match(r"\S*", self.text[text_position + length :])
        text_end = text_position + length + (tail.end() if tail else 0)
        before = self.words[-1].text_end if self.words else 0
        if text_position >= before:
            # What stands between two words and has no sound of its own, a dash or a bracket, goes with the next.
            self.words.append(Word(self.text[before:text_end].strip(), start, end, text_end))

    def finish(self, num_ticks: int, *, is_whole: bool = True) -> None:
        """All sound is made; not whole when the voice broke off."""
        self.num_ticks = num_ticks
        if not self.words:
            self.spread_words(num_ticks)
            return
        last = self.words[-1]
        if is_whole and self.num_heard < len(self.words) and (rest := self.text[last.text_end :].strip()):
            self.words[-1] = replace(last, text=f"{last.text} {rest}", text_end=len(self.text))

    def spread_words(self, num_ticks: int) -> None:
        """Place the words by their letters over `num_ticks`: the voice told no times."""
        total = max(1, len(self.text))
        for match in re.finditer(r"\S+", self.text):
            start, end = (round(i / total * num_ticks) for i in match.span())
            self.words.append(Word(match.group(), start, end, match.end()))

    def play(self, position: int) -> list[Word]:
        """The words that became heard when the playout reached `position` ticks."""
        self.played = max(self.played, position)
        if not self.words and self.num_ticks is None and position > MEDIA_CLOCK_RATE:
            self.spread_words(round(len(self.text) / CHARS_PER_S * MEDIA_CLOCK_RATE))
        fresh = []
        for word in self.words[self.num_heard :]:
            if word.start + HEARD_SHARE * (word.end - word.start) > position:
                break
            fresh.append(word)
        self.num_heard += len(fresh)
        return fresh

    @property
    def heard_text(self) -> str:
        return " ".join(w.text for w in self.words[: self.num_heard])

    @property
    def unheard_text(self) -> str:
        start = self.words[self.num_heard - 1].text_end if self.num_heard else 0
        return "" if self.is_played and self.num_heard == len(self.words) else self.text[start:].strip()

    @property
    def is_played(self) -> bool:
        return self.num_ticks is not None and self.played >= self.num_ticks


@dataclass(slots=True)
class Reply:
    """One response: its sentences and how far they were heard."""

    id: str
    ordinal: int
    mode: str
    utterances: list[Utterance] = field(default_factory=list)
    planned: list[str] = field(default_factory=list)
    """Sentences the voice will get, in order, those of `utterances` included."""
    is_complete: bool = False
    """The brain has said all."""
    is_started: bool = False
    hang_up: bool = False

    def utterance(self, utterance_id: str | None) -> Utterance | None:
        return next((u for u in self.utterances if u.id == utterance_id), None)

    @property
    def heard_text(self) -> str:
        return " ".join(u.heard_text for u in self.utterances if u.num_heard)

    @property
    def unheard_text(self) -> str:
        rest = [u.unheard_text for u in self.utterances] + self.planned[len(self.utterances) :]
        return " ".join(part for part in rest if part)

    @property
    def played_ms(self) -> int:
        return round(sum(u.played for u in self.utterances) * 1000 / MEDIA_CLOCK_RATE)

    @property
    def is_played(self) -> bool:
        """All that will come has been heard."""
        return self.is_complete and all(u.is_played for u in self.utterances)
