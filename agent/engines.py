"""Everything a process keeps warm for its calls, and what one call gets of it.

`auto` takes the best engine whose model is on this disk and never waits for a download; better models
are fetched in the background (`upgrade`) and used by the next call.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TypeVar

from avatar.clock import Clock, MonotonicClock
from avatar.face import Face
from avatar.identity import Identity, load_identity
from avatar.render.base import Renderer
from avatar.render.warp import WarpRenderer, warm_up
from models.cache import ModelCache

from .brain import registry as brains
from .brain.detect import DetectedServer, detect
from .call_engines import CallEngines, Slots
from .config import ServerConfig
from .errors import ConfigError, SttError, TtsError
from .persona.load import find_personas, load
from .persona.schema import Persona
from .persona.script import persona_words, script_lines
from .pipeline.smart_turn import TurnModel
from .stt import registry as ears
from .stt.warm import WarmEars
from .tts.base import VoiceSpec
from .tts.process import WorkerTts
from .tts.registry import VoiceChoice

AVATARS = Path(__file__).resolve().parent.parent / "avatar" / "identities"
DEFAULT_AVATAR = "mira"
DETECTED_FOR_S = 5.0
"""A language model that was just started is found by the next call; asking more often finds nothing new."""
COMPILES_AFTER_S = 4.0
"""A face that is not warm by then is being compiled: from numba's cache it takes one."""
OnStep = Callable[[str], None]
_T = TypeVar("_T")


