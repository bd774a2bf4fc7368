"""Finding a language model server on loopback, and leaving everything else alone."""

from __future__ import annotations

import pytest

from agent.brain.detect import PORTS, detect, is_talking_model, talking_models
from tests.fixtures.llm_server import LlmServer

pytestmark = pytest.mark.unit


async def test_finds_a_server_and_skips_its_embedding_model() -> None:
    async with LlmServer() as server:
        found = await detect(ports={server.port: "Ollama"})
    assert [(one.kind, one.base_url, one.models) for one in found] == [("Ollama", server.base_url, ("test-model",))]
    assert not server.chats()


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/props", "llama.cpp"), ("/api/v0/models", "LM Studio"), ("/version", "vLLM"), ("/api/version", "Ollama")],
)
async def test_knows_a_server_by_its_mark_and_not_by_its_port(path: str, kind: str) -> None:
    async with LlmServer(fingerprint=path) as server:
        found = await detect(ports={server.port: "something else"})
    assert found[0].kind == kind


async def test_sends_no_key() -> None:
    async with LlmServer(fingerprint=None) as server:
        await detect(ports={server.port: "vLLM"})
    assert server.requests
    assert not [request for request in server.requests if "authorization" in request.headers]


async def test_an_unknown_server_must_say_one_token() -> None:
    async with LlmServer(fingerprint=None) as server:
        found = await detect(ports={server.port: "vLLM"})
    assert found[0].kind == "OpenAI-compatible"
    assert [request.body["max_tokens"] for request in server.chats()] == [1]


async def test_a_list_of_models_without_a_voice_is_no_server() -> None:
    async with LlmServer(fingerprint=None, mode="server-error") as server:
        assert await detect(ports={server.port: "vLLM"}) == []


@pytest.mark.parametrize("mode", ["html", "drop-once"])
async def test_another_program_on_the_port_is_left_alone(mode: str) -> None:
    async with LlmServer(mode=mode) as server:
        assert await detect(ports={server.port: "llama.cpp"}) == []


async def test_our_own_port_is_not_asked() -> None:
    async with LlmServer() as server:
        assert await detect(ports={server.port: "vLLM"}, own_port=server.port) == []
    assert server.connections == 0


async def test_the_order_is_that_of_the_ports() -> None:
    async with LlmServer(models=("first",)) as first, LlmServer(models=("second",)) as second:
        found = await detect(ports={second.port: "b", first.port: "a"})
    assert [server.models for server in found] == [("second",), ("first",)]


def test_the_usual_servers_are_looked_for() -> None:
    assert list(PORTS) == [11434, 8080, 1234, 8000, 5001, 1337]


@pytest.mark.parametrize("name", ["llama3.2:3b", "qwen2.5-7b-instruct", "gpt-4o-mini", "mistral", "gemma-3-4b-it"])
def test_talking_models(name: str) -> None:
    assert is_talking_model(name)


@pytest.mark.parametrize("name", ["nomic-embed-text", "bge-m3", "text-embedding-3-small", "whisper-1", "tts-1"])
def test_silent_models(name: str) -> None:
    assert not is_talking_model(name)


@pytest.mark.parametrize("answer", [None, [], {}, {"data": None}, {"data": [1, {"id": 2}, {"name": "x"}, {"id": ""}]}])
def test_what_is_no_list_of_models_has_none(answer: object) -> None:
    assert talking_models(answer) == ()
