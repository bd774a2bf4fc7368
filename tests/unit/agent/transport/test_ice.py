"""Servers from the environment, and what is said of wrong ones."""

from __future__ import annotations

import json

import pytest

from agent.errors import ConfigError
from agent.transport import IceServer, ice_servers_from_env

pytestmark = pytest.mark.unit


def _read(value: object) -> tuple[IceServer, ...]:
    text = value if isinstance(value, str) else json.dumps(value)
    return ice_servers_from_env({"VISAVIS_ICE_SERVERS": text})


def test_none_by_default() -> None:
    assert ice_servers_from_env({}) == () == _read("  ")


def test_stun_and_turn_are_read() -> None:
    servers = _read(
        [{"urls": "stun:s.example:3478"}, {"urls": ["turn:t.example"], "username": "u", "credential": "secret"}]
    )
    assert servers == (IceServer(("stun:s.example:3478",)), IceServer(("turn:t.example",), "u", "secret"))
    assert "secret" not in repr(servers)
    assert servers[1].to_browser() == {"urls": ["turn:t.example"], "username": "u", "credential": "secret"}
    assert servers[0].to_aiortc().urls == ["stun:s.example:3478"]


@pytest.mark.parametrize(
    "value",
    [
        "{",
        {"urls": "stun:x"},
        ["stun:x"],
        [{}],
        [{"urls": []}],
        [{"urls": "http://x"}],
        [{"urls": "stun:x", "username": 1}],
    ],
)
def test_wrong_ones_name_the_variable_and_the_remedy(value: object) -> None:
    with pytest.raises(ConfigError, match="VISAVIS_ICE_SERVERS .* give a list such as"):
        _read(value)
