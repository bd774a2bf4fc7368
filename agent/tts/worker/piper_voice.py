# Part of the Visavis speech worker, a program of its own. Copyright (C) 2026 the Visavis authors.
# SPDX-License-Identifier: GPL-3.0-or-later
"""Piper as a voice: neural, a sentence at a time, phonemes placed by the network's own durations."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from ipa import is_sound, merge_marks
from piper import AudioChunk, PiperVoice, SynthesisConfig
from piper.config import PiperConfig
from polish import Polish, gain_for
from request import CALIBRATION, Begin, Request, SpeakError
from utterance import Utterance
from words import SpokenText, place_words, prepare

ALPHABET = "ipa"
LICENCE = "see the card of the voice"
GAP_S = 0.08
"""A gap between words that is longer is a pause; a shorter one belongs to the phoneme before it."""
MAX_THREADS = 2
"""More gain a tenth on an idle machine and stall every other call on a busy one."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Voice:
    piper: PiperVoice
    gain: float


class PiperEngine:
    """The engine; a voice's name is the path of its ONNX file."""

    def __init__(self) -> None:
        self._voices: dict[str, _Voice] = {}

    def voices(self) -> list[dict[str, Any]]:
        return [
            {
                "engine": "piper", "id": path, "language": voice.piper.config.espeak_voice, "gender": "unknown",
                "licence": LICENCE, "sample_rate_hz": voice.piper.config.sample_rate,
            }
            for path, voice in self._voices.items()
        ]  # fmt: skip

    def load(self, voice: str) -> None:
        if voice in self._voices:
            return
        piper = _open(Path(voice))
        parts = [chunk.audio_float_array for chunk in piper.synthesize(CALIBRATION, _config(piper, 1.0, None))]
        self._voices[voice] = _Voice(piper, gain_for(np.concatenate(parts), piper.config.sample_rate))

    def speak(self, request: Request, begin: Begin) -> int:
        self.load(request.voice)
        voice = self._voices[request.voice]
        piper = voice.piper
        spoken = prepare(request.text, request.pronounce, has_phonemes=True)
        rate_hz = piper.config.sample_rate
        utterance = begin(rate_hz, ALPHABET, Polish(rate_hz, gain=voice.gain * request.volume))
        config = _config(piper, request.rate * request.jitter()[0], request.speaker)
        placer = _Placer(utterance, spoken, _starts_of_words(piper, spoken))
        for chunk in piper.synthesize(spoken.text, config, include_alignments=True):
            placer.add(chunk)
            if utterance.is_stopped:
                break
        return utterance.finish()


class _Placer:
    """Adds sentence after sentence to an utterance."""

    def __init__(self, utterance: Utterance, spoken: SpokenText, starts: list[int]) -> None:
        self._utterance = utterance
        self._words = spoken.words
        self._starts = starts
        self._num_words = 0
        self._num_phonemes = 0
        self._offset = 0

    def add(self, chunk: AudioChunk) -> None:
        spans = _spans(chunk, self._utterance.rate_hz)
        for start, symbol in merge_marks(spans, int(GAP_S * self._utterance.rate_hz)):
            self._utterance.add_phoneme(self._offset + start, symbol)
        self._add_words(chunk, [start for start, _, symbol in spans if is_sound(symbol)])
        self._utterance.add_sound(chunk.audio_float_array)
        self._offset += len(chunk.audio_float_array)
        # The next sentence may yet end the last phoneme and word of this one.
        self._utterance.flush(self._offset)

    def _add_words(self, chunk: AudioChunk, sounds: list[int]) -> None:
        """Words whose first sound is in this sentence."""
        num_sounds = sum(is_sound(symbol) for symbol in chunk.phonemes)
        until = self._num_phonemes + num_sounds
        while self._num_words < len(self._words) and self._starts[self._num_words] < until:
            index = self._starts[self._num_words] - self._num_phonemes
            word = self._words[self._num_words]
            # Without alignments a word's place is its share of the sentence.
            guess = len(chunk.audio_float_array) * index // max(1, num_sounds)
            start = sounds[index] if index < len(sounds) else guess
            self._utterance.add_word(self._offset + start, word.text, word.position)
            self._num_words += 1
        self._num_phonemes = until


def _spans(chunk: AudioChunk, rate_hz: int) -> list[tuple[int, int, str]]:
    spans, start = [], 0
    for alignment in chunk.phoneme_alignments or ():
        spans.append((start, int(alignment.num_samples), alignment.phoneme))
        start += int(alignment.num_samples)
    return spans


def _starts_of_words(piper: PiperVoice, spoken: SpokenText) -> list[int]:
    """For each word the index of its first sound among all sounds of the text."""

    def sounds(text: str) -> list[str]:
        return [symbol for sentence in piper.phonemize(text) for symbol in sentence if is_sound(symbol)]

    alone = [sounds(spoken.text_of(word)) for word in spoken.words]
    return place_words(alone, sounds(spoken.text))


def _config(piper: PiperVoice, rate: float, speaker: int | None) -> SynthesisConfig:
    # Normalising would scale each sentence to its own peak: the level would jump.
    length_scale = piper.config.length_scale / rate
    return SynthesisConfig(speaker_id=speaker, length_scale=length_scale, normalize_audio=False)


def _open(path: Path) -> PiperVoice:
    """Load a voice whose network also gives its durations, on few threads.

    Raises:
        SpeakError: the file is not there or is no voice.
    """
    try:
        config = PiperConfig.from_dict(json.loads(Path(f"{path}.json").read_text("utf-8")))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(MAX_THREADS, len(os.sched_getaffinity(0)))
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = onnxruntime.InferenceSession(_with_durations(path), options, providers=["CPUExecutionProvider"])
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        remedy = "fetch it anew: visavis models fetch"
        raise SpeakError("tts-voice-unknown", f"no Piper voice at {path.name} ({error}); {remedy}") from error
    return PiperVoice(session=session, config=config, download_dir=path.parent)


def _with_durations(path: Path) -> bytes | str:
    """The model with its durations as a second output, or its path when it has them or cannot."""
    try:
        import onnx
        from piper.patch_voice_with_alignment import add_alignment_output

        model = onnx.load(str(path))
        add_alignment_output(model)
        return bytes(model.SerializeToString())
    except ImportError:
        _log.warning("no lip times without the onnx package: pip install 'visavis[voices]'")
    except ValueError as error:
        _log.info("the voice is used as it is: %s", error)
    return str(path)