class Engines:
    """The warm engines of a process; made by `warm`."""

    def __init__(self, config: ServerConfig) -> None:
        self.config = config
        self.cache = ModelCache()
        self.broken: dict[str, str] = {}
        """Models on this disk that cannot be used, and why; they are passed over."""
        self.tts = WorkerTts(piper_voices=self.piper_voices())
        self.turn_model: TurnModel | None = None
        self.progress: Slots = {}
        """Slot -> what is being fetched for it, and what is wrong; see `upgrade`."""
        self.port: int | None = None
        """Where the server of these engines listens."""
        self.ears = WarmEars(ears.choose(config.stt, self.cache.folders("whisper"), ("en",)))
        self._detected: list[DetectedServer] = []
        self._detected_s = float("-inf")
        self._clock: Clock = MonotonicClock()
        self._default: Persona | None = None

    @classmethod
    async def warm(cls, config: ServerConfig, on_step: OnStep, *, is_for_calls: bool = True) -> Engines:
        """Load and warm up everything, the slow parts side by side.

        Args:
            config: which engines are wished.
            on_step: told each step in plain words.
            is_for_calls: False leaves ears and mind out (offline rendering).

        Raises:
            AgentError: a wished engine cannot be had; the text says what to do.
        """
        engines = cls(config)
        on_step("warming up ears, mind, voice and face")
        work = [engines.warm_voice(), engines._warm_face(on_step)]
        if is_for_calls:
            work += [engines.load_ears(), asyncio.to_thread(engines._load_turn_model), engines.detect_brains()]
        try:
            await asyncio.gather(*work)
            engines._check_voice_wish()
            if is_for_calls:
                engines._check_wishes()
        except BaseException:
            await engines.aclose()
            raise
        return engines

    async def open(self, persona: Persona, clock: Clock) -> CallEngines:
        """Everything one call needs; the caller closes it.

        Raises:
            AgentError: an engine does not work.
        """
        if self.turn_model is None:
            raise RuntimeError("these engines were warmed for rendering only")
        await self.detect_brains()
        mind = self.choose_brain(persona)
        await asyncio.to_thread(brains.story_of, persona)
        voice = await self.load_voice(persona)
        own = self.describe(persona, voice)
        async with AsyncExitStack() as stack:
            render_thread = ThreadPoolExecutor(1, thread_name_prefix="render")
            stack.callback(render_thread.shutdown, wait=False)
            face = Face(self.renderer(persona), executor=render_thread, clock=clock, seed=int.from_bytes(os.urandom(4)))
            stack.push_async_callback(face.aclose)
            await face.start()
            call: CallEngines
            brain = mind.factory(
                seed=os.urandom(4).hex(),
                clock=clock,
                on_error=lambda error: call.trouble(error),
                on_back=lambda: call.recovered(),
            )
            stack.push_async_callback(brain.aclose)
            hearing = await stack.enter_async_context(
                self.ears.open(
                    script=script_lines(persona), words=persona_words(persona), language=persona.languages[0]
                )
            )
            call = CallEngines(
                hearing=hearing,
                turn_model=self.turn_model,
                brain=brain,
                tts=self.tts,
                voice=self.voice_spec(persona, voice),
                face=face,
                own=own,
                stack=stack.pop_all(),
            )
        return call

    def renderer(self, persona: Persona) -> Renderer:
        """A renderer of the persona's face."""
        return WarpRenderer(identity(persona.face.avatar or DEFAULT_AVATAR))

    def portrait(self, persona: Persona) -> Path:
        """The picture shown before the call."""
        return AVATARS / (persona.face.avatar or DEFAULT_AVATAR) / "portrait.png"

    def voice_spec(self, persona: Persona, choice: VoiceChoice | None = None) -> VoiceSpec:
        """A persona's voice as the engines take it; with a choice, exactly that voice."""
        spec = to_voice_spec(persona)
        if choice is not None:
            return replace(spec, engine=choice.engine, id=choice.voice)  # type: ignore[arg-type]  # a name of ENGINES
        if self.config.tts != "auto":
            return replace(spec, engine=self.config.tts)
        return spec

    def choose_brain(self, persona: Persona) -> brains.BrainChoice:
        """Which mind a persona gets now."""
        if self.config.brain != "scripted":
            return brains.choose(persona, os.environ, self._detected)
        scripted = persona.brain.model_copy(update={"kind": "scripted"})
        choice = brains.choose(persona.model_copy(update={"brain": scripted}), {})
        return replace(choice, why="you asked for it")

    def describe(self, persona: Persona | None = None, voice: VoiceChoice | None = None) -> Slots:
        """Which engines a call would use now, per slot; see `events.EnginesChanged`."""
        persona = persona or self.default_persona()
        mind, ear = self.choose_brain(persona), self.ears.choice
        voice = voice or self.tts.choose(self.voice_spec(persona))
        slots: Slots = {
            "stt": _slot(ear.model_name or ear.engine, ear.engine == "whisper", ear.why, ear.notice),
            "brain": _slot(mind.name, mind.name != "scripted", mind.why, mind.notice),
            "tts": _slot(f"{voice.engine} {voice.voice}", voice.engine == "piper", voice.why, voice.notice),
        }
        for slot, news in self.progress.items():
            slots[slot].update(news)
        return slots

    def default_persona(self) -> Persona:
        """The persona that answers when the caller chooses none.

        Raises:
            ConfigError: there is none of that name.
        """
        if self._default is None:
            paths = find_personas(self.config.personas_dir)
            if self.config.persona not in paths:
                known = ", ".join(sorted(paths)) or f"none in {self.config.personas_dir}"
                raise ConfigError(f"--persona {self.config.persona!r}: there is none of that name; found: {known}")
            self._default = load(paths[self.config.persona])
        return self._default

    def piper_voices(self) -> dict[str, Path]:
        """Voice -> its file, of the Piper voices on this disk, copied in by hand or fetched."""
        return {name: path for name, path in self.cache.files("piper").items() if name not in self.broken}

    async def detect_brains(self) -> None:
        """Look for a language model on this machine, unless that was just done or is not wished."""
        now_s = self._clock.now_s()
        if self.config.brain == "scripted" or now_s - self._detected_s < DETECTED_FOR_S:
            return
        self._detected_s = now_s
        self._detected = await detect(own_port=self.port)

    async def load_ears(self) -> None:
        """Load the best ears on this disk; calls that have others keep them.

        Raises:
            SttError: the ears that were asked for by name, or the built-in ones, cannot be loaded.
        """
        while True:
            here = {name: path for name, path in self.cache.folders("whisper").items() if name not in self.broken}
            choice = ears.choose(self.config.stt, here, self.default_persona().languages)
            try:
                return await self.ears.use(choice)
            except SttError as error:
                if choice.model_name is None or self.config.stt == "whisper":
                    raise
                self._pass_over("stt", choice.model_name, error)

    async def warm_voice(self) -> None:
        """Start the speech program and load the default persona's voice. Raises TtsError: there is none."""
        await self._load_voice(VoiceSpec(), self.tts.start)
        await self.load_voice(self.default_persona())

    async def load_voice(self, persona: Persona) -> VoiceChoice:
        """Load the best voice on this disk for a persona.

        Raises:
            TtsError: the voice that was asked for, or the last one there is, does not work.
        """
        spec = self.voice_spec(persona)
        return await self._load_voice(spec, partial(self.tts.warm, spec))

    async def aclose(self) -> None:
        """Stop everything."""
        await self.tts.aclose()
        await self.ears.aclose()
        if self.turn_model is not None:
            self.turn_model.close()

    def _pass_over(self, slot: str, model: str, error: Exception) -> None:
        """A model that does not load must not keep callers out: the next best one serves."""
        self.broken[model] = str(error)
        self.progress[slot] = {"problem": f"{model} is on this disk and cannot be used: {error}"}

    async def _load_voice(self, spec: VoiceSpec, load: Callable[[], Awaitable[_T]]) -> _T:
        while True:
            self.tts.refresh(self.piper_voices())
            try:
                return await load()
            except TtsError as error:
                choice = self.tts.choose(spec)
                if choice.engine != "piper" or self.config.tts == "piper":
                    raise
                self._pass_over("tts", choice.voice, error)

    async def _warm_face(self, on_step: OnStep) -> None:
        warming = asyncio.ensure_future(asyncio.to_thread(self._load_face))
        done, _ = await asyncio.wait([warming], timeout=COMPILES_AFTER_S)
        if not done:
            on_step("compiling the face for this processor (once, about 20 s)")
        await warming

    def _load_face(self) -> None:
        brains.story_of(self.default_persona())
        warm_up(identity(self.default_persona().face.avatar or DEFAULT_AVATAR))

    def _load_turn_model(self) -> None:
        self.turn_model = TurnModel()

    def _check_wishes(self) -> None:
        """An engine that was asked for by name and is not here is an error, not a surprise in the call."""
        ear = self.ears.choice
        if self.config.stt == "whisper" and ear.engine != "whisper":
            raise ConfigError(f"--stt whisper: {ear.why}; `visavis models fetch whisper-base.en` gets one")
        if self.config.brain == "openai" and self.choose_brain(self.default_persona()).name == "scripted":
            raise ConfigError("--brain openai: set OPENAI_API_KEY or OPENAI_BASE_URL, or start Ollama on this machine")

    def _check_voice_wish(self) -> None:
        choice = self.tts.choose(self.voice_spec(self.default_persona()))
        if self.config.tts not in ("auto", choice.engine):
            raise ConfigError(f"--tts {self.config.tts}: {choice.why}")


@lru_cache(maxsize=8)
def identity(avatar: str) -> Identity:
    """A prepared face, loaded once a process and shared."""
    return load_identity(AVATARS / avatar / "identity.npz")


def to_voice_spec(persona: Persona) -> VoiceSpec:
    """A persona's voice as the engines take it."""
    language = persona.languages[0]
    voice = persona.voice_for(language)
    return VoiceSpec(
        engine=voice.engine,
        id=voice.id,
        rate=voice.rate,
        pitch_semitones=voice.pitch,
        volume=voice.volume,
        speaker=voice.speaker,
        language=language,
        pronounce=voice.pronounce,
    )


def _slot(name: str, is_best: bool, why: str, notice: str) -> dict[str, Any]:
    return {"name": name, "state": "ready" if is_best else "embedded", "why": why, "notice": notice}
