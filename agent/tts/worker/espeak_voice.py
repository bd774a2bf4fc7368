# Part of the Visavis speech worker, a program of its own. Copyright (C) 2026 the Visavis authors.
# SPDX-License-Identifier: GPL-3.0-or-later
"""espeak-ng as a voice: exact phoneme starts, stops corrected to their closure, pleasant settings."""

from __future__ import annotations

import re
from typing import Any

import espeak_library as espeak
import numpy as np
from espeak_library import EspeakLibrary, Mark
from polish import Polish, gain_for
from request import CALIBRATION, Begin, Request, SpeakError
from utterance import PAUSE, Utterance
from words import SpokenText, prepare, spread

PACE_WPM = 155
PITCH_SCALE = ((-6.5, -4.0, -2.5, -1.1, 0.0, 1.8, 3.5, 5.3, 8.9), (0, 20, 30, 40, 48, 60, 70, 80, 99))
"""Semitones -> the library's pitch (measured: median pitch of en-us+f2); 48 is our normal."""
RANGE = 70
"""At the library's 50 the melody spans 25 Hz and drones; at 70 it spans 35 Hz (en-us)."""
SHELF_DB = -5.0
LICENCE = "GPL-3.0-or-later (espeak-ng)"
ALPHABET = "espeak"
MAIN_STRESS = "'"
_MARKS = re.compile(r"^[',%=|]+")
STOPS = {"p", "t", "k", "tS", "t2", "t#", "b", "d", "g", "dZ"}
CLOSURE_S = 0.045
"""The library marks a voiceless stop at its burst, 35-45 ms after the mouth closed (300 sentences)."""
STEP_S = 0.005
RECENT_S = 0.25
"""How much sound is kept to walk back in: a block of the library and a closure."""
QUIET = 250
"""int16; the closure's noise stays below, every vowel's tail above."""


class EspeakVoice:
    """The engine."""

    def __init__(self) -> None:
        self._library = EspeakLibrary()
        self._voice = ""
        self._gains: dict[str, float] = {}

    def voices(self) -> list[dict[str, Any]]:
        names = [("en-us+Annie", "en-us", "female"), ("en-us+f2", "en-us", "female"), ("en-us", "en-us", "male")]
        names += [("en-us+max", "en-us", "male")]
        names += [(name, name, "unknown") for name in sorted(self._languages()) if name != "en-us"]
        return [
            {
                "engine": "espeak", "id": name, "language": language, "gender": gender,
                "licence": LICENCE, "sample_rate_hz": self._library.rate_hz,
            }
            for name, language, gender in names
        ]  # fmt: skip

    def load(self, voice: str) -> None:
        self._set_voice(voice)
        if voice not in self._gains:
            self._set_manner(Request(text="", voice=voice), (1.0, 1.0))
            blocks: list[bytes] = []

            def keep(sound: bytes, marks: list[Mark]) -> bool:
                blocks.append(sound)
                return True

            self._library.synthesize(CALIBRATION, keep)
            self._gains[voice] = gain_for(_to_float(b"".join(blocks)), self._library.rate_hz)

    def speak(self, request: Request, begin: Begin) -> int:
        self.load(request.voice)
        self._set_manner(request, request.jitter())
        spoken = prepare(request.text, request.pronounce, has_phonemes=True)
        gain = self._gains[request.voice] * request.volume
        polish = Polish(self._library.rate_hz, gain=gain, shelf_db=SHELF_DB, has_room=True)
        utterance = begin(self._library.rate_hz, ALPHABET, polish)
        listener = Listener(utterance, spoken)
        self._library.synthesize(spoken.text, listener, has_phonemes="[[" in spoken.text)
        return listener.finish()

    def _set_manner(self, request: Request, jitter: tuple[float, float]) -> None:
        rate, pitch = jitter
        self._library.set(espeak.RATE, round(PACE_WPM * request.rate * rate))
        semitones = request.pitch_semitones + 12 * np.log2(pitch)
        self._library.set(espeak.PITCH, round(float(np.interp(semitones, *PITCH_SCALE))))
        self._library.set(espeak.RANGE, RANGE)
        self._library.set(espeak.WORD_GAP, 0)
        self._library.set(espeak.VOLUME, 85 if "klatt" in request.voice else 100)

    def _set_voice(self, name: str) -> None:
        # The library takes an unknown variant for success and speaks with the base voice.
        base, _, variant = name.partition("+")
        variants = {file.name for file in (self._library.data / "voices" / "!v").iterdir()}
        if not base or (variant and variant not in variants) or not self._library.set_voice(name):
            raise SpeakError(
                "tts-voice-unknown",
                f"espeak-ng has no voice {name!r}: take a language such as en-us, de, fr, "
                f"with a variant such as +Annie, +f2, +max if you like (en-us+Annie)",
            )

    def _languages(self) -> set[str]:
        return {file.name.lower() for file in (self._library.data / "lang").rglob("*") if file.is_file()}


