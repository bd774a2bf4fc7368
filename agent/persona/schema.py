"""What a persona file may hold: the `persona/v1` fields, their types, ranges and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, model_validator

from .problem import Problem

Text = Annotated[str, Field(max_length=20_000)]
Line = Annotated[str, Field(min_length=1, max_length=2_000)]
Scalar = str | int | float | bool
Weight = Annotated[float, Field(ge=0, le=1)]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)]
SlotName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
SlotType = Literal["text", "number", "choice"]


def _as_list(value: Any) -> Any:
    """One line may be written without the brackets of a list."""
    return (value,) if isinstance(value, str) and value else () if value in ("", None) else value


Lines = Annotated[tuple[Line, ...], BeforeValidator(_as_list)]


class Part(BaseModel):
    """Base of every part: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Style(Part):
    """How the persona talks."""

    tone: Line | None = None
    max_sentences: int = Field(default=3, ge=1, le=12)
    """Also cuts a running LLM reply."""
    rules: Lines = ()
    avoid: Lines = ()


class Voice(Part):
    """Which voice speaks; engine-neutral."""

    engine: Literal["auto", "piper", "flite", "espeak"] = "auto"
    id: str = "default"
    """The engine's own voice name, or "default", "female", "male"."""
    rate: float = Field(default=1.0, ge=0.5, le=2)
    """1 = the voice's pleasant pace."""
    pitch: float = Field(default=0.0, ge=-12, le=12)
    """Semitones."""
    volume: float = Field(default=1.0, ge=0, le=1)
    speaker: int | None = Field(default=None, ge=0)
    pronounce: dict[Line, Line] = {}
    """Word -> respelling or [[phonemes]]."""
    fallback: tuple[Line, ...] = ()
    """Voice ids to try in order when `id` is not there."""


class Expression(Part):
    """A named expression: a mix of the six emotions plus ARKit coefficients."""

    mix: dict[Literal["neutral", "happy", "sad", "angry", "surprised", "fearful"], Weight] = {}
    add: dict[str, Weight] = {}
    """ARKit name -> 0..1; `mouthSmile` without a side means both."""


class GestureRate(Part):
    """A gesture made by itself now and then."""

    kind: Literal["nod", "shake", "tilt", "wave", "smile", "brow_raise", "lean_in", "hands_open", "hands_beat"]
    rate_per_min: float = Field(ge=0, le=60)


class Behaviour(Part):
    """The manner of the face between the words."""

    prompt: Text = ""
    energy: Weight | None = None
    gaze: Weight | None = None
    gestures: tuple[GestureRate, ...] = ()


class Face(Part):
    """Which face speaks."""

    avatar: Identifier | None = None
    """A built-in or prepared avatar."""
    image: Line | None = None
    """A portrait beside the persona file: PNG, JPEG or WebP."""
    background: str = Field(default="#202028", pattern=r"^#[0-9a-fA-F]{6}$")
    emotions: dict[str, Expression] = {}
    behaviour: Behaviour = Behaviour()


class Lore(Part):
    """Knowledge found by its keys."""

    keys: Annotated[tuple[Line, ...], Field(min_length=1)]
    text: Line
    secondary: tuple[Line, ...] = ()
    """When given, one of these must occur too."""
    always: bool = False
    priority: int = 0
    enabled: bool = True


class Knowledge(Part):
    """What the persona knows beside its script."""

    facts: tuple[Line, ...] = ()
    lorebook: tuple[Lore, ...] = ()
    scan_depth: int = Field(default=4, ge=1, le=50)
    """Turns that lore keys are looked for in."""
    token_budget: int = Field(default=800, ge=0, le=8_000)


class Refusal(Part):
    """Words of the user that are turned away before any brain sees them."""

    match: Line
    """Words on word borders, case folded; `*` stands for any words between."""
    say: Line


class Guardrails(Part):
    """What the persona will not do."""

    never: tuple[Line, ...] = ()
    refuse: tuple[Refusal, ...] = ()
    on_violation: Line = "I can't help with that."
    disclosure: Line = "I am a computer program with a drawn face, not a person."
    """Said when asked whether it is a machine; cannot be turned off."""
    max_minutes: float = Field(default=30, gt=0, le=24 * 60)
    ended_say: Line = "Our time is up. Goodbye."


class Idle(Part):
    """What is said when the user is silent; off without lines."""

    after_s: float = Field(default=8.0, ge=2, le=600)
    say: Lines = ()
    times_max: int = Field(default=2, ge=1, le=20)


class Memory(Part):
    """What is remembered, and for how long."""

    kind: Literal["none", "session", "user"] = "session"
    facts_max: int = Field(default=50, ge=0, le=1_000)
    days: int = Field(default=30, ge=1, le=3_650)
    recall_k: int = Field(default=5, ge=0, le=50)


