"""Which voices this machine has, and which of them a persona gets."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import TtsError
from .base import VoiceSpec

ENGINES = {name: "agent.tts.process:WorkerTts" for name in ("piper", "flite", "espeak")}
"""Engine -> where it lives, best first; imported when first asked for."""
VOICES_EXTRA = "pip install 'visavis[voices]'"
GENERIC = ("default", "female", "male")
ESPEAK_VOICES = {"female": "en-us+Annie", "male": "en-us+max"}
FLITE_VOICES = {"female": "slt", "male": "rms"}
FLITE_IDS = ("slt", "rms", "awb", "kal16")
ESPEAK_ID = re.compile(r"[a-z]{2,3}(-[a-z0-9]+)*(\+[\w ]+)?")
PIPER_ID = re.compile(r"[a-z]{2,3}_[A-Z]{2}-\w+-(x_low|low|medium|high)")
PIPER_MALE = ("ryan", "joe", "john", "norman", "danny", "hfc_male", "kusal", "bryce", "alan", "northern_english_male")
"""Names of Piper's English male voices, from its voice list; the others are female or many-voiced."""
NOTICES = {
    "piper": "Voice: Piper {voice}, a neural voice made from a real speaker.",
    "flite": "Voice: Flite {voice}, a voice made from a real speaker. {better}",
    "espeak": "Voice: espeak-ng {voice}, a small synthetic voice. {better}",
}
BETTER = "A Piper voice sounds more natural: visavis models fetch"


@dataclass(frozen=True, slots=True)
class EngineState:
    """Whether an engine can speak here."""

    engine: str
    is_here: bool
    reason: str
    """Why, or why not and what to do."""


@dataclass(frozen=True, slots=True)
class VoiceChoice:
    """The engine and the concrete voice a spec comes to on this machine."""

    engine: str
    voice: str
    path: Path | None
    """Piper: the voice's ONNX file."""
    why: str
    notice: str
    """A plain line for the page and the terminal."""


def available(piper_voices: Mapping[str, Path] | None = None) -> tuple[EngineState, ...]:
    """Look what is here, without loading any of it.

    Args:
        piper_voices: voice id -> ONNX file on disk, as found in the model cache.
    """
    return (_piper_state(piper_voices or {}), _flite_state(), _espeak_state())


