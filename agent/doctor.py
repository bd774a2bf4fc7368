"""`visavis doctor`: what works here, what a call will use, and what to do to make it better."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import textwrap
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from avatar.clock import MonotonicClock
from avatar.media import UNIT_TICKS, AVUnit, VideoFrame
from models.cache import ModelCache
from models.hub import is_offline

from .brain import registry as brains
from .brain.detect import detect
from .config import ServerConfig
from .errors import AgentError, ConfigError
from .persona.load import find_personas, load
from .persona.schema import Persona
from .stt import registry as ears
from .transport.client import Caller
from .transport.peer import Peer
from .tts import registry as voices
from .tts.base import VoiceSpec

Verdict = Literal["ok", "better", "fail"]
MARKS = {"ok": "ok  ", "better": "note", "fail": "FAIL"}
PREFLIGHT_S = 10.0
SHADOWING = ("agent", "avatar", "models")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    verdict: Verdict
    text: str
    remedy: str = ""


def run_doctor(*, persona: str | None, as_json: bool) -> int:
    """Look at everything; 0 when a call works, 1 when something must be mended.

    Raises:
        ConfigError: there is no such persona.
    """
    findings = asyncio.run(examine(persona or ServerConfig().persona))
    if as_json:
        print(json.dumps([asdict(f) for f in findings], indent=2))
    else:
        for f in findings:
            print(to_text(f, shutil.get_terminal_size().columns))
    return 1 if any(f.verdict == "fail" for f in findings) else 0


def to_text(finding: Finding, columns: int) -> str:
    """A finding as the terminal shows it."""
    head = f"{MARKS[finding.verdict]}  {finding.what:15}"
    fill = partial(textwrap.fill, width=max(60, columns), break_long_words=False, break_on_hyphens=False)
    lines = [fill(finding.text, initial_indent=head, subsequent_indent=" " * len(head))]
    if finding.remedy:
        lines.append(fill(finding.remedy, initial_indent=" " * len(head) + "-> ", subsequent_indent=" " * len(head)))
    return "\n".join(lines)


async def examine(persona_id: str) -> list[Finding]:
    """All findings, in the order a person reads them."""
    paths = find_personas(ServerConfig().personas_dir)
    if persona_id not in paths:
        raise ConfigError(f"--persona {persona_id!r}: there is none of that name; found: {', '.join(sorted(paths))}")
    persona = load(paths[persona_id])
    cache = ModelCache()
    findings = [*_ears(persona, cache), *await _mind(persona), *_voice(persona, cache)]
    return [*findings, await _preflight(), *_shadows(), _offline(cache)]


def _ears(persona: Persona, cache: ModelCache) -> list[Finding]:
    models = cache.folders("whisper")
    choice = ears.choose("auto", models, persona.languages)
    remedy = "" if choice.engine == "whisper" else "visavis models fetch whisper-base.en (dictation: say anything)"
    verdict: Verdict = "ok" if choice.engine == "whisper" else "better"
    used = Finding("ears", verdict, f"will use {choice.engine}: {choice.why}. {choice.notice}".strip(), remedy)
    others = [
        Finding(f"  {name}", "ok" if lack is None else "better", lack or "can be used")
        for name, lack in ears.available(models).items()
    ]
    return [used, *others]


async def _mind(persona: Persona) -> list[Finding]:
    servers = await detect()
    choice = brains.choose(persona, os.environ, servers)
    if choice.name == "scripted":
        remedy = "start Ollama, or set OPENAI_API_KEY (and OPENAI_BASE_URL for another server)"
        return [Finding("mind", "better", f"will use the script: {choice.why}", remedy)]
    return [Finding("mind", "ok", f"will use {choice.why}")]


def _voice(persona: Persona, cache: ModelCache) -> list[Finding]:
    piper = cache.files("piper")
    language = persona.languages[0]
    voice = persona.voice_for(language)
    states = voices.available(piper)
    others = [Finding(f"  {s.engine}", "ok" if s.is_here else "better", s.reason) for s in states]
    try:
        choice = voices.choose(VoiceSpec(engine=voice.engine, id=voice.id, language=language), piper_voices=piper)
    except AgentError as error:
        return [Finding("voice", "fail", str(error), "install what is named below"), *others]
    remedy = {
        "piper": "",
        "flite": "visavis models fetch en_US-lessac-medium (a neural voice)",
        "espeak": "apt-get install libflite1 (a real speaker's voice), or visavis models fetch en_US-lessac-medium",
    }[choice.engine]
    verdict: Verdict = "ok" if choice.engine == "piper" else "better"
    return [Finding("voice", verdict, f"will use {choice.engine} {choice.voice}: {choice.why}", remedy), *others]


async def _preflight() -> Finding:
    """A short call with ourselves: ICE, DTLS, Opus and VP8 on this machine."""
    clock = MonotonicClock()
    has_sound, has_picture = asyncio.Event(), asyncio.Event()
    caller = Caller(
        clock=clock,
        on_sound=lambda sound: has_sound.set() if np.abs(sound.samples).max() > 1000 else None,
        on_picture=lambda picture: has_picture.set(),
    )
    peer = Peer(_TestTone(), clock=clock)
    try:
        async with asyncio.timeout(PREFLIGHT_S):
            await caller.connect_by(peer.answer, timeout_s=PREFLIGHT_S)
            await has_sound.wait()
            await has_picture.wait()
    except (AgentError, TimeoutError) as error:
        return Finding("call", "fail", f"a call with this machine itself does not work: {error or 'no media in time'}",
                       "allow UDP on the loopback interface (firewall, container, VPN)")  # fmt: skip
    finally:
        await caller.aclose()
        await peer.aclose()
    marks = caller.marks
    first_ms = round(((marks.first_picture_s or 0) - (marks.offered_s or 0)) * 1000)
    return Finding("call", "ok", f"ICE, sound and picture work on this machine (first picture after {first_ms} ms)")


def _shadows() -> list[Finding]:
    """A file of the user's own that would be imported instead of ours."""
    here = Path.cwd()
    root = Path(__file__).resolve().parent.parent
    found = [name for name in SHADOWING if (here / f"{name}.py").is_file() and here != root]
    return [
        Finding("imports", "fail", f"{here / name}.py hides a package of Visavis", "rename it, or start elsewhere")
        for name in found
    ]


def _offline(cache: ModelCache) -> Finding:
    if is_offline():
        return Finding("downloads", "better", "forbidden by VISAVIS_OFFLINE", "unset it to get better ears and voices")
    return Finding("downloads", "ok", f"models are kept in {cache.root}")


class _TestTone:
    """A unit source for the preflight: grey picture, 440 Hz."""

    def __init__(self) -> None:
        self._pts = 0
        self._picture = np.full((180 * 3 // 2, 320), 128, np.uint8)

    def next_unit(self) -> AVUnit:
        t = np.arange(self._pts, self._pts + UNIT_TICKS) / 48_000
        samples = (np.sin(2 * np.pi * 440 * t) * 8000).astype(np.int16)
        unit = AVUnit(samples, VideoFrame(self._picture, self._pts), self._pts, epoch=0)
        self._pts += UNIT_TICKS
        return unit
