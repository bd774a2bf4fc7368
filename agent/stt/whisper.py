"""Dictation by Whisper (faster-whisper on CTranslate2); the only importer of both.

Whisper's encoder is made for 30 s and costs the same for one second. A turn of a talk is short, so only
the frames that were spoken (and a second of silence) are encoded, several times cheaper; when the result
looks wrong, the turn is heard again in the model's own way.
"""

from __future__ import annotations

import asyncio
import logging
import math
import zlib
from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import SttError
from .agreement import LocalAgreement, is_looping
from .base import SAMPLE_RATE_HZ, Int16Array, SttCapabilities, Transcript

log = logging.getLogger(__name__)

NAME = "whisper"
_Float32Array = npt.NDArray[np.float32]
_HOP_SAMPLES = 160
_TAIL_SAMPLES = SAMPLE_RATE_HZ
"""Silence after the turn: without it the last word is cut short."""
_MAX_SHORT_SAMPLES = SAMPLE_RATE_HZ * 28
_MIN_SAMPLES = SAMPLE_RATE_HZ // 10
_MAX_HOTWORD_CHARS = 200
"""About 50 tokens; each costs time before the first word."""
_TOKENS_PER_S, _TOKENS_BASE = 10, 16
# Whisper's own thresholds for a failed decoding, openai/whisper transcribe.py.
_MIN_LOG_PROBABILITY = -1.0
_MAX_COMPRESSION = 2.4
_NO_SPEECH = 0.6
_QUIET_RATIO = 0.05
"""-26 dB under the turn's loud frames."""
_QUIET_FRAME_SAMPLES = SAMPLE_RATE_HZ * 30 // 1000


class WhisperEngine:
    """One warm model for all calls of a process, on one thread."""

    def __init__(self, executor: Executor, model_folder: Path, *, name: str = NAME) -> None:
        """Make one; nothing is loaded before `start`.

        Args:
            executor: the one-thread executor of all hearing; stays the caller's to shut down.
            model_folder: a CTranslate2 Whisper: model.bin, config.json, tokenizer.json, vocabulary.*.
            name: of the model, for people.
        """
        self._executor = executor
        self._folder = model_folder
        self._name = name
        self._model: Any = None
        self._languages: tuple[str, ...] = ("en",)
        self._num_jobs = 0

    @property
    def capabilities(self) -> SttCapabilities:
        return SttCapabilities(
            name=self._name,
            is_dictation=True,
            has_partials=True,
            languages=self._languages,
            notice=f"Hearing is {self._name}, on this machine: say anything.",
        )

    async def start(self) -> None:
        """Load in a thread of its own: running calls, with other ears, go on hearing meanwhile."""
        await asyncio.to_thread(self._load)

    def _load(self) -> None:
        try:
            from faster_whisper import WhisperModel
        except ImportError as exc:
            raise SttError(f"faster-whisper is not installed ({exc}): pip install 'visavis[whisper]'") from exc
        try:
            model = WhisperModel(
                str(self._folder), device="cpu", compute_type="int8", cpu_threads=1, num_workers=1,
                local_files_only=True,
            )  # fmt: skip
            self._languages = tuple(model.supported_languages)
            hearing = Hearing(model, language="en", hotwords="")
            hearing.short(np.zeros(SAMPLE_RATE_HZ, np.float32))
        except Exception as exc:  # CTranslate2 and tokenizers raise their own kinds for a broken file
            raise SttError(
                f"the Whisper model in {self._folder} cannot be used ({exc}); "
                f"remove it and fetch it again: visavis models remove {self._name}"
            ) from exc
        self._model = model

    async def open(self, *, script: Sequence[str], words: Sequence[str], language: str) -> WhisperStream:
        """Open the hearing of one call; `script` is not needed by a model that knows the language."""
        if self._model is None:
            raise SttError("the Whisper model was not loaded: await start() first")
        spoken = language.lower().split("-")[0]
        if spoken not in self._languages:
            log.warning("%s does not know the language %s and hears English", self._name, spoken)
            spoken = "en"
        return WhisperStream(self, Hearing(self._model, language=spoken, hotwords=_hotwords(words)), spoken)

    async def aclose(self) -> None:
        self._model = None

    @property
    def is_busy(self) -> bool:
        """A decoding is running or waits to."""
        return self._num_jobs > 0

    async def run(self, work: Any, *values: Any) -> Any:
        """Do work on the engine's thread. Raises SttError when it fails."""
        self._num_jobs += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, work, *values)
        except (RuntimeError, ValueError) as exc:
            raise SttError(f"Whisper failed on this turn ({exc}); please say it again") from exc
        finally:
            self._num_jobs -= 1