class Intent(Part):
    """One thing the user may want, with ways to say it and answers."""

    id: Identifier
    examples: Annotated[tuple[Line, ...], Field(min_length=1)]
    """Ways to say it; `my name is {name}` fills a slot."""
    replies: Annotated[tuple[Line, ...], Field(min_length=1)]
    emotion: str | None = None
    gesture: str | None = None
    slots: dict[SlotName, SlotType] = {}
    """Slots that must be known before the reply; asked for by their `ask` line."""
    when: Line | None = None
    """Condition such as `seen.asks_problem and turn < 10`."""
    goto: str | None = None
    scripted_only: bool = False
    """True of the script alone ("I have no language model"), so a language model is not told."""


class AfterFallbacks(Part):
    """Where to go when the user was not understood `count` times in a row."""

    count: int = Field(ge=1, le=20)
    goto: str


class State(Part):
    """A place in a drill."""

    say: Line | None = None
    """Said on entering."""
    intents: tuple[Intent, ...] = ()
    fallback: Lines = ()
    """The k-th misunderstanding in a row takes the k-th line."""
    after_fallbacks: AfterFallbacks | None = None
    end: bool = False
    """The call ends after what is said on entering."""


class Drill(Part):
    """A story with states; an LLM gets it as stage directions."""

    start: str
    states: Annotated[dict[str, State], Field(min_length=1)]


class Slot(Part):
    """Something to learn from the user."""

    type: SlotType = "text"
    choices: tuple[Line, ...] = ()
    ask: Line | None = None


class BrainSettings(Part):
    """Which mind, and its script."""

    kind: Literal["auto", "scripted", "openai"] = "auto"
    base_url: str | None = Field(default=None, pattern=r"^https?://")
    model: Line | None = None
    temperature: float = Field(default=0.7, ge=0, le=2)
    max_tokens: int = Field(default=300, ge=16, le=8_192)
    intents: tuple[Intent, ...] = ()
    """Understood in every state."""
    fallback: Lines = ()
    drill: Drill | None = None
    slots: dict[SlotName, Slot] = {}


class ExampleLine(Part):
    """One line of an example talk."""

    user: Line | None = None
    char: Line | None = None

    @model_validator(mode="after")
    def _one_speaker(self) -> Self:
        if (self.user is None) == (self.char is None):
            raise ValueError("a line of an example has either `user` or `char`")
        return self


class Persona(Part):
    """Who speaks: one persona file, checked."""

    schema_: Literal["persona/v1"] = Field(alias="schema")
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)
    """Equals the folder's name."""
    name: str = Field(min_length=1, max_length=80)
    version: str = "1.0"
    creator: str = ""
    tags: tuple[Line, ...] = ()
    notes: Text = ""
    languages: Annotated[tuple[str, ...], Field(min_length=1)] = ("en",)
    """BCP 47; the first is the default."""
    vars: dict[SlotName, Scalar] = {}
    description: Text = ""
    personality: Text = ""
    scenario: Text = ""
    greeting: Lines = ()
    """One is said first, seeded; empty = the user begins."""
    system: Text | None = None
    """Replaces the built prompt; `{{original}}` inserts it."""
    reminder: Text | None = None
    style: Style = Style()
    voice: Voice = Voice()
    voices: dict[str, Voice] = {}
    """By language, for personas with several."""
    hear: dict[Line, Lines] = {}
    """Name -> how a recogniser writes it, the word of its dictionary first: `Visavis: [vis-a-vis, visa vee]`."""
    face: Face = Face()
    examples: tuple[tuple[ExampleLine, ...], ...] = ()
    knowledge: Knowledge = Knowledge()
    guardrails: Guardrails = Guardrails()
    idle: Idle = Idle()
    memory: Memory = Memory()
    brain: BrainSettings = BrainSettings()
    extensions: dict[str, Any] = {}

    _folder: Path | None = PrivateAttr(None)
    _sha256: str = PrivateAttr("")
    _problems: tuple[Problem, ...] = PrivateAttr(())

    @property
    def folder(self) -> Path | None:
        """Where the file lies, or None when it was not read from disk."""
        return self._folder

    @property
    def sha256(self) -> str:
        """Hex digest of the file's bytes."""
        return self._sha256

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Warnings and infos of the file; errors would have kept it from loading."""
        return self._problems

    @property
    def states(self) -> Mapping[str, State]:
        """The drill's states, empty without a drill."""
        return self.brain.drill.states if self.brain.drill else {}

    @property
    def intents(self) -> tuple[Intent, ...]:
        """Every intent: those understood everywhere, then those of each state in file order."""
        return self.brain.intents + tuple(intent for state in self.states.values() for intent in state.intents)

    def voice_for(self, language: str) -> Voice:
        """The voice of a language, else the persona's own."""
        return self.voices.get(language) or self.voices.get(language.split("-")[0]) or self.voice

    def with_origin(self, folder: Path | None, sha256: str, problems: tuple[Problem, ...]) -> Persona:
        """The same persona, knowing where it came from."""
        copy = self.model_copy()
        copy._folder, copy._sha256, copy._problems = folder, sha256, problems
        return copy
