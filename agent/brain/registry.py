"""Which mind answers, and why: configured, else detected, else the persona's own script."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from avatar.clock import Clock

from ..errors import BrainError, ConfigError
from ..persona.schema import Persona
from .base import Brain
from .detect import DetectedServer
from .resilient import ResilientBrain
from .scripted import ScriptedBrain
from .story import Story

ENGINES: Mapping[str, str] = {"openai": "agent.brain.openai:OpenAiBrain"}
"""Minds that are imported only when chosen: a script needs no client library."""
OPENAI_URL = "https://api.openai.com/v1"
OPENAI_MODEL = "gpt-4o-mini"
"""Small and quick, which matters more in a call than depth."""


# Shorter examples are greetings; what the caller should try is a question.
NOTICE_WORDS_MIN = 3
QUESTION_WORDS = ("what ", "how ", "who ", "where ", "why ", "when ", "can ", "do ", "tell me ")
STORIES_MAX = 32
_STORIES: dict[str, Story] = {}
"""By the hash of the persona file."""


class BrainFactory(Protocol):
    """Makes the mind of one call."""

    def __call__(
        self,
        *,
        seed: str,
        clock: Clock,
        on_error: Callable[[BrainError], None],
        on_back: Callable[[], None] | None = None,
        date: str = "",
    ) -> Brain:
        """`seed` picks among scripted replies; `on_error` and `on_back`: see `ResilientBrain`."""
        ...


@dataclass(frozen=True, slots=True)
class BrainChoice:
    """The mind that was chosen."""

    name: str
    """scripted, or openai."""
    why: str
    """For the log and `visavis doctor`."""
    notice: str
    """For the caller: what this mind means for the talk."""
    factory: BrainFactory


def choose(
    persona: Persona,
    env: Mapping[str, str],
    detected: Sequence[DetectedServer] = (),
    *,
    llm_base_urls: Collection[str] = (),
) -> BrainChoice:
    """Choose the mind of a persona's calls.

    Args:
        persona: may ask for a kind, a model, and an address out of `llm_base_urls`.
        env: OPENAI_BASE_URL, OPENAI_API_KEY, VISAVIS_MODEL.
        detected: servers found on this machine, best first.
        llm_base_urls: addresses a persona may name; a file from a stranger must not make this machine call others.

    Raises:
        ConfigError: OPENAI_BASE_URL is no http address.
    """
    if persona.brain.kind == "scripted":
        return _scripted(persona, "the persona asks for its script")
    model = env.get("VISAVIS_MODEL", "").strip() or persona.brain.model
    if endpoint := _configured(env, model):
        return _openai(persona, *endpoint, "configured by the environment")
    named = persona.brain.base_url
    if named and named.rstrip("/") in {url.rstrip("/") for url in llm_base_urls}:
        return _openai(persona, named, None, model, "named by the persona and allowed by the server")
    if detected:
        server = detected[0]
        wanted = next((name for name in server.models if name == model), server.models[0])
        return _openai(persona, server.base_url, None, wanted, f"{server.kind} was found on this machine")
    refused = f"; {named} is not among the server's llm_base_urls" if named else ""
    return _scripted(persona, f"no language model is configured and none was found on this machine{refused}")


def _configured(env: Mapping[str, str], model: str | None) -> tuple[str, str | None, str | None] | None:
    """(address, key, model) from the environment."""
    url, key = env.get("OPENAI_BASE_URL", "").strip(), env.get("OPENAI_API_KEY", "").strip()
    if not url and not key:
        return None
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ConfigError(
            f"OPENAI_BASE_URL={parts.scheme}... is no http address; write it like http://127.0.0.1:11434/v1"
        )
    is_openai = not url or parts.hostname == urlsplit(OPENAI_URL).hostname
    # Any other server is asked which models it has.
    return url or OPENAI_URL, key or None, model or (OPENAI_MODEL if is_openai else None)


def _scripted(persona: Persona, why: str) -> BrainChoice:
    notice, story = script_notice(persona), story_of(persona)

    def factory(
        *,
        seed: str,
        clock: Clock,
        on_error: Callable[[BrainError], None],
        on_back: Callable[[], None] | None = None,
        date: str = "",
    ) -> Brain:
        return ScriptedBrain(persona, seed=seed, date=date, notice=notice, story=story)

    return BrainChoice("scripted", why, notice, factory)


def _openai(persona: Persona, base_url: str, key: str | None, model: str | None, why: str) -> BrainChoice:
    host = urlsplit(base_url).netloc.rpartition("@")[2]
    where = f"{model or 'a language model'} at {host}"
    is_here = urlsplit(base_url).hostname in ("127.0.0.1", "localhost", "::1")
    travel = "Your words stay on this machine." if is_here else "What you say is sent there as text."
    notice = f"{persona.name} talks freely, through {where}. {travel}"
    module, name = ENGINES["openai"].split(":")
    # Now and not at the first call: it takes half a second.
    engine: Any = importlib.import_module(module)
    story = story_of(persona)

    def factory(
        *,
        seed: str,
        clock: Clock,
        on_error: Callable[[BrainError], None],
        on_back: Callable[[], None] | None = None,
        date: str = "",
    ) -> Brain:
        endpoint = engine.Endpoint(base_url, key, model)
        primary: Brain = getattr(engine, name)(persona, endpoint, seed=seed, date=date, notice=notice, clock=clock)
        spare = ScriptedBrain(persona, seed=seed, date=date, notice=script_notice(persona), story=story)
        return ResilientBrain(primary, spare, clock=clock, on_error=on_error, on_back=on_back)

    return BrainChoice("openai", f"{where}: {why}", notice, factory)


def story_of(persona: Persona) -> Story:
    """The persona's script, made once a process and shared by its calls: it holds nothing of any talk."""
    story = _STORIES.get(persona.sha256)
    if story is None or not _same_script(story.persona, persona):
        story = Story(persona)
        if len(_STORIES) >= STORIES_MAX:
            _STORIES.clear()
        if persona.sha256:
            _STORIES[persona.sha256] = story
    return story


def _same_script(first: Persona, second: Persona) -> bool:
    """Whether two personas differ at most in the kind of mind they ask for."""
    brain = second.brain.model_copy(update={"kind": first.brain.kind})
    return dict(first) == {**dict(second), "brain": brain}


def script_notice(persona: Persona) -> str:
    """What a scripted mind means for the talk, in words for the page."""
    questions = [
        example
        for example in (intent.examples[0] for intent in persona.intents)
        if len(example.split()) > NOTICE_WORDS_MIN and example.lower().startswith(QUESTION_WORDS)
    ]
    quoted = ", ".join(f'"{ask}"' for ask in questions[:3])
    about = f": ask {quoted}" if quoted else ""
    return (
        f"{persona.name} speaks from a script{about}. "
        f"Connect a language model (set OPENAI_API_KEY or start Ollama) and {persona.name} talks freely."
    )