class WhisperStream:
    """The hearing of one call."""

    def __init__(self, engine: WhisperEngine, hearing: Hearing, language: str) -> None:
        self._engine = engine
        self._hearing = hearing
        self._language = language
        self._is_closed = False
        self._begin_turn()

    def _begin_turn(self) -> None:
        self._pieces: list[Int16Array] = []
        self._num_samples = 0
        self._agreement = LocalAgreement()
        self._last: tuple[int, Transcript] | None = None
        self._turn = object()

    def push(self, samples: Int16Array) -> None:
        self._pieces.append(samples.copy())
        self._num_samples += len(samples)

    async def partial(self) -> str | None:
        if self._engine.is_busy or self._num_samples < _MIN_SAMPLES or self._is_closed:
            return None
        turn, agreement = self._turn, self._agreement
        transcript = await self._hear(self._hearing.short)
        if turn is not self._turn:
            return None
        return agreement.update(transcript.text) or None

    async def transcribe(self) -> Transcript:
        if self._num_samples < _MIN_SAMPLES:
            return Transcript("", 0.0, self._language)
        if self._last is not None and self._is_quiet_since(self._last[0]):
            return self._last[1]
        return await self._hear(self._hearing.sure)

    async def _hear(self, decode: Any) -> Transcript:
        turn, end = self._turn, self._num_samples
        text, confidence, is_sound = await self._engine.run(decode, self._sound())
        transcript = Transcript(text, confidence, self._language)
        if turn is self._turn and is_sound:
            self._last = (end, transcript)
        return transcript

    def _sound(self) -> _Float32Array:
        if len(self._pieces) > 1:
            self._pieces = [np.concatenate(self._pieces)]
        return self._pieces[0].astype(np.float32) / np.float32(32768)

    def _is_quiet_since(self, start: int) -> bool:
        """Whether nothing was said after `start`, so that what is known holds."""
        if start == self._num_samples:
            return True
        loudness = frame_loudness(self._sound())
        after = loudness[-(-start // _QUIET_FRAME_SAMPLES) :]
        return bool(after.size == 0 or after.max() < _QUIET_RATIO * np.percentile(loudness, 90))

    def reset(self) -> None:
        self._begin_turn()

    async def aclose(self) -> None:
        self._is_closed = True
        self._begin_turn()


class Hearing:
    """Decoding with one model, language and set of words; plain and synchronous, for the engine's thread."""

    def __init__(self, model: Any, *, language: str, hotwords: str) -> None:
        from faster_whisper.tokenizer import Tokenizer

        self._model = model
        self._language = language
        self._hotwords = hotwords or None
        self._tokenizer = Tokenizer(
            model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language=language
        )
        self._prompt = model.get_prompt(self._tokenizer, [], without_timestamps=True, hotwords=self._hotwords)

    def sure(self, sound: _Float32Array) -> tuple[str, float, bool]:
        """The text of a turn, its confidence 0..1, True: by the short way, or by the long one when that fails.

        Args:
            sound: float32[n] in [-1, 1], 16 kHz.
        """
        if len(sound) <= _MAX_SHORT_SAMPLES:
            result = self.short(sound)
            if result[2]:
                return result
        return self._long(sound)

    def short(self, sound: _Float32Array) -> tuple[str, float, bool]:
        """Encode the spoken frames only (at most the last 28 s); False: the result looks wrong."""
        sound = sound[-_MAX_SHORT_SAMPLES:]
        features = self._model.feature_extractor(np.pad(sound, (0, _TAIL_SAMPLES)), padding=0)
        num_frames = (len(sound) + _TAIL_SAMPLES) // _HOP_SAMPLES // 2 * 2
        encoded = self._model.encode(features[:, :num_frames])
        max_tokens = _TOKENS_BASE + _TOKENS_PER_S * len(sound) // SAMPLE_RATE_HZ
        result = self._model.model.generate(
            encoded,
            [self._prompt],
            beam_size=1,
            max_length=len(self._prompt) + max_tokens,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        tokens = result.sequences_ids[0]
        log_probability = result.scores[0] * len(tokens) / (len(tokens) + 1)
        text = self._tokenizer.decode(tokens).strip()
        if result.no_speech_prob > _NO_SPEECH and log_probability < _MIN_LOG_PROBABILITY:
            return "", 0.0, True
        return text, _confidence(log_probability), _is_sound(text, log_probability)

    def _long(self, sound: _Float32Array) -> tuple[str, float, bool]:
        """The model's own way: windows of 30 s, a second attempt with some chance when the first fails."""
        segments, _ = self._model.transcribe(
            sound,
            language=self._language,
            beam_size=1,
            temperature=(0.0, 0.4),
            condition_on_previous_text=False,
            without_timestamps=len(sound) <= _MAX_SHORT_SAMPLES,
            hotwords=self._hotwords,
        )
        heard = [segment for segment in segments if not is_looping(segment.text)]
        if not heard:
            return "", 0.0, True
        text = " ".join(segment.text.strip() for segment in heard)
        return text, _confidence(sum(s.avg_logprob for s in heard) / len(heard)), True


def frame_loudness(sound: _Float32Array) -> _Float32Array:
    """Root mean square of each whole 30 ms frame: float32[n // 480]."""
    frames = sound[: len(sound) // _QUIET_FRAME_SAMPLES * _QUIET_FRAME_SAMPLES].reshape(-1, _QUIET_FRAME_SAMPLES)
    loudness: _Float32Array = np.sqrt(np.mean(frames**2, axis=1, dtype=np.float32))
    return loudness


def _is_sound(text: str, log_probability: float) -> bool:
    if log_probability < _MIN_LOG_PROBABILITY or is_looping(text):
        return False
    raw = text.encode()
    return not raw or len(raw) / len(zlib.compress(raw)) <= _MAX_COMPRESSION


def _confidence(log_probability: float) -> float:
    return round(min(1.0, math.exp(log_probability)), 3)


def _hotwords(words: Sequence[str]) -> str:
    taken = ""
    for word in words:
        longer = f"{taken}, {word}" if taken else word
        if len(longer) > _MAX_HOTWORD_CHARS:
            break
        taken = longer
    return taken
