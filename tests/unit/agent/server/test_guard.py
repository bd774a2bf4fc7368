"""Who may pass while no keys exist: this machine and its own pages, with bodies of a sane size."""

import httpx
import pytest
from fastapi import FastAPI, Request

from agent.server import problems
from agent.server.guard import MAX_BODY_BYTES, Guard, refusal

pytestmark = pytest.mark.unit

HOST = {"host": "127.0.0.1:7860"}


@pytest.mark.parametrize(
    ("client", "headers", "code"),
    [
        ("127.0.0.1", HOST, None),
        ("127.9.9.9", HOST, None),
        ("::1", {"host": "[::1]:7860"}, None),
        ("127.0.0.1", {"host": "localhost"}, None),
        ("127.0.0.1", {"host": "LocalHost:7860"}, None),
        ("127.0.0.1", {"host": "[::1]"}, None),
        ("192.168.1.5", HOST, "unauthorized"),
        ("testclient", HOST, "unauthorized"),
        (None, HOST, "unauthorized"),
        ("127.0.0.1", {}, "unauthorized"),
        ("127.0.0.1", {"host": "evil.example:7860"}, "unauthorized"),
        ("127.0.0.1", {"host": "127.0.0.1.evil.example"}, "unauthorized"),
        ("127.0.0.1", {"host": "localhost.evil.example"}, "unauthorized"),
        ("127.0.0.1", {**HOST, "x-forwarded-for": "203.0.113.7"}, "unauthorized"),
        ("127.0.0.1", {**HOST, "forwarded": "for=203.0.113.7"}, "unauthorized"),
        ("127.0.0.1", {**HOST, "x-real-ip": "203.0.113.7"}, "unauthorized"),
        ("127.0.0.1", {**HOST, "via": "1.1 proxy"}, "unauthorized"),
        ("127.0.0.1", {**HOST, "origin": "http://localhost:3000"}, None),
        ("127.0.0.1", {**HOST, "origin": "http://[::1]:7860"}, None),
        ("127.0.0.1", {**HOST, "origin": "https://evil.example"}, "origin_not_allowed"),
        ("127.0.0.1", {**HOST, "origin": "http://localhost.evil.example"}, "origin_not_allowed"),
        ("127.0.0.1", {**HOST, "origin": "null"}, "origin_not_allowed"),
        ("127.0.0.1", {**HOST, "origin": ""}, "origin_not_allowed"),
        ("127.0.0.1", {**HOST, "origin": "http://[::1"}, "origin_not_allowed"),
        ("127.0.0.1", {**HOST, "origin": "http://127.0.0.1@evil.example"}, "origin_not_allowed"),
    ],
)
def test_who_may_pass(client, headers, code):
    why = refusal(client, headers)
    assert (why and why[0]) == code
    assert why is None or len(why[1]) > 20


@pytest.fixture
async def http():
    app = FastAPI()
    problems.install(app)
    app.add_middleware(Guard)

    @app.post("/echo")
    async def echo(request: Request) -> int:
        return len(await request.body())

    @app.post("/json")
    async def take(body: dict) -> int:
        return len(body)

    transport = httpx.ASGITransport(app, client=("127.0.0.1", 5))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860") as client:
        yield client


async def pieces(num_bytes: int):
    """A body that comes without a stated length."""
    for start in range(0, num_bytes, 1 << 16):
        yield b" " * min(1 << 16, num_bytes - start)


@pytest.mark.parametrize("path", ["/echo", "/json"])
async def test_a_body_is_bounded_however_it_comes(http, path):
    stated = await http.post(path, content=b" " * (MAX_BODY_BYTES + 1))
    unstated = await http.post(path, content=pieces(MAX_BODY_BYTES + 1))
    for reply in (stated, unstated):
        assert (reply.status_code, reply.json()["error"]["code"]) == (413, "too_large")


async def test_a_body_of_the_allowed_size_passes(http):
    assert (await http.post("/echo", content=pieces(MAX_BODY_BYTES))).json() == MAX_BODY_BYTES
    assert (await http.post("/json", json={"a": 1})).json() == 1


@pytest.mark.parametrize("length", ["-1", "many", "1e3"])
async def test_a_length_that_is_no_number_is_refused(http, length):
    reply = await http.post("/echo", headers={"content-length": length})
    assert reply.json()["error"]["code"] == "too_large"
