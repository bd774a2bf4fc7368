"""Our own messages on pipecat's pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipecat.frames.frames import (
    ControlFrame,
    DataFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    SystemFrame,
)

from ..metrics import TurnMarks
from ..tts.base import SpeechChunk


@dataclass
class ResponseStartFrame(LLMFullResponseStartFrame):
    """A reply of the agent begins."""

    response_id: str = ""
    mode: str = "talk"
    planned: list[str] = field(default_factory=list)
    """Sentences on their way to the voice, in order; the voice's stage adds them as they are cut."""
    marks: TurnMarks = field(default_factory=TurnMarks)
    """The moments of this reply; words said unasked have none of a turn."""


@dataclass
class ResponseEndFrame(LLMFullResponseEndFrame):
    """The brain has said all of a reply."""

    response_id: str = ""
    hang_up: bool = False


@dataclass
class EmotionFrame(DataFrame):
    """The face changes its expression from here on."""

    weights: Mapping[str, float] = field(default_factory=dict)
    gesture: str | None = None


@dataclass
class SpeechFrame(DataFrame):
    """Sound of one utterance with its phonemes and words, on its way to the face."""

    utterance_id: str
    chunk: SpeechChunk


@dataclass
class UtteranceStartFrame(ControlFrame):
    """A sentence goes to the voice."""

    response_id: str = ""
    utterance_id: str = ""
    text: str = ""


@dataclass
class UtteranceEndFrame(ControlFrame):
    """All sound of a sentence is made."""

    utterance_id: str = ""
    is_whole: bool = True
    """False when the voice broke off."""


@dataclass
class EmptyTurnFrame(ControlFrame):
    """The user's turn is over and nothing was understood in it."""


@dataclass
class SoundLostFrame(SystemFrame):
    """The microphone gives no sound any more, not even silence."""


@dataclass
class SayFrame(DataFrame):
    """Words the agent says verbatim."""

    text: str = ""
    mode: str = "repeat"