def load_engine(name: str) -> Any:
    """The class behind an engine's name.

    Raises:
        TtsError: no such engine.
    """
    if name not in ENGINES:
        raise TtsError(f"no voice engine {name!r}; there are {', '.join(ENGINES)}", retryable=False)
    module, _, attribute = ENGINES[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def choose(
    spec: VoiceSpec, *, piper_voices: Mapping[str, Path] | None = None, states: Sequence[EngineState] | None = None
) -> VoiceChoice:
    """Decide who speaks: the named engine, or the best that is here and knows the voice and language.

    A named engine that is not here, or a Piper voice that is not on disk, gives way to the best voice
    there is, and the notice says so: a call never waits for a download.

    Args:
        spec: what the persona asks for.
        piper_voices: voice id -> ONNX file on disk.
        states: what `available` said; looked up when absent.

    Raises:
        TtsError: no engine is here, or none knows the voice (`tts-voice-unknown`).
    """
    piper = piper_voices or {}
    found = {state.engine: state for state in (states if states is not None else available(piper))}
    here = [name for name in ENGINES if name in found and found[name].is_here]
    if not here:
        raise TtsError(f"no voice engine is here: {VOICES_EXTRA}, or install libflite1", retryable=False)
    if spec.engine not in ("auto", *here):
        reason = found[spec.engine].reason if spec.engine in found else "unknown"
        return _instead(spec, here, piper, f"{spec.engine} is not here: {reason}")
    if PIPER_ID.fullmatch(spec.id) and spec.id not in piper:
        return _instead(spec, here, piper, f"the voice {spec.id} is not on disk: visavis models fetch")
    for name in here if spec.engine == "auto" else [spec.engine]:
        if (voice := _voice_of(name, spec, piper)) is not None:
            why = "named by the persona" if name == spec.engine else f"the best engine here for voice {spec.id!r}"
            return _choice(name, voice, piper, why)
    raise _unknown(spec, piper)


def _instead(spec: VoiceSpec, here: Sequence[str], piper: Mapping[str, Path], why: str) -> VoiceChoice:
    """The best voice of the same language and gender, with a notice that says why."""
    wanted = spec.id if spec.id in GENERIC else _gender_of(spec.id)
    plain = VoiceSpec(id=wanted, language=spec.language)
    for name in here:
        if (voice := _voice_of(name, plain, piper)) is not None:
            choice = _choice(name, voice, piper, why)
            return replace(choice, notice=f"{choice.notice} ({why})")
    raise _unknown(spec, piper)


def _voice_of(engine: str, spec: VoiceSpec, piper: Mapping[str, Path]) -> str | None:
    """The engine's own name for what a spec asks, or None when it has no such voice."""
    language = spec.language.lower().replace("_", "-")
    if engine == "flite":
        if spec.id in FLITE_IDS:
            return spec.id
        return FLITE_VOICES[_gender(spec.id)] if spec.id in GENERIC and language.startswith("en") else None
    if engine == "espeak":
        if spec.id not in GENERIC:
            return spec.id if _looks_like_espeak(spec.id) or spec.engine == "espeak" else None
        return ESPEAK_VOICES[_gender(spec.id)] if language in ("en", "en-us") else _espeak_language(language, spec.id)
    if spec.id not in GENERIC:
        return spec.id if spec.id in piper else None
    return _piper_default(language, spec.id, piper)


def _piper_default(language: str, wanted: str, piper: Mapping[str, Path]) -> str | None:
    fitting = [voice for voice in sorted(piper) if voice.lower().replace("_", "-").startswith(language.split("-")[0])]
    of_gender = [voice for voice in fitting if wanted == "default" or _gender_of(voice) == wanted]
    return next(iter(of_gender or fitting), None)


def _espeak_language(language: str, wanted: str) -> str:
    return f"{language.split('-')[0]}+{'f2' if _gender(wanted) == 'female' else 'max'}"


def _gender(wanted: str) -> str:
    return "male" if wanted == "male" else "female"


def _gender_of(voice: str) -> str:
    parts = voice.replace("+", "-").split("-")
    return "male" if {"rms", "awb", "kal16", "max", *PIPER_MALE} & set(parts) else "female"


def _looks_like_espeak(voice: str) -> bool:
    """A language, with a region or a variant: "de", "en-us", "en+f3"; the worker knows for sure."""
    return ESPEAK_ID.fullmatch(voice) is not None


def _choice(engine: str, voice: str, piper: Mapping[str, Path], why: str) -> VoiceChoice:
    notice = NOTICES[engine].format(voice=voice, better=BETTER)
    return VoiceChoice(engine, voice, piper.get(voice) if engine == "piper" else None, why, notice)


def _unknown(spec: VoiceSpec, piper: Mapping[str, Path]) -> TtsError:
    on_disk = f"Piper: {', '.join(sorted(piper))}; " if piper else "no Piper voice is on disk (visavis models fetch); "
    return TtsError(
        f"no voice {spec.id!r} for engine {spec.engine!r} and language {spec.language!r}. Take default, female or "
        f"male, or: {on_disk}Flite: {', '.join(FLITE_IDS)}; espeak: en-us+Annie, en-us+max, de, fr ...",
        code="tts-voice-unknown",
        retryable=False,
    )


def _piper_state(piper_voices: Mapping[str, Path]) -> EngineState:
    if importlib.util.find_spec("piper") is None:
        return EngineState("piper", False, f"piper-tts is not installed: {VOICES_EXTRA}")
    if not piper_voices:
        return EngineState("piper", False, "no voice on disk: visavis models fetch")
    return EngineState("piper", True, f"{len(piper_voices)} voice(s) on disk: {', '.join(sorted(piper_voices))}")


def _espeak_state() -> EngineState:
    if importlib.util.find_spec("espeakng_loader") is None:
        return EngineState("espeak", False, f"espeakng-loader is not installed: {VOICES_EXTRA}")
    return EngineState("espeak", True, "embedded in the package espeakng-loader")


def _flite_state() -> EngineState:
    library = _flite_library()
    if library is None:
        return EngineState("flite", False, "libflite is not installed (Debian, Ubuntu: apt install libflite1)")
    return EngineState("flite", True, f"found {library}")


@lru_cache(maxsize=1)
def _flite_library() -> Path | None:
    folders = [*os.environ.get("LD_LIBRARY_PATH", "").split(":"), str(sysconfig.get_config_var("LIBDIR") or "")]
    multiarch = sysconfig.get_config_var("MULTIARCH")
    folders += [f"/usr/lib/{multiarch}", f"/lib/{multiarch}"] if multiarch else []
    folders += ["/usr/lib64", "/usr/lib", "/usr/local/lib"]
    for folder in filter(None, folders):
        if (library := Path(folder) / "libflite_cmu_us_slt.so.1").exists():
            return library
    return None
