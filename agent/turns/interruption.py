"""Who holds the floor when the user speaks over the agent: hold at once, decide in a moment.

The agent falls silent ("hold") as soon as a voice is sure, and its unsaid sound is kept. Then words
decide: an interruption drops it, a backchannel, an echo or a cough lets it go on from the very sample
it stopped at. A closed-mouth hum does not even hold. Pure: time is the sound that has been heard.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .backchannel import is_backchannel, is_echo, normal_words


@dataclass(frozen=True, slots=True)
class InterruptionRules:
    """All thresholds of barge-in."""

    take_floor_ms: int = 700
    """So much speech takes the floor whatever the words are."""
    hum_patience_ms: int = 500
    """A hum that goes on longer is speech after all."""
    word_ms: int = 250
    """One clear word needs this much speech."""
    quiet_ms: int = 200
    """Silence after which what was said is judged."""


class FloorAction(Enum):
    """What the caller of the machine has to do now."""

    HOLD = "hold"
    INTERRUPT = "interrupt"
    RESUME = "resume"


class Floor:
    """The contest for the floor while the agent speaks."""

    def __init__(self, rules: InterruptionRules | None = None) -> None:
        self.rules = rules or InterruptionRules()
        self._is_open = False
        self._is_held = False

    @property
    def is_contested(self) -> bool:
        """The user makes sounds over the agent, and it is not decided what they are."""
        return self._is_open

    def onset(self, *, is_hum: bool) -> list[FloorAction]:
        """The user began to make sounds while the agent speaks."""
        self._is_open = True
        self._is_held = not is_hum
        return [] if is_hum else [FloorAction.HOLD]

    def judge(
        self, *, speech_ms: float, silence_ms: float, text: str, agent_text: str, is_hum: bool = True
    ) -> list[FloorAction]:
        """Decide from what was heard so far.

        Args:
            speech_ms: speech since the onset.
            silence_ms: silence since the last of it.
            text: the words so far, "" when nothing was understood.
            agent_text: what the agent said in the last seconds.
            is_hum: the latest sound is still a closed-mouth hum; a "w" or an "m" that begins a word is one too.
        """
        if not self._is_open:
            return []
        is_done = silence_ms >= self.rules.quiet_ms
        if is_echo(text, agent_text):
            return self._close(FloorAction.RESUME) if is_done else []
        if self._takes_floor(speech_ms, text):
            return self._close(FloorAction.INTERRUPT)
        if is_done:
            return self._close(FloorAction.RESUME)
        if not self._is_held and (not is_hum or speech_ms >= self.rules.hum_patience_ms):
            self._is_held = True
            return [FloorAction.HOLD]
        return []

    def close(self) -> None:
        """The contest is void (the agent stopped speaking by itself)."""
        self._is_open = self._is_held = False

    def _takes_floor(self, speech_ms: float, text: str) -> bool:
        if speech_ms >= self.rules.take_floor_ms:
            return True
        if is_backchannel(text):
            return False
        return len(normal_words(text)) >= 2 or speech_ms >= self.rules.word_ms

    def _close(self, action: FloorAction) -> list[FloorAction]:
        self.close()
        return [action]
