"""The embedded recogniser: CMU pocketsphinx, searching what the persona's script makes likely.

It needs no download and answers within milliseconds, but hears scripted talk in English only: a
language model over the persona's own lines, never dictation. The only importer of pocketsphinx.
"""

from __future__ import annotations

import asyncio
import logging
import re
import tempfile
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path

import pocketsphinx
from pocketsphinx.lm import ArpaBoLM

from ..errors import SttError
from .base import Int16Array, SttCapabilities, Transcript
from .pronounce import pronounce
from .script import corpus
from .turn_decoder import TurnDecoder

log = logging.getLogger(__name__)

NAME = "pocketsphinx"
_CAPABILITIES = SttCapabilities(
    name=NAME,
    is_dictation=False,
    has_partials=True,
    languages=("en",),
    notice=(
        "Hearing is the built-in recogniser: it understands English close to this persona's script, "
        "not free talk. Type, or fetch a Whisper model, to say anything."
    ),
)
_VARIANT = re.compile(r"\(\d+\)$")
Readings = Mapping[str, Sequence[str]]
"""Word to its pronunciations."""


def read_dictionary(path: Path) -> dict[str, list[str]]:
    """Read a CMU dictionary: `word phones` lines, further readings as `word(2) phones`."""
    readings: dict[str, list[str]] = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            word, _, phones = line.rstrip().partition(" ")
            readings.setdefault(_VARIANT.sub("", word), []).append(phones)
    return readings


def write_language_model(sentences: Sequence[Sequence[str]], readings: Readings, folder: Path) -> tuple[Path, Path]:
    """Write a trigram model of the sentences and a dictionary of their words into `folder`.

    Returns:
        The model (ARPA) and the dictionary (CMU); only words that occur are in it, since loading
        all 134 000 costs seconds and a few hundred cost milliseconds.
    """
    model = ArpaBoLM(text="\n".join(" ".join(words) for words in sentences) + "\n", add_start=True)
    model.compute()
    model_path, dictionary_path = folder / "script.arpa", folder / "script.dict"
    with model_path.open("w", encoding="utf-8") as out:
        model.write(out)
    with dictionary_path.open("w", encoding="utf-8") as out:
        for word in sorted({word for words in sentences for word in words}):
            for nth, phones in enumerate(pronounce(word, readings), start=1):
                out.write(f"{word if nth == 1 else f'{word}({nth})'} {phones}\n")
    return model_path, dictionary_path


class PocketsphinxEngine:
    """The embedded recogniser of a process; each call gets a small decoder of its own (20 ms, 8 MB)."""

    def __init__(self, executor: Executor) -> None:
        """Args: executor: the one-thread executor of all hearing; stays the caller's to shut down."""
        self._executor = executor
        self._readings: Readings = {}

    @property
    def capabilities(self) -> SttCapabilities:
        return _CAPABILITIES

    async def start(self) -> None:
        """Read the dictionary and try one decoder; in a thread of its own, so that running calls go on hearing."""
        await asyncio.to_thread(self._load)

    def _load(self) -> None:
        try:
            self._readings = read_dictionary(Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict")))
            self._decoder([["hello"]])
        except (OSError, RuntimeError, ValueError) as exc:
            raise SttError(
                f"the built-in recogniser cannot load ({exc}); reinstall it: pip install --force-reinstall pocketsphinx"
            ) from exc

    async def open(self, *, script: Sequence[str], words: Sequence[str], language: str) -> PocketsphinxStream:
        """Open the hearing of one call; a language other than English is heard as English."""
        if not self._readings:
            raise SttError("the built-in recogniser was not started: await start() first")
        if not language.lower().startswith("en"):
            log.warning("the built-in recogniser hears English only, the call is in %s", language)
        # Not on the hearing's own thread: 100 ms for a long script, in which other calls would hear nothing.
        decoder = await asyncio.to_thread(lambda: TurnDecoder(self._decoder(corpus(script, words))))
        return PocketsphinxStream(decoder, self._executor)

    def _decoder(self, sentences: Sequence[Sequence[str]]) -> pocketsphinx.Decoder:
        with tempfile.TemporaryDirectory(prefix="visavis-stt-") as folder:
            model, dictionary = write_language_model(sentences, self._readings, Path(folder))
            return pocketsphinx.Decoder(
                hmm=pocketsphinx.get_model_path("en-us/en-us"),
                lm=str(model),
                dict=str(dictionary),
                samprate=16_000,
                # The second pass costs 44 ms after the last word and changes nothing (WER 0.01 either way).
                fwdflat=False,
                loglevel="FATAL",
            )

    async def aclose(self) -> None:
        self._readings = {}


class PocketsphinxStream:
    """The hearing of one call: sound is searched as it comes, so the end of a turn is cheap."""

    def __init__(self, decoder: TurnDecoder, executor: Executor) -> None:
        self._decoder = decoder
        self._executor = executor
        self._turn = _Turn()
        self._is_closed = False

    def push(self, samples: Int16Array) -> None:
        turn = self._turn
        turn.sound.append(samples.astype("<i2", copy=False).tobytes())
        if not self._is_closed and (turn.feeding is None or turn.feeding.done()):
            turn.feeding = self._executor.submit(self._feed, turn)

    def _feed(self, turn: _Turn) -> None:
        try:
            while turn.sound:
                self._decoder.feed(turn.sound.popleft())
            turn.partial = self._decoder.hypothesis()
        except RuntimeError as exc:
            turn.failure = exc

    async def partial(self) -> str | None:
        turn = self._turn
        if turn.feeding is not None:
            # A fraction of the sound's own length; wait() leaves the work alone when this call is cancelled.
            await asyncio.wait([asyncio.wrap_future(turn.feeding)])
        return turn.partial or None

    async def transcribe(self) -> Transcript:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, self._finish, self._turn)
        except RuntimeError as exc:
            raise SttError(f"the built-in recogniser failed ({exc}); please say it again") from exc

    def _finish(self, turn: _Turn) -> Transcript:
        self._feed(turn)
        if turn.failure is not None:
            raise turn.failure
        return self._decoder.finish()

    def reset(self) -> None:
        self._turn = _Turn()
        if not self._is_closed:
            self._executor.submit(self._reset)

    def _reset(self) -> None:
        try:
            self._decoder.reset()
        except RuntimeError:
            log.warning("the built-in recogniser did not end its turn cleanly", exc_info=True)

    async def aclose(self) -> None:
        if self._is_closed:
            return
        self.reset()
        self._is_closed = True


class _Turn:
    """Sound of one turn on its way to the decoder; a new turn gets a new one, so nothing stale crosses over."""

    __slots__ = ("failure", "feeding", "partial", "sound")

    def __init__(self) -> None:
        self.sound: deque[bytes] = deque()
        self.feeding: Future[None] | None = None
        self.partial = ""
        self.failure: RuntimeError | None = None
