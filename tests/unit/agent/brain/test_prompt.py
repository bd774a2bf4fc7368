"""The prompt a persona becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.brain.base import Message
from agent.brain.prompt import lore_prompt, system_prompt
from agent.persona import Persona, find_personas, load, loads

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[4]
SNAPSHOT = Path(__file__).with_name("prompt_dana.txt")


def persona(more: str = "") -> Persona:
    lore = """
knowledge:
  token_budget: 10
  scan_depth: 2
  lorebook:
    - {keys: [price], text: "It costs {{vars.price}}.", priority: 1}
    - {keys: [price], text: "A much longer text that no longer fits into the budget."}
    - {keys: [door], secondary: [code], text: Secret.}
    - {keys: [x], always: true, text: Always., priority: 9}
    - {keys: [price], text: Off., enabled: false}
"""
    return loads(f"schema: persona/v1\nid: a\nname: Ann\nvars: {{price: 5}}\n{lore}{more}")


def test_the_prompt_of_a_shipped_persona() -> None:
    assert system_prompt(load(ROOT / "personas" / "dana-buyer")) == SNAPSHOT.read_text().rstrip("\n")


def test_nothing_is_left_to_fill_in() -> None:
    for path in find_personas(ROOT / "personas").values():
        assert "{{" not in system_prompt(load(path))


def test_a_system_text_replaces_the_prompt_and_may_keep_it() -> None:
    replaced = system_prompt(persona("system: You are {{char}} at {{vars.price}}."))
    assert replaced.startswith("You are Ann at 5.")
    assert "Asked whether you are a machine" in replaced
    kept = system_prompt(persona("system: 'Be nice. {{original}}'"))
    assert kept.startswith("Be nice. You are Ann.")
    assert kept.count("Asked whether you are a machine") == 1


def test_the_language_is_named() -> None:
    assert "answer in German" in system_prompt(persona(), language="de-AT")


def test_lore_comes_with_its_keys_and_within_the_budget() -> None:
    assert lore_prompt(persona(), [Message("user", "What PRICE?")]) == (
        "What you know about this:\n- Always.\n- It costs 5."
    )
    assert lore_prompt(persona(), [Message("user", "pricey door")]) == "What you know about this:\n- Always."
    old = [Message("user", "price"), Message("assistant", "a"), Message("user", "b")]
    assert "5" not in (lore_prompt(persona(), old) or "")
    assert lore_prompt(loads("{schema: persona/v1, id: a, name: A}"), old) is None


def test_a_language_model_is_not_told_what_only_a_script_would_say() -> None:
    intents = """
brain:
  intents:
    - {id: a, examples: [how do you think], replies: [With a script.], scripted_only: true}
    - {id: b, examples: [who are you], replies: [I am Ann.]}
"""
    prompt = system_prompt(persona(intents))
    assert "With a script." not in prompt
    assert 'Asked "who are you": I am Ann.' in prompt


def test_the_prompt_stays_short_enough_for_a_processor() -> None:
    """1800 tokens, at four letters each: what a small model on two cores reads while the greeting is spoken twice."""
    for path in find_personas(ROOT / "personas").values():
        assert len(system_prompt(load(path))) <= 7200
