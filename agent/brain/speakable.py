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
_THOUGHT_OPEN = re.compile(r"<(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_THOUGHT_CLOSE = re.compile(r"</(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_THOUGHT_TAGS = ("<think>", "<thinking>", "<thought>", "<reasoning>")
_THOUGHT_CLOSE_CHARS = len("</reasoning>")
# What must be seen whole to be judged: a tag, a link, words between stars.
_WHOLE = re.compile(rf"\[[^\[\]]{{0,{TAG_CHARS_MAX}}}\](?:\([^()\s]*\)?)?|\*[^*\n]{{1,80}}\*")
_BEGUN = re.compile(rf"(?:\[[^\[\]]{{0,{TAG_CHARS_MAX}}}|\[[^\[\]]*\](?:\([^()\s]*)?|\*[^*\n]{{0,80}})$")
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
        self._thoughts = _Thoughts()
        self._raw = ""
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
        self._raw += self._thoughts.feed(chunk)
        return self._take(self._decided())

    def finish(self) -> list[BrainEvent]:
        """The stream is over: what was held back comes out."""
        self._raw += self._thoughts.finish()
        return self._take(len(self._raw))

    def _take(self, decided: int) -> list[BrainEvent]:
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

    def _decided(self) -> int:
        """How much of the held text can no longer change its meaning; words are judged whole."""
        begun = _BEGUN.search(self._raw)
        limit = begun.start() if begun else len(self._raw)
        cut = max(self._raw.rfind(" ", 0, limit), self._raw.rfind("\n", 0, limit)) + 1
        for whole in _WHOLE.finditer(self._raw):
            if whole.start() < cut < whole.end():
                return whole.start()
        return cut

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


class _Thoughts:
    """Drops what a reasoning model thinks aloud between its tags."""

    def __init__(self) -> None:
        self._held = ""
        self._is_inside = False

    def feed(self, chunk: str) -> str:
        """Add a chunk; what is surely no thought comes out."""
        self._held += chunk
        out = ""
        while True:
            tag = (_THOUGHT_CLOSE if self._is_inside else _THOUGHT_OPEN).search(self._held)
            if tag is None:
                break
            out += "" if self._is_inside else self._held[: tag.start()]
            self._held, self._is_inside = self._held[tag.end() :], not self._is_inside
        if self._is_inside:
            self._held = self._held[-_THOUGHT_CLOSE_CHARS:]
            return out
        angle = self._held.rfind("<")
        may_begin = angle >= 0 and any(tag.startswith(self._held[angle:].lower()) for tag in _THOUGHT_TAGS)
        cut = angle if may_begin else len(self._held)
        out, self._held = out + self._held[:cut], self._held[cut:]
        return out

    def finish(self) -> str:
        """The stream is over; an open thought never became an answer."""
        return "" if self._is_inside else self._held


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
