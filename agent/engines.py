"""Everything a process keeps warm for its calls, and what one call gets of it.

`auto` takes the best engine whose model is on this disk and never waits for a download; better models
are fetched in the background and used by the next call.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avatar.clock import Clock
from avatar.face import Face
from avatar.identity import Identity
from avatar.render.base import Renderer
from avatar.render.warp import WarpRenderer, warm_up

from .brain.base import Brain
from .brain.scripted import ScriptedBrain
from .config import ServerConfig
from .persona.schema import Persona
from .persona.script import persona_words, script_lines
from .pipeline.smart_turn import TurnModel
from .stt.base import SttEngine, SttStream
from .stt.pocketsphinx import PocketsphinxEngine
from .tts.base import TtsEngine, VoiceSpec
from .tts.process import WorkerTts
from .tts.registry import VoiceChoice, choose

AVATARS = Path(__file__).resolve().parent.parent / "avatar" / "identities"
DEFAULT_AVATAR = "mira"
OnStep = Callable[[str], None]
Report = Callable[[Exception, str], None]


@dataclass(slots=True)
class CallEngines:
    """What one call hears, thinks, speaks and shows itself with; closed with the call."""

    hearing: SttStream
    turn_model: TurnModel
    brain: Brain
    tts: TtsEngine
    voice: VoiceSpec
    face: Face
    render_thread: ThreadPoolExecutor
    slots: dict[str, Any]

    def describe(self) -> dict[str, Any]:
        """Which engines talk, per slot; see `events.EnginesChanged`."""
        return self.slots

    def on_trouble(self, report: Report) -> None:
        """Tell `report` of failures that were bridged."""

    async def aclose(self) -> None:
        await self.hearing.aclose()
        await self.brain.aclose()
        await self.face.aclose()
        self.render_thread.shutdown(wait=False)


class Engines:
    """The warm engines of a process."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        self._stt_thread = ThreadPoolExecutor(1, thread_name_prefix="stt")
        self.stt: SttEngine = PocketsphinxEngine(self._stt_thread)
        self.tts: TtsEngine = WorkerTts()
        self.turn_model: TurnModel | None = None
        self._identities: dict[str, Identity] = {}

    @classmethod
    async def warm(cls, config: ServerConfig, on_step: OnStep, *, is_for_calls: bool = True) -> Engines:
        """Load and warm up everything, the slow parts side by side.

        Args:
            config: which engines are wished.
            on_step: told each step in plain words.
            is_for_calls: False leaves the ears out (offline rendering).
        """
        engines = cls(config)
        on_step("warming up ears, voice and face")
        work = [engines.tts.start(), asyncio.to_thread(engines._load_face)]
        if is_for_calls:
            work += [engines.stt.start(), asyncio.to_thread(engines._load_turn_model)]
        try:
            await asyncio.gather(*work)
        except BaseException:
            await engines.aclose()
            raise
        return engines

    async def open(self, persona: Persona, clock: Clock) -> CallEngines:
        """Everything one call needs; the caller closes it."""
        if self.turn_model is None:
            raise RuntimeError("these engines were warmed for rendering only")
        hearing = await self.stt.open(
            script=script_lines(persona), words=persona_words(persona), language=persona.languages[0]
        )
        render_thread = ThreadPoolExecutor(1, thread_name_prefix="render")
        face = Face(self.renderer(persona), executor=render_thread, clock=clock, seed=int.from_bytes(os.urandom(4)))
        await face.start()
        brain = ScriptedBrain(persona, seed=os.urandom(4).hex())
        choice = self.choose_voice(persona)
        voice = to_voice_spec(persona, choice)
        return CallEngines(hearing, self.turn_model, brain, self.tts, voice, face, render_thread, self.describe())

    def renderer(self, persona: Persona) -> Renderer:
        """A renderer of the persona's face."""
        return WarpRenderer(self.identity(persona.face.avatar or DEFAULT_AVATAR))

    def identity(self, avatar: str) -> Identity:
        """A prepared face, loaded once."""
        if avatar not in self._identities:
            self._identities[avatar] = Identity.load(AVATARS / avatar / "identity.npz")
        return self._identities[avatar]

    def portrait(self, persona: Persona) -> Path:
        """The picture shown before the call."""
        return AVATARS / (persona.face.avatar or DEFAULT_AVATAR) / "portrait.png"

    def choose_voice(self, persona: Persona) -> VoiceChoice:
        """Which voice a persona gets on this machine."""
        return choose(to_voice_spec(persona, None))

    def describe(self) -> dict[str, Any]:
        """Which engines a call would use now, per slot."""
        return {}

    async def aclose(self) -> None:
        await self.tts.aclose()
        await self.stt.aclose()
        self._stt_thread.shutdown(wait=False, cancel_futures=True)
        if self.turn_model is not None:
            self.turn_model.close()

    def _load_face(self) -> None:
        warm_up(self.identity(DEFAULT_AVATAR))

    def _load_turn_model(self) -> None:
        self.turn_model = TurnModel()


def to_voice_spec(persona: Persona, choice: VoiceChoice | None) -> VoiceSpec:
    """A persona's voice as the engines take it, with the engine and voice that were chosen."""
    language = persona.languages[0]
    voice = persona.voice_for(language)
    return VoiceSpec(
        engine=choice.engine if choice else voice.engine,  # type: ignore[arg-type]  # the registry names only these
        id=choice.voice if choice else voice.id,
        rate=voice.rate,
        pitch_semitones=voice.pitch,
        volume=voice.volume,
        speaker=voice.speaker,
        language=language,
        pronounce=voice.pronounce,
    )
