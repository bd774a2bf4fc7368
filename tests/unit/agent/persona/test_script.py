"""What the recogniser is told to expect."""

from __future__ import annotations

import pytest

from agent.persona import loads, persona_words, script_lines

pytestmark = pytest.mark.unit

PERSONA = loads(
    """
schema: persona/v1
id: host
name: Mira Lane
greeting: "{{char}} here."
vars: {price: 5}
hear: {Visavis: [vis-a-vis, visa vee]}
voice: {pronounce: {GPU: gee pee you}}
knowledge: {lorebook: [{keys: [budget], text: Small.}], facts: [Fact one.]}
examples: [[{user: can I ask}, {char: please}]]
brain:
  slots: {size: {type: choice, choices: [small, large]}, name: {}}
  intents:
    - {id: what, examples: [what is Visavis], replies: ["It costs {{vars.price}}."]}
    - {id: size, examples: ["a {size} one please", "my name is {name}"], replies: [Good.]}
"""
)


def test_lines_come_most_likely_first_and_once() -> None:
    lines = script_lines(PERSONA)
    assert lines[:4] == ["what is vis-a-vis", "a small one please", "a large one please", "my name is"]
    assert lines.index("can I ask") < lines.index("It costs 5.") < lines.index("Mira Lane here.")
    assert {"budget", "tell me about budget", "yes", "Fact one."} <= set(lines)
    assert len(lines) == len(set(lines))
    assert not [line for line in lines if "{" in line]


def test_words_to_favour() -> None:
    expected = ["Mira Lane", "Mira", "Lane", "Visavis", "vis-a-vis", "visa vee", "GPU", "budget"]
    assert persona_words(PERSONA) == expected
