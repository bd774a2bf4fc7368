"""Which mind is chosen, and what the caller is told about it."""

from __future__ import annotations

import pytest

from agent.brain.base import Message, TextDelta
from agent.brain.detect import DetectedServer
from agent.brain.registry import choose, story_of
from agent.brain.resilient import BRIDGE
from agent.errors import BrainError, ConfigError
from agent.persona import Persona, loads
from avatar.clock import VirtualClock
from tests.fixtures.llm_server import LlmServer

pytestmark = pytest.mark.unit

OLLAMA = DetectedServer("Ollama", "http://127.0.0.1:11434/v1", ("small", "big"))


def persona(brain: str = "") -> Persona:
    return loads(
        f"""
schema: persona/v1
id: host
name: Mira
brain:
  intents: [{{id: what, examples: [what is this place], replies: [A call.]}}]
  {brain}
"""
    )


def test_without_anything_the_script_answers_and_says_so() -> None:
    choice = choose(persona(), {})
    assert choice.name == "scripted"
    assert choice.notice == (
        'Mira speaks from a script: ask "what is this place". '
        "Connect a language model (set OPENAI_API_KEY or start Ollama) and Mira talks freely."
    )


def test_a_found_server_wins_over_the_script() -> None:
    choice = choose(persona(), {}, [OLLAMA])
    assert (choice.name, choice.why) == ("openai", "small at 127.0.0.1:11434: Ollama was found on this machine")
    assert "stay on this machine" in choice.notice


def test_the_environment_wins_over_a_found_server() -> None:
    choice = choose(persona(), {"OPENAI_API_KEY": "sk-secret"}, [OLLAMA])
    assert choice.why.startswith("gpt-4o-mini at api.openai.com")
    assert "sk-secret" not in repr(choice)
    assert "sent there as text" in choice.notice


@pytest.mark.parametrize(("wanted", "taken"), [("big", "big"), ("absent", "small")])
def test_a_wanted_model_is_taken_where_it_is(wanted: str, taken: str) -> None:
    assert choose(persona(), {"VISAVIS_MODEL": wanted}, [OLLAMA]).why.startswith(f"{taken} at")


def test_another_server_is_asked_for_its_model() -> None:
    assert choose(persona(), {"OPENAI_BASE_URL": "http://10.0.0.5:8000/v1"}).why.startswith("a language model at")


def test_a_persona_may_insist_on_its_script() -> None:
    assert choose(persona("kind: scripted"), {"OPENAI_API_KEY": "k"}, [OLLAMA]).name == "scripted"


def test_a_persona_cannot_make_the_server_call_strangers() -> None:
    choice = choose(persona("base_url: https://stranger.example/v1"), {})
    assert choice.name == "scripted"
    assert "https://stranger.example/v1 is not among" in choice.why


def test_an_allowed_address_of_a_persona_is_used_without_the_key() -> None:
    url = "https://friend.example/v1"
    choice = choose(persona(f"base_url: {url}"), {}, llm_base_urls=[url + "/"])
    assert choice.why == "a language model at friend.example: named by the persona and allowed by the server"


def test_a_wrong_address_is_named() -> None:
    with pytest.raises(ConfigError, match="OPENAI_BASE_URL"):
        choose(persona(), {"OPENAI_BASE_URL": "localhost:11434"})


async def test_the_chosen_mind_falls_back_to_the_script() -> None:
    errors: list[BrainError] = []
    async with LlmServer(mode="unauthorized") as server:
        choice = choose(persona(), {"OPENAI_BASE_URL": server.base_url, "VISAVIS_MODEL": "m"})
        brain = choice.factory(seed="1", clock=VirtualClock(), on_error=errors.append)
        events = [event async for event in brain.respond([Message("user", "what is this place")])]
        await brain.aclose()
    said = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert said.split() == f"{BRIDGE} A call.".split()
    assert [error.code for error in errors] == ["brain-auth"]


def test_calls_of_one_persona_share_its_script() -> None:
    first = persona()
    assert story_of(first) is story_of(loads_again(first))
    other = first.model_copy(update={"name": "Ben"})
    assert story_of(other).persona.name == "Ben"


def loads_again(first: Persona) -> Persona:
    again = persona("kind: scripted")
    return again.with_origin(None, first.sha256, ())
