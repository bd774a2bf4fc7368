"""Which recogniser a call gets: the best whose model is on this disk, and why."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from .base import SttEngine

ENGINES: Mapping[str, str] = {
    "whisper": "agent.stt.whisper:WhisperEngine",
    "pocketsphinx": "agent.stt.pocketsphinx:PocketsphinxEngine",
}
"""Name to class, imported when used; best first."""
_LIBRARIES = {"whisper": "faster_whisper", "pocketsphinx": "pocketsphinx"}
_EXTRAS = {"whisper": "pip install 'visavis[whisper]'", "pocketsphinx": "pip install pocketsphinx"}


@dataclass(frozen=True, slots=True)
class SttChoice:
    """An engine, and what to tell people of it."""

    engine: str
    model_name: str | None
    """Of the catalog; None for an engine that needs none."""
    model_path: Path | None
    why: str
    notice: str
    """For the page: what this means for the talk. "" when nothing is amiss."""


def available(whisper_models: Mapping[str, Path]) -> dict[str, str | None]:
    """Each engine's name with what it lacks: None = can be used now. Imports nothing."""
    lacks: dict[str, str | None] = {}
    for name, library in _LIBRARIES.items():
        missing = importlib.util.find_spec(library) is None
        lacks[name] = f"not installed: {_EXTRAS[name]}" if missing else None
    if lacks["whisper"] is None and not whisper_models:
        lacks["whisper"] = "no model on this disk: visavis models fetch whisper-base.en"
    return lacks


def choose(
    wish: str,
    whisper_models: Mapping[str, Path],
    languages: Sequence[str],
    *,
    has_faster_whisper: bool | None = None,
) -> SttChoice:
    """Choose for a call; never fails, since a call with weak ears is better than none.

    Args:
        wish: auto | whisper | pocketsphinx, as the configuration says.
        whisper_models: those on disk, best first: name to folder.
        languages: of the persona, BCP 47, the first is spoken first.
        has_faster_whisper: default: whether it can be imported.
    """
    if has_faster_whisper is None:
        has_faster_whisper = importlib.util.find_spec(_LIBRARIES["whisper"]) is not None
    language = languages[0].lower().split("-")[0] if languages else "en"
    fitting = {name: path for name, path in whisper_models.items() if language == "en" or not name.endswith(".en")}
    if wish != "pocketsphinx" and has_faster_whisper and fitting:
        name, path = next(iter(fitting.items()))
        why = "you asked for it" if wish == "whisper" else "the best ears on this disk"
        return SttChoice("whisper", name, path, why, "")
    return SttChoice("pocketsphinx", None, None, _why_embedded(wish, has_faster_whisper), _notice(language))


def _why_embedded(wish: str, has_faster_whisper: bool) -> str:
    if wish == "pocketsphinx":
        return "you asked for it"
    lack = "no fitting Whisper model on this disk" if has_faster_whisper else "faster-whisper is not installed"
    return f"built in; {lack}"


def _notice(language: str) -> str:
    if language != "en":
        return "The built-in recogniser hears English only: please type, or fetch a Whisper model."
    return (
        "The built-in recogniser understands English close to this persona's script, not free talk. "
        "Type, or fetch a Whisper model, to say anything."
    )


def make(choice: SttChoice, executor: Executor) -> SttEngine:
    """The engine of a choice, not started. The executor has one thread and serves all hearing."""
    module_name, _, class_name = ENGINES[choice.engine].partition(":")
    engine_class = getattr(importlib.import_module(module_name), class_name)
    if choice.model_path is None:
        engine: SttEngine = engine_class(executor)
    else:
        engine = engine_class(executor, choice.model_path, name=choice.model_name)
    return engine
