"""Every rule of the turn policy, one table row each."""

import pytest

from agent.turns.endpointing import Endpointer, TurnAction

pytestmark = pytest.mark.unit
FRAME_MS = 32


def speak(e: Endpointer, ms: float) -> list[TurnAction]:
    return [a for _ in range(round(ms / FRAME_MS)) for a in e.voice(0.95, FRAME_MS)]


def commit_after_ms(e: Endpointer, answers, limit_ms: int = 3000) -> float | None:
    """Silence until commit when the turn model answers each poll from `answers` (the last repeats)."""
    answers = list(answers)
    for step in range(limit_ms // FRAME_MS):
        actions = e.voice(0.05, FRAME_MS)
        if TurnAction.POLL in actions and answers:
            p = answers.pop(0) if len(answers) > 1 else answers[0]
            if p is not None:
                actions += e.turn_probability(p)
        if TurnAction.COMMIT in actions:
            return (step + 1) * FRAME_MS
    return None


@pytest.mark.parametrize(
    ("answers", "text", "score", "low_ms", "high_ms"),
    [
        ([0.9], "what is your budget", 0.0, 200, 300),  # sure twice
        ([0.9, 0.6, 0.9, 0.9], "hello there", 0.0, 350, 450),  # sure must be twice in a row
        ([0.6], "tell me more", 0.0, 500, 540),  # likely waits for 500 ms
        ([0.6], "what is your budget", 0.9, 200, 240),  # likely, and the script knows the line
        ([0.3], "tell me more", 0.0, 1200, 1240),  # unsure waits for the longest
        ([0.3], "what is your budget", 0.9, 800, 840),  # the script knows the words
        ([0.3], "i would like it because", 0.0, 2000, 2040),  # an open word
        ([0.05], "tell me", 0.0, 2000, 2040),  # the model is sure there is more
        ([None], "tell me more", 0.0, 1200, 1240),  # the model never answers
    ],
)
def test_commit_rules(answers, text, score, low_ms, high_ms):
    e = Endpointer()
    assert TurnAction.STARTED in speak(e, 640)
    e.words(text, score)
    assert low_ms <= (commit_after_ms(e, answers) or 0) <= high_ms
    assert not e.in_turn


def test_three_frames_of_voice_begin_a_turn_and_a_click_does_not():
    e = Endpointer()
    assert e.voice(0.9, FRAME_MS) == [] and e.voice(0.9, FRAME_MS) == [] and e.voice(0.1, FRAME_MS) == []
    assert not e.in_turn
    assert speak(e, 96) == [TurnAction.STARTED]


def test_speech_before_commit_withdraws_the_speculation():
    e = Endpointer()
    speak(e, 500)
    actions = [a for _ in range(4) for a in e.voice(0.02, FRAME_MS)]
    assert TurnAction.POLL in actions
    assert e.turn_probability(0.9) == [TurnAction.SPECULATE]
    assert speak(e, 64) == []
    assert speak(e, 32) == [TurnAction.WITHDRAW, TurnAction.RESUMED]
    assert e.in_turn and not e.is_speculating and e.silence_ms == 0


def test_a_click_in_the_silence_does_not_withdraw_and_counts_as_silence():
    e = Endpointer()
    speak(e, 500)
    for _ in range(4):
        e.voice(0.02, FRAME_MS)
    e.turn_probability(0.9)
    assert e.voice(0.9, FRAME_MS) == []
    e.voice(0.02, FRAME_MS)
    assert e.is_speculating and e.silence_ms >= 5 * FRAME_MS


def test_polls_are_bounded():
    e = Endpointer()
    speak(e, 500)
    e.words("because")
    polls = sum(a is TurnAction.POLL for _ in range(60) for a in e.voice(0.02, FRAME_MS))
    assert polls == e.rules.max_polls


def test_an_answer_that_comes_after_the_user_went_on_is_ignored():
    e = Endpointer()
    speak(e, 500)
    for _ in range(4):
        e.voice(0.02, FRAME_MS)
    speak(e, 128)
    assert e.turn_probability(0.99) == []


def test_wavering_voice_between_the_thresholds_keeps_the_last_verdict():
    e = Endpointer()
    speak(e, 320)
    assert [a for _ in range(20) for a in e.voice(0.4, FRAME_MS)] == [] and e.silence_ms == 0
