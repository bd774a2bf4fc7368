# Part of the Visavis speech worker, a program of its own. Copyright (C) 2026 the Visavis authors.
# SPDX-License-Identifier: GPL-3.0-or-later
"""libflite 2 through ctypes: sound while it is made, and the finished utterance's phones and words."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

VOICES = ("slt", "rms", "awb", "kal16")
BLOCK_SAMPLES = 960
STOP, GO_ON = -1, 0
# The library keeps these pointers instead of copying the names: they must never be freed.
DURATION_STRETCH, F0_SHIFT, STREAMING_INFO = b"duration_stretch", b"f0_shift", b"streaming_info"

_Pointer = ctypes.c_void_p


class _Wave(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_char_p),
        ("sample_rate", ctypes.c_int),
        ("num_samples", ctypes.c_int),
        ("num_channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    ]


class _Streaming(ctypes.Structure):
    pass


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(_Wave), ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.POINTER(_Streaming)
)
_Streaming._fields_ = [("min_buffsize", ctypes.c_int), ("asc", _Callback), ("utterance", _Pointer)]


class _Voice(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("features", _Pointer)]


_SIGNATURES: dict[str, tuple[object, list[object]]] = {
    "flite_synth_text": (_Pointer, [ctypes.c_char_p, _Pointer]),
    "utt_relation": (_Pointer, [_Pointer, ctypes.c_char_p]),
    "relation_head": (_Pointer, [_Pointer]),
    "item_next": (_Pointer, [_Pointer]),
    "item_daughter": (_Pointer, [_Pointer]),
    "item_feat_string": (ctypes.c_char_p, [_Pointer, ctypes.c_char_p]),
    "item_feat_float": (ctypes.c_float, [_Pointer, ctypes.c_char_p]),
    "ffeature_float": (ctypes.c_float, [_Pointer, ctypes.c_char_p]),
    "ffeature_string": (ctypes.c_char_p, [_Pointer, ctypes.c_char_p]),
    "delete_utterance": (None, [_Pointer]),
    "feat_set_float": (None, [_Pointer, ctypes.c_char_p, ctypes.c_float]),
    "feat_set": (None, [_Pointer, ctypes.c_char_p, _Pointer]),
    "new_audio_streaming_info": (ctypes.POINTER(_Streaming), []),
    "audio_streaming_info_val": (_Pointer, [_Pointer]),
}


@dataclass(frozen=True, slots=True)
class Timeline:
    """What the sound will be, known before the first sample of it."""

    phones: tuple[tuple[float, str], ...]
    """(start in seconds, CMU phone; "1" behind a vowel with main stress)."""
    tokens: tuple[tuple[float, str], ...]
    """(start in seconds, the text between two blanks without its punctuation)."""
    end_s: float


OnSound = Callable[[bytes, int], bool]
"""(int16 bytes, rate in Hz); false stops the synthesis."""


class FliteLibrary:
    """The library with its voices; one thread may use it."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libflite.so.1", mode=ctypes.RTLD_GLOBAL)
        for part in ("usenglish", "cmulex"):
            ctypes.CDLL(f"libflite_{part}.so.1", mode=ctypes.RTLD_GLOBAL)
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments
        self._library.flite_init()
        self._voices: dict[str, int] = {}
        self._on_timeline: Callable[[Timeline], None] = lambda timeline: None
        self._on_sound: OnSound = lambda sound, rate_hz: False
        self._is_first = True
        # The library keeps the pointer: the object must live as long as the library.
        self._callback = _Callback(self._deliver)

    def open_voice(self, name: str) -> int:
        """Load a voice. Raises OSError when its library is not here."""
        if name not in self._voices:
            library = ctypes.CDLL(f"libflite_cmu_us_{name}.so.1", mode=ctypes.RTLD_GLOBAL)
            register = getattr(library, f"register_cmu_us_{name}")
            register.restype, register.argtypes = _Pointer, [ctypes.c_char_p]
            self._voices[name] = register(None)
            streaming = self._library.new_audio_streaming_info()
            streaming.contents.asc = self._callback
            streaming.contents.min_buffsize = BLOCK_SAMPLES
            value = self._library.audio_streaming_info_val(ctypes.cast(streaming, _Pointer))
            self._library.feat_set(self._features(name), STREAMING_INFO, value)
        return self._voices[name]

    def found_voices(self) -> list[str]:
        """Voices whose libraries lie beside this one; the default alone where the system does not tell."""
        try:
            maps = Path("/proc/self/maps").read_text()
        except OSError:
            return [VOICES[0]]
        folder = next(Path(line.split()[-1]).parent for line in maps.splitlines() if "/libflite.so" in line)
        return [name for name in VOICES if (folder / f"libflite_cmu_us_{name}.so.1").exists()]

    def set_manner(self, voice: str, *, stretch: float, pitch: float) -> None:
        """How slow (1 = as recorded) and how high (factor) a voice speaks from now on."""
        features = self._features(voice)
        self._library.feat_set_float(features, DURATION_STRETCH, stretch)
        self._library.feat_set_float(features, F0_SHIFT, pitch)

    def synthesize(self, text: str, voice: str, on_timeline: Callable[[Timeline], None], on_sound: OnSound) -> None:
        """Speak ASCII text: first the timeline, then the sound block by block."""
        self._on_timeline, self._on_sound, self._is_first = on_timeline, on_sound, True
        utterance = self._library.flite_synth_text(text.encode("ascii", "replace"), self.open_voice(voice))
        if utterance:
            self._library.delete_utterance(utterance)

    def _features(self, voice: str) -> int:
        return int(ctypes.cast(self._voices[voice], ctypes.POINTER(_Voice)).contents.features)

    def _deliver(self, wave: ctypes._Pointer[_Wave], start: int, size: int, is_last: int, info: object) -> int:
        streaming = info.contents  # type: ignore[attr-defined]
        if self._is_first:
            self._is_first = False
            self._on_timeline(self._timeline(streaming.utterance))
        address = ctypes.addressof(wave.contents.samples.contents) + 2 * start
        return GO_ON if self._on_sound(ctypes.string_at(address, 2 * size), wave.contents.sample_rate) else STOP

    def _timeline(self, utterance: int) -> Timeline:
        phones, start_s = [], 0.0
        for segment in self._items(utterance, b"Segment"):
            name = self._library.item_feat_string(segment, b"name").decode()
            # A vowel is where a syllable's stress is heard; CMU writes it as a digit behind the vowel.
            has_stress = name[0] in "aeiou" and self._stress(segment) == b"1"
            phones.append((start_s, f"{name}1" if has_stress else name))
            start_s = self._library.item_feat_float(segment, b"end")
        tokens = []
        for token in self._items(utterance, b"Token"):
            word = self._library.item_daughter(token)
            if word:
                path = b"R:SylStructure.daughter1.daughter1.R:Segment.p.end"
                name = self._library.item_feat_string(token, b"name").decode("ascii", "replace")
                tokens.append((self._library.ffeature_float(word, path), name))
        return Timeline(tuple(phones), tuple(tokens), start_s)

    def _stress(self, segment: int) -> bytes:
        return self._library.ffeature_string(segment, b"R:SylStructure.parent.stress") or b"0"

    def _items(self, utterance: int, relation: bytes) -> Iterator[int]:
        item = self._library.relation_head(self._library.utt_relation(utterance, relation))
        while item:
            yield item
            item = self._library.item_next(item)
