# Part of the Visavis speech worker, a program of its own. Copyright (C) 2026 the Visavis authors.
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flite as a voice: statistical voices of real speakers, English, exact ends of CMU phones."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
from flite_library import VOICES, FliteLibrary, Timeline
from polish import Polish, gain_for
from request import CALIBRATION, Begin, Request, SpeakError
from utterance import PAUSE, Utterance
from words import SpokenText, TextWord, prepare, spread

ALPHABET = "cmu"
RATE_HZ = 16_000
LICENCE = "BSD-like (CMU Flite, with the licence of its voice)"
GENDERS = {"slt": "female", "rms": "male", "awb": "male", "kal16": "male"}
PAUSES = ("pau", "brth", "ssil")
PLAIN = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-"})


class FliteVoice:
    """The engine."""

    def __init__(self) -> None:
        self._library = FliteLibrary()
        self._gains: dict[str, float] = {}

    def voices(self) -> list[dict[str, Any]]:
        return [
            {
                "engine": "flite", "id": name, "language": "en-us", "gender": GENDERS[name],
                "licence": LICENCE, "sample_rate_hz": RATE_HZ,
            }
            for name in self._library.found_voices()
        ]  # fmt: skip

    def load(self, voice: str) -> None:
        if voice not in VOICES:
            raise SpeakError("tts-voice-unknown", f"flite has no voice {voice!r}; there are {', '.join(VOICES)}")
        if voice in self._gains:
            return
        try:
            self._library.open_voice(voice)
        except OSError as error:
            raise SpeakError(
                "tts-voice-unknown", f"the library of flite's voice {voice} is not here: {error}"
            ) from error
        self._set_manner(Request(text="", voice=voice), (1.0, 1.0))
        blocks: list[bytes] = []

        def keep(sound: bytes, rate_hz: int) -> bool:
            blocks.append(sound)
            return True

        self._library.synthesize(CALIBRATION, voice, lambda timeline: None, keep)
        self._gains[voice] = gain_for(_to_float(b"".join(blocks)), RATE_HZ)

    def speak(self, request: Request, begin: Begin) -> int:
        self.load(request.voice)
        self._set_manner(request, request.jitter())
        spoken = prepare(request.text, request.pronounce, has_phonemes=False)
        polish = Polish(RATE_HZ, gain=self._gains[request.voice] * request.volume)
        speaker = _Speaker(begin(RATE_HZ, ALPHABET, polish), spoken)
        self._library.synthesize(to_ascii(spoken.text), request.voice, speaker.take_timeline, speaker.take_sound)
        return speaker.utterance.finish()

    def _set_manner(self, request: Request, jitter: tuple[float, float]) -> None:
        rate, pitch = jitter
        pitch *= 2 ** (request.pitch_semitones / 12)
        self._library.set_manner(request.voice, stretch=1 / (request.rate * rate), pitch=pitch)


class _Speaker:
    """Feeds an utterance from the library's callbacks."""

    def __init__(self, utterance: Utterance, spoken: SpokenText) -> None:
        self.utterance = utterance
        self._spoken = spoken

    def take_timeline(self, timeline: Timeline) -> None:
        for start_s, phone in timeline.phones:
            self.utterance.add_phoneme(round(start_s * RATE_HZ), PAUSE if phone in PAUSES else phone)
        self._add_words(timeline)

    def _add_words(self, timeline: Timeline) -> None:
        """Find each token in the text; words that are no token of their own share the one before."""
        plain, words = to_ascii(self._spoken.text), self._spoken.words
        cursor, first, first_start = 0, 0, 0
        for start_s, name in timeline.tokens:
            found = plain.find(name, cursor)
            index = self._spoken.word_at(found) if found >= 0 else None
            cursor = found + len(name) if found >= 0 else cursor
            if index is not None and (index > first or first_start == 0):
                self._share(words[first:index], first_start, round(start_s * RATE_HZ))
                first, first_start = index, round(start_s * RATE_HZ)
        self._share(words[first:], first_start, round(timeline.end_s * RATE_HZ))

    def _share(self, words: Sequence[TextWord], start: int, end: int) -> None:
        for sample, word in spread(words, start, end):
            self.utterance.add_word(sample, word.text, word.position)

    def take_sound(self, sound: bytes, rate_hz: int) -> bool:
        self.utterance.add_sound(_to_float(sound))
        return self.utterance.flush()


def to_ascii(text: str) -> str:
    """The same number of characters, each as near as ASCII comes to it; flite reads no other."""
    return "".join(_ascii(character) for character in text.translate(PLAIN))


def _ascii(character: str) -> str:
    base = unicodedata.normalize("NFKD", character)[:1]
    return base if base.isascii() and (base.isprintable() or base.isspace()) else " "


def _to_float(sound: bytes) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.frombuffer(sound, np.int16).astype(np.float32) / 32768.0
