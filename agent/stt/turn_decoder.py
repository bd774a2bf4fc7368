"""Decoding one turn after another with one pocketsphinx decoder; plain and synchronous.

Sound is searched as it comes, so that the end of a turn costs a millisecond or two. Two things need
care. The decoder subtracts a running mean of the microphone's spectrum, and until it has heard the
microphone that mean is wrong: the first second is therefore heard twice, the second time with the mean
measured in it (speech.md 4.1 measured half the words lost otherwise). And a turn that seemed over may
go on: it is then searched again from its start, as one sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from .base import SAMPLE_RATE_HZ, Transcript

_BYTES_PER_S = SAMPLE_RATE_HZ * 2
_PIECE_BYTES = _BYTES_PER_S * 6 // 100
"""60 ms, 2 ms of work: the decoder holds the interpreter's lock while it works."""
_PRIME_BYTES = _BYTES_PER_S * 12 // 10
_LEARNT_BYTES = _BYTES_PER_S * 2
"""Sound after which the mean of a microphone is trusted for the next turn."""
_RESUME_BYTES = _BYTES_PER_S // 2
"""New sound after which a finished turn is searched again; less is the silence before a reply."""
_SETTLE_BYTES = _BYTES_PER_S * 15
"""A turn longer than this is not searched again from its start."""
_LIMIT_BYTES = _BYTES_PER_S * 40
_PRIOR_FRAMES = 500
"""Weight of a mean that was set, in 10 ms frames: CMN_WIN of sphinxbase's cmn.h."""


class Word(Protocol):
    """A word of the best path."""

    word: str
    start_frame: int
    end_frame: int
    prob: float


class Decoder(Protocol):
    """What is used of `pocketsphinx.Decoder`."""

    def start_utt(self) -> None: ...
    def end_utt(self) -> None: ...
    def process_raw(self, data: bytes) -> Any: ...
    def hyp(self) -> Any: ...
    def seg(self) -> Any: ...
    def n_frames(self) -> int: ...
    def get_cmn(self, update: bool = False) -> str: ...
    def set_cmn(self, mean: str) -> Any: ...


class TurnDecoder:
    """Not safe for threads: use it from the one thread of hearing. Raises RuntimeError as the decoder does."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._mean = _parse_mean(decoder.get_cmn())
        self._learnt_bytes = 0
        self._is_searching = False
        self._begin_turn()

    def _begin_turn(self) -> None:
        self._sound = bytearray()
        self._searched_bytes = 0
        self._is_primed = self._learnt_bytes >= _LEARNT_BYTES
        self._settled: list[Transcript] = []
        self._result: Transcript | None = None

    def feed(self, sound: bytes) -> None:
        """Search more sound of this turn: int16 little endian, mono, 16 kHz."""
        self._sound += sound
        if self._result is not None:
            if len(self._sound) - self._searched_bytes < _RESUME_BYTES:
                return
            self._continue_after(self._result)
        self._search()
        if len(self._sound) >= _LIMIT_BYTES:
            self._continue_after(self._conclude())

    def _search(self) -> None:
        if not self._is_searching:
            self._start(self._mean)
        self._search_rest()
        if not self._is_primed and self._searched_bytes >= _PRIME_BYTES:
            self._prime()

    def _start(self, mean: Sequence[float]) -> None:
        self._decoder.set_cmn(",".join(f"{value:.2f}" for value in mean))
        self._decoder.start_utt()
        self._is_searching = True
        self._searched_bytes = 0

    def _search_rest(self) -> None:
        while self._searched_bytes < len(self._sound):
            piece = bytes(self._sound[self._searched_bytes : self._searched_bytes + _PIECE_BYTES])
            self._decoder.process_raw(piece)
            self._searched_bytes += len(piece)

    def _prime(self) -> None:
        """Search the turn's sound again, with the mean of the microphone measured in it."""
        frames = self._decoder.n_frames()
        updated = _parse_mean(self._decoder.get_cmn(True))
        self._end()
        self._is_primed = True
        if frames > 0:
            weight = _PRIOR_FRAMES / frames
            self._mean = [new + (new - old) * weight for new, old in zip(updated, self._mean, strict=True)]
        self._start(self._mean)
        self._search_rest()

    def _end(self) -> None:
        self._is_searching = False
        self._decoder.end_utt()

    def hypothesis(self) -> str:
        """The words so far, "" when there are none."""
        parts = [part.text for part in self._settled]
        if self._result is not None:
            parts.append(self._result.text)
        elif self._is_searching and (best := self._decoder.hyp()) is not None:
            parts.append(_plain(best.hypstr))
        return " ".join(part for part in parts if part)

    def finish(self) -> Transcript:
        """All of the turn so far; more sound may follow, and the whole is then searched as one."""
        if self._result is not None and self._searched_bytes < len(self._sound):
            self._continue_after(self._result)
        if self._result is None:
            self._result = self._conclude()
        return _joined([*self._settled, self._result])

    def _conclude(self) -> Transcript:
        if not self._sound:
            return Transcript("", 0.0)
        self._search()
        if not self._is_primed:
            self._prime()
        self._end()
        return read_transcript(self._decoder.seg())

    def _continue_after(self, result: Transcript) -> None:
        self._result = None
        if self._searched_bytes >= _SETTLE_BYTES:
            self._settled.append(result)
            del self._sound[: self._searched_bytes]
        self._searched_bytes = 0

    def reset(self) -> None:
        """Begin a new turn; the microphone's mean is kept."""
        if self._is_searching:
            self._end()
        if self._searched_bytes:
            self._mean = _parse_mean(self._decoder.get_cmn(True))
            self._learnt_bytes += self._searched_bytes
        self._begin_turn()


def read_transcript(path: Any) -> Transcript:
    """The words of a best path and how sure they are: their posteriors, weighed by duration."""
    words = [(_plain(word.word), word.end_frame - word.start_frame + 1, word.prob) for word in path or ()]
    spoken = [(text, frames, posterior) for text, frames, posterior in words if text]
    total = sum(frames for _, frames, _ in spoken)
    if not total:
        return Transcript("", 0.0)
    sure = sum(frames * min(1.0, posterior) for _, frames, posterior in spoken) / total
    return Transcript(" ".join(text for text, _, _ in spoken), round(sure, 3))


def _joined(parts: Sequence[Transcript]) -> Transcript:
    spoken = [part for part in parts if part.text]
    if not spoken:
        return Transcript("", 0.0)
    return Transcript(" ".join(part.text for part in spoken), min(part.confidence for part in spoken))


def _plain(text: str) -> str:
    """Without reading marks "(2)", fillers "<sil>" and noises "[NOISE]"."""
    words = (word.partition("(")[0] for word in text.split())
    return " ".join(word for word in words if word and word[0] not in "<[+")


def _parse_mean(text: str) -> list[float]:
    return [float(value) for value in text.split(",")]
