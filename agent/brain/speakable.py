"""From what a language model streams to what can be spoken: tags become emotions, markup and thoughts vanish.

A pure filter over chunks of any size: whatever may still become a tag, a thought or markup is held back until
it is decided.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from .base import BrainEvent, Emotion, TextDelta

# A bracket this long is no tag; then it is let through.
TAG_CHARS_MAX = 40
_THINK_OPEN = re.compile(r"<(think|thinking|thought|reasoning)>", re.IGNORECASE)
_THINK_NAMES = ("<think>", "<thinking>", "<thought>", "<reasoning>")
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\U00002190-\U000021ff\U00002300-\U000023ff\U00002460-\U000024ff"
    "\U000025a0-\U000027bf\U00002900-\U000029ff\U00002b00-\U00002bff\U0000fe00-\U0000fe0f"
    "\U0000200b-\U0000200f\U00002060\U000020e3\U000e0020-\U000e007f]"
)
_LINK = re.compile(r"\[([^\[\]]{1,200})\]\([^()\s]{1,500}\)")
_URL = re.compile(r"https?://(?:www\.)?([\w.-]+)\S*")
_BULLET = re.compile(r"(?<=\n)[ \t]*(?:[-*+•]|#{1,6})[ \t]+")
_MARKUP = re.compile(r"```\w*|[*`_~#|<>{}\\^]|&nbsp;")
# *smiles* standing as a sentence of its own is a stage direction; within a sentence the stars are emphasis.
_ACTION = re.compile(r"(?<=[.!?\n])(\s*)\*[^*\n]{1,80}\*(?=\s|$)")
# The end of a sentence: its mark, closing quotes, and a space behind it.
_SENTENCE_END = re.compile(r"[.!?…]+[\"')\]]*(?=\s)")
_ABBREVIATION = re.compile(r"(?:\b(?:mr|mrs|ms|dr|prof|st|vs|etc|e\.g|i\.e|no|approx)|\b[a-z])\.$", re.IGNORECASE)


class Speakable:
    """The filter of one reply."""

    def __init__(self, weights_of: Callable[[str], Mapping[str, float] | None], *, max_sentences: int) -> None:
        """`weights_of` gives the emotion weights of a tag's name, or None when there is no such emotion."""
        self._weights_of = weights_of
        self._max_sentences = max_sentences
        self._raw = ""
        self._in_thought = False
        self._at_line_start = True
        self._num_sentences = 0
        self._spoken = ""
        self.unknown_tags = 0
        """Tags that named no emotion and were dropped."""

    @property
    def is_full(self) -> bool:
        """All sentences the persona may say were said; the rest of the stream is not needed."""
        return self._num_sentences >= self._max_sentences

    @property
    def has_spoken(self) -> bool:
        """Whether any words came out yet."""
        return bool(self._spoken.strip())

    @property
    def ends_whole(self) -> bool:
        """Whether the words so far end like a finished sentence."""
        return self._spoken.rstrip().endswith((".", "!", "?", "…", '"', "”", ")"))

    def feed(self, chunk: str) -> list[BrainEvent]:
        """Add a chunk; what is decided comes out."""
        self._raw += chunk
        return self._take(is_last=False)

    def finish(self) -> list[BrainEvent]:
        """The stream is over: what was held back comes out."""
        return self._take(is_last=True)

    def _take(self, *, is_last: bool) -> list[BrainEvent]:
        self._drop_thoughts(is_last)
        decided = len(self._raw) if is_last or self._in_thought else self._decided()
        ready, self._raw = self._raw[:decided], self._raw[decided:]
        events: list[BrainEvent] = []
        for part in re.split(rf"(\[[^\[\]]{{1,{TAG_CHARS_MAX}}}\])(?!\()", _LINK.sub(r"\1", ready)):
            if self.is_full or not part:
                continue
            if part.startswith("[") and part.endswith("]"):
                events += self._tag(part[1:-1])
            elif text := self._words(part):
                events.append(TextDelta(text))
        if ready:
            self._at_line_start = ready.endswith("\n")
        return events

    def _drop_thoughts(self, is_last: bool) -> None:
        while True:
            if self._in_thought:
                end = re.search(r"</(think|thinking|thought|reasoning)>", self._raw, re.IGNORECASE)
                if end is None:
                    # Keep what may be the beginning of the closing tag.
                    self._raw = "" if is_last else self._raw[-12:]
                    return
                self._raw, self._in_thought = self._raw[end.end() :], False
            start = _THINK_OPEN.search(self._raw)
            if start is None:
                return
            before = self._raw[: start.start()]
            if before.strip():
                return
            self._raw, self._in_thought = self._raw[start.end() :], True

    def _decided(self) -> int:
        """How much of the held text can no longer change its meaning."""
        raw = self._raw
        limit = len(raw)
        open_bracket = raw.rfind("[")
        if open_bracket >= 0 and "]" not in raw[open_bracket:] and len(raw) - open_bracket <= TAG_CHARS_MAX + 1:
            limit = min(limit, open_bracket)
        elif open_bracket >= 0 and raw.endswith("]"):
            limit = min(limit, open_bracket)  # a "(" may follow and make it a link
        open_angle = raw.rfind("<")
        if open_angle >= 0 and any(name.startswith(raw[open_angle:].lower()) for name in _THINK_NAMES):
            limit = min(limit, open_angle)
        # Markup, numbers and addresses are judged by whole words, sentence ends by the space behind them.
        space = max(raw.rfind(" ", 0, limit), raw.rfind("\n", 0, limit))
        star = raw.find("*")
        if star >= 0 and raw.count("*") % 2 and "\n" not in raw[star:] and len(raw) - star < 80:
            space = min(space, star - 1)
        return max(0, space + 1)

    def _tag(self, name: str) -> list[BrainEvent]:
        weights = self._weights_of(name.strip().lower())
        if weights is None:
            self.unknown_tags += 1
            return []
        return [Emotion(weights)]

    def _words(self, text: str) -> str:
        spoken = self._spoken.rstrip()
        text = clean(text, at_line_start=self._at_line_start, at_sentence_start=not spoken or spoken[-1] in ".!?…")
        if self._spoken[-1:] in ("", " "):
            text = text.lstrip()
        text = self._cut(text)
        self._spoken += text
        return text

    def _cut(self, text: str) -> str:
        """Stop after the last sentence that may be said."""
        whole = self._spoken + text
        for end in _SENTENCE_END.finditer(whole + " "):
            if end.end() <= len(self._spoken) or _ABBREVIATION.search(whole[: end.end()]):
                continue
            self._num_sentences += 1
            if self.is_full:
                return whole[len(self._spoken) : end.end()]
        return text


def clean(text: str, *, at_line_start: bool = True, at_sentence_start: bool = True) -> str:
    """A text without markup, emojis, addresses and stage directions.

    The flags say what stands before the text, for one that is part of a longer one.
    """
    before = ("\n" if at_line_start else "") + ("." if at_sentence_start and not at_line_start else "")
    text = _URL.sub(r"\1", _LINK.sub(r"\1", before + text))
    text = _BULLET.sub("", _ACTION.sub(r"\1", text))[len(before) :]
    text = _EMOJI.sub("", _MARKUP.sub("", text))
    text = re.sub(r"\s*\n\s*", " ", text).replace("—", ", ").replace(" – ", ", ")
    return re.sub(r"[ \t]{2,}", " ", re.sub(r"\s+(?=[,.!?])", "", text))