class Listener:
    """Takes the library's callbacks of one utterance and feeds the utterance with corrected marks."""

    def __init__(self, utterance: Utterance, spoken: SpokenText) -> None:
        self._utterance = utterance
        self._words = spoken.words
        self._word_at = spoken.word_at
        self._rate_hz = utterance.rate_hz
        self._num_samples = 0
        self._recent = np.zeros(0, np.int32)
        self._last = 0
        self._num_added = 0
        self._group_start = 0

    def __call__(self, sound: bytes, marks: list[Mark]) -> bool:
        if sound:
            loudness = np.abs(np.frombuffer(sound, np.int16).astype(np.int32))
            self._num_samples += len(loudness)
            self._recent = np.concatenate([self._recent, loudness])[-int(RECENT_S * self._rate_hz) :]
            self._utterance.add_sound(_to_float(sound))
        for mark in marks:
            if mark.type == espeak.PHONEME:
                self._add_phoneme(mark.sample, clean_symbol(mark.symbol))
            elif (index := self._word_at(mark.text_position)) is not None and index > self._num_added:
                self._add_words(index, mark.sample)
        # A stop that is still to come may reach back by its closure.
        return self._utterance.flush(min(self._group_start, self._num_samples - int(CLOSURE_S * self._rate_hz)))

    def finish(self) -> int:
        self._add_words(len(self._words), self._num_samples)
        return self._utterance.finish()

    def _add_words(self, until: int, end: int) -> None:
        """Place the words before index `until`: all that were said since the last mark."""
        for start, word in spread(self._words[self._num_added : until], self._group_start, end):
            self._utterance.add_word(start, word.text, word.position)
        self._num_added, self._group_start = until, end

    def _add_phoneme(self, sample: int, symbol: str) -> None:
        if symbol in STOPS:
            sample = self._closure(sample)
        self._utterance.add_phoneme(sample, symbol)
        self._last = sample

    def _closure(self, burst: int) -> int:
        """Walk back from the burst through the silence in which the mouth is already shut."""
        oldest = self._num_samples - len(self._recent)
        floor = max(self._last, burst - int(CLOSURE_S * self._rate_hz), oldest)
        step, start = int(STEP_S * self._rate_hz), burst
        while start - step >= floor and self._recent[start - step - oldest : start - oldest].max(initial=0) < QUIET:
            start -= step
        return start


def clean_symbol(symbol: str) -> str:
    """An espeak mnemonic with no mark but its main stress ("'"); every pause becomes "_"."""
    bare = _MARKS.sub("", symbol).rstrip("|~")
    if not bare or bare.startswith("_"):
        return PAUSE
    return f"{MAIN_STRESS}{bare}" if MAIN_STRESS in symbol else bare


def _to_float(sound: bytes) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.frombuffer(sound, np.int16).astype(np.float32) / 32768.0
