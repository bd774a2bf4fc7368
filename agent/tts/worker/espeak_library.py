# Part of the Visavis speech worker, a program of its own. Copyright (C) 2026 the Visavis authors.
# SPDX-License-Identifier: GPL-3.0-or-later
"""libespeak-ng through ctypes: sound in callbacks, each with the marks that begin in it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import espeakng_loader

SYNCHRONOUS = 2
PHONEME_EVENTS = 1
DONT_EXIT = 0x8000
BUFFER_MS = 40
POSITION_CHARACTER = 1
CHARS_UTF8, PHONEME_INPUT, END_PAUSE = 1, 0x100, 0x1000
RATE, VOLUME, PITCH, RANGE, WORD_GAP = 1, 2, 3, 4, 7
WORD, PHONEME = 1, 7


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True, slots=True)
class Mark:
    """A word or phoneme begins at `sample`."""

    type: int
    sample: int
    text_position: int
    """Words: index of the first character."""
    symbol: str
    """Phonemes: espeak's ASCII mnemonic."""


OnSound = Callable[[bytes, list[Mark]], bool]


class EspeakLibrary:
    """The one copy of the library; it is global state, so one thread may use it."""

    def __init__(self) -> None:
        self.data = Path(espeakng_loader.get_data_path())
        self._library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
        self._library.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
        self._library.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
        self._library.espeak_Synth.argtypes = [
            ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int,
            ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p,
        ]  # fmt: skip
        options = PHONEME_EVENTS | DONT_EXIT
        self.rate_hz = self._library.espeak_Initialize(SYNCHRONOUS, BUFFER_MS, str(self.data).encode(), options)
        if self.rate_hz <= 0:
            raise OSError(f"espeak-ng does not start with the data in {self.data}")
        self._on_sound: OnSound = lambda sound, marks: False
        # The library keeps the pointer: the object must live as long as the library.
        self._callback = _Callback(self._deliver)
        self._library.espeak_SetSynthCallback(self._callback)

    def set_voice(self, name: str) -> bool:
        """Choose a voice by file name; false leaves the old one in place."""
        return bool(self._library.espeak_SetVoiceByName(name.encode()) == 0)

    def set(self, parameter: int, value: int) -> None:
        self._library.espeak_SetParameter(parameter, value, 0)

    def synthesize(self, text: str, on_sound: OnSound, *, has_phonemes: bool = False) -> None:
        """Speak; `on_sound(int16 bytes, marks)` returning false stops at once."""
        self._on_sound = on_sound
        spoken = text.encode() + b"\0"
        flags = CHARS_UTF8 | END_PAUSE | (PHONEME_INPUT if has_phonemes else 0)
        code = self._library.espeak_Synth(spoken, len(spoken), 0, POSITION_CHARACTER, 0, flags, None, None)
        if code:
            raise OSError(f"espeak_Synth returned {code}")

    def _deliver(self, samples: object, num_samples: int, events: ctypes.Array[_Event]) -> int:
        sound = ctypes.string_at(samples, num_samples * 2) if samples and num_samples > 0 else b""  # type: ignore[arg-type]
        marks = []
        index = 0
        while (event := events[index]).type:
            if event.type == PHONEME:
                marks.append(Mark(PHONEME, event.sample, -1, _symbol(event.id.string)))
            elif event.type == WORD:
                # The library counts characters from 1.
                marks.append(Mark(WORD, event.sample, event.text_position - 1, ""))
            index += 1
        return 0 if self._on_sound(sound, marks) else 1


def _symbol(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("utf-8", "replace")
