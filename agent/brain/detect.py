"""Looks for a language model server on this machine: only loopback, no key, no redirect, a fraction of a second."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

PORTS: Mapping[int, str] = {
    11434: "Ollama",
    8080: "llama.cpp",
    1234: "LM Studio",
    8000: "vLLM",
    5001: "KoboldCpp",
    1337: "Jan",
}
"""Default ports, in the order of preference."""
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 0.15, 0.4
# A model that must be loaded first may take this long for its first token.
ONE_TOKEN_TIMEOUT_S = 2.0
MAX_ANSWER_BYTES = 1_000_000
FINGERPRINTS = (
    ("/api/version", "Ollama"),
    ("/props", "llama.cpp"),
    ("/api/v0/models", "LM Studio"),
    ("/api/extra/version", "KoboldCpp"),
    ("/version", "vLLM"),
)
_SILENT_MODEL = re.compile(
    r"embed|rerank|\bbge\b|\be5\b|minilm|gte-|whisper|\btts\b|clip|moderation|dall-e|stable-diffusion|flux|inactive",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class DetectedServer:
    """A language model server that runs on this machine."""

    kind: str
    """Ollama, llama.cpp, LM Studio, vLLM, KoboldCpp, Jan, or "OpenAI-compatible"."""
    base_url: str
    models: tuple[str, ...]
    """Those that talk, in the server's order; at least one."""


async def detect(*, own_port: int | None = None, ports: Mapping[int, str] = PORTS) -> list[DetectedServer]:
    """The servers found, in the order of `ports`; takes at most about 3 s, 60-190 ms when none runs.

    Args:
        own_port: where this program listens itself; it is not asked.
        ports: port -> what usually runs there.
    """
    timeout = httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    # Plain HTTP on loopback: without `verify` no certificates are read, which would take 40 ms of each probing.
    async with httpx.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False, verify=False) as client:
        tasks = [_probe(client, port, kind) for port, kind in ports.items() if port != own_port]
        return [server for server in await asyncio.gather(*tasks) if server]


def is_talking_model(name: str) -> bool:
    """Whether a model's name is not that of an embedding, speech or picture model."""
    return not _SILENT_MODEL.search(name)


def talking_models(answer: Any) -> tuple[str, ...]:
    """The ids of talking models in the answer to `GET /v1/models`; () when it is no such answer."""
    data = answer.get("data") if isinstance(answer, dict) else None
    entries: Iterable[Any] = data if isinstance(data, list) else ()
    names = [entry.get("id") for entry in entries if isinstance(entry, dict)]
    return tuple(name for name in names if isinstance(name, str) and name and is_talking_model(name))


async def _probe(client: httpx.AsyncClient, port: int, kind: str) -> DetectedServer | None:
    root = f"http://127.0.0.1:{port}"
    models = talking_models(await _get(client, f"{root}/v1/models"))
    if not models:
        return None
    for path, name in FINGERPRINTS:
        if await _get(client, root + path) is not None:
            return DetectedServer(name, f"{root}/v1", models)
    # Ports 8000 and 8080 belong to many programs; one that has no known mark must speak one token first.
    if not await _speaks(client, f"{root}/v1", models[0]):
        return None
    return DetectedServer(kind if port == 1337 else "OpenAI-compatible", f"{root}/v1", models)


async def _get(client: httpx.AsyncClient, url: str) -> Any:
    """The JSON behind an address, or None for anything else."""
    try:
        response = await client.get(url)
        if response.status_code != 200 or len(response.content) > MAX_ANSWER_BYTES:
            return None
        return response.json()
    except (httpx.HTTPError, ValueError):
        return None


async def _speaks(client: httpx.AsyncClient, base_url: str, model: str) -> bool:
    request = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
    try:
        response = await client.post(f"{base_url}/chat/completions", json=request, timeout=ONE_TOKEN_TIMEOUT_S)
        return response.status_code == 200 and bool(response.json().get("choices"))
    except (httpx.HTTPError, ValueError, AttributeError):
        return False
