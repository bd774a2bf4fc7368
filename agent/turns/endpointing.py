"""When has the user's turn begun, and when is it over: speculate early, speak late, cancel cheaply.

A pure machine over voice probabilities, turn probabilities and words; it awaits nothing and reads no
clock: time is the sound that has been heard. Every threshold stands in `EndpointRules`.

Source of the numbers: measured on real pauses with Silero VAD and smart-turn v3.2. A sentence that
could stand alone looks like an end (P .9 at 96 ms) even when its speaker goes on, and a true end may
rise only after 400 ms, so one poll at 200 ms is wrong both ways: we poll again and again, and the reply
is prepared early but spoken only on a commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class EndpointRules:
    """All thresholds of the turn policy."""

    speech_p: float = 0.5
    """Voice probability from which a frame is speech."""
    silence_p: float = 0.35
    """Voice probability under which a frame is silence; between the two the last verdict holds."""
    start_frames: int = 3
    stop_frames: int = 2
    first_poll_ms: int = 64
    """As soon as silence is sure: the second answer of two is then there at 200 ms."""
    poll_every_ms: int = 100
    max_polls: int = 9
    eager_p: float = 0.5
    """Turn probability that starts the speculation."""
    eager_silence_ms: int = 96
    """Shorter pauses lie inside words; a reply begun in each would cost a brain dearly."""
    sure_p: float = 0.8
    """Turn probability that, twice in a row, commits."""
    sure_silence_ms: int = 200
    likely_silence_ms: int = 500
    known_silence_ms: int = 200
    """Likely over, and the words are a whole line the script knows: two witnesses are as good as two polls."""
    script_silence_ms: int = 800
    script_score: float = 0.8
    max_silence_ms: int = 1200
    unfinished_silence_ms: int = 2000
    unfinished_p: float = 0.1
    resume_ms: int = 96
    """Speech that withdraws a speculation."""
    unfinished_words: frozenset[str] = frozenset(
        {"and", "but", "because", "um", "uh", "so", "or", "if", "the", "a", "to", "und", "aber", "weil", "y", "pero"}
    )


class TurnAction(Enum):
    """What the caller of the machine has to do now."""

    STARTED = "started"
    """A turn began: the user speaks."""
    POLL = "poll"
    """Ask the turn model about the sound so far; answer with `turn_probability`."""
    SPECULATE = "speculate"
    """Prepare the reply; nobody may hear it yet."""
    WITHDRAW = "withdraw"
    """The user goes on: forget the prepared reply."""
    RESUMED = "resumed"
    """The user goes on after a pause."""
    COMMIT = "commit"
    """The turn is over: release the reply."""


class Endpointer:
    """The state of one caller's turn."""

    _last_p: float | None
    _before_p: float | None
    _speculating: bool

    def __init__(self, rules: EndpointRules | None = None) -> None:
        self.rules = rules or EndpointRules()
        self.last_silence_ms = 0.0
        """Silence at the end of the turn that was committed last."""
        self._in_turn = False
        self._reset_turn()

    @property
    def in_turn(self) -> bool:
        """A turn is open."""
        return self._in_turn

    @property
    def silence_ms(self) -> float:
        """Silence since the last speech of the open turn."""
        return self._silence_ms

    @property
    def speech_ms(self) -> float:
        """Speech of the open turn so far, pauses not counted."""
        return self._speech_ms

    @property
    def is_speculating(self) -> bool:
        return self._speculating

    def voice(self, probability: float, frame_ms: float) -> list[TurnAction]:
        """Take the voice probability of the next frame of sound."""
        is_speech = probability >= (self.rules.silence_p if self._run > 0 else self.rules.speech_p)
        if not self._in_turn:
            return self._before_turn(is_speech, frame_ms)
        return self._speech(frame_ms) if is_speech else self._silence(frame_ms)

    def turn_probability(self, probability: float) -> list[TurnAction]:
        """Take the turn model's answer to the last POLL."""
        if not self._in_turn or self._silence_ms == 0:
            return []
        self._last_p, self._before_p = probability, self._last_p
        return self._maybe_speculate() + self._maybe_commit()

    def words(self, text: str, script_score: float = 0.0) -> None:
        """Take the words so far and how surely they match something the persona's script knows."""
        stripped = text.lower().rstrip(" .,?!").split()
        self._ends_unfinished = bool(stripped) and stripped[-1] in self.rules.unfinished_words
        self._script_score = script_score

    def sound_lost(self) -> list[TurnAction]:
        """No sound comes any more, not even silence: an open turn is over."""
        if not self._in_turn:
            return []
        self.last_silence_ms = self._silence_ms
        self.end_turn()
        return [TurnAction.COMMIT]

    def end_turn(self) -> None:
        """Close the turn from outside (it was noise, or the call took another course)."""
        self._in_turn = False
        self._reset_turn()

    def _reset_turn(self) -> None:
        self._run = 0
        self._silence_ms = 0.0
        self._speech_ms = 0.0
        self._resumed_ms = 0.0
        self._polls = 0
        self._last_p = self._before_p = None
        self._speculating = False
        self._ends_unfinished = False
        self._script_score = 0.0
        self._quiet_frames = 0

    def _before_turn(self, is_speech: bool, frame_ms: float) -> list[TurnAction]:
        self._run = self._run + 1 if is_speech else 0
        if self._run < self.rules.start_frames:
            return []
        frames = self._run
        self._reset_turn()
        self._in_turn, self._run, self._speech_ms = True, frames, frames * frame_ms
        return [TurnAction.STARTED]

    def _speech(self, frame_ms: float) -> list[TurnAction]:
        self._run += 1
        self._speech_ms += frame_ms
        if self._silence_ms == 0:
            return []
        self._resumed_ms += frame_ms
        if self._resumed_ms < self.rules.resume_ms:
            return []
        withdraw = [TurnAction.WITHDRAW] if self._speculating else []
        self._silence_ms = self._resumed_ms = 0.0
        self._quiet_frames = self._polls = 0
        self._speculating, self._last_p, self._before_p = False, None, None
        return [*withdraw, TurnAction.RESUMED]

    def _silence(self, frame_ms: float) -> list[TurnAction]:
        self._run = 0
        self._quiet_frames += 1
        if self._quiet_frames < self.rules.stop_frames:
            return []
        if self._silence_ms == 0:
            self._silence_ms = frame_ms * (self._quiet_frames - 1)
        self._silence_ms += frame_ms + self._resumed_ms
        self._resumed_ms = 0.0
        actions = self._maybe_speculate() + self._maybe_commit()
        due_ms = self.rules.first_poll_ms + self._polls * self.rules.poll_every_ms
        if self._in_turn and self._polls < self.rules.max_polls and self._silence_ms >= due_ms:
            self._polls += 1
            actions.append(TurnAction.POLL)
        return actions

    def _maybe_speculate(self) -> list[TurnAction]:
        is_likely = (self._last_p or 0.0) >= self.rules.eager_p and self._silence_ms >= self.rules.eager_silence_ms
        if self._speculating or not is_likely:
            return []
        self._speculating = True
        return [TurnAction.SPECULATE]

    def _maybe_commit(self) -> list[TurnAction]:
        if not self._is_over():
            return []
        self.last_silence_ms = self._silence_ms
        self.end_turn()
        return [TurnAction.COMMIT]

    def _is_over(self) -> bool:
        r, p = self.rules, self._last_p or 0.0
        if p >= r.sure_p and (self._before_p or 0.0) >= r.sure_p and self._silence_ms >= r.sure_silence_ms:
            return True
        if p >= r.eager_p and self._silence_ms >= r.likely_silence_ms:
            return True
        if p >= r.eager_p and self._script_score >= r.script_score and self._silence_ms >= r.known_silence_ms:
            return True
        return self._silence_ms >= self._patience_ms(p)

    def _patience_ms(self, p: float) -> float:
        """How long a silence is waited out whatever the turn model says."""
        if self._ends_unfinished:
            return self.rules.unfinished_silence_ms
        if self._script_score >= self.rules.script_score:
            return self.rules.script_silence_ms
        if self._last_p is not None and p < self.rules.unfinished_p:
            return self.rules.unfinished_silence_ms
        return self.rules.max_silence_ms
