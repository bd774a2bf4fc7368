"""How the two ends find each other: STUN and TURN servers, and addresses of this machine.

On one machine or one local network nothing is needed: host candidates do. Servers come from
`VISAVIS_ICE_SERVERS`, a JSON list as the browser takes it. Gathering is bounded, and a machine
without any network offers its loopback address.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from aioice import Candidate, Connection
from aiortc import RTCIceServer, RTCIceTransport, RTCPeerConnection

from ..errors import ConfigError

LOOPBACK = "127.0.0.1"

ICE_SERVERS_ENV = "VISAVIS_ICE_SERVERS"
_EXAMPLE = '[{"urls":["stun:stun.example.org:3478"]}]'


@dataclass(frozen=True, slots=True)
class IceServer:
    """One STUN or TURN server."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = field(default=None, repr=False)

    def to_browser(self) -> dict[str, object]:
        """As a page's `RTCIceServer`."""
        server: dict[str, object] = {"urls": list(self.urls)}
        if self.username is not None:
            server["username"] = self.username
        if self.credential is not None:
            server["credential"] = self.credential
        return server

    def to_aiortc(self) -> RTCIceServer:
        return RTCIceServer(urls=list(self.urls), username=self.username, credential=self.credential)


def ice_servers_from_env(environ: Mapping[str, str] = os.environ) -> tuple[IceServer, ...]:
    """Read the servers.

    Returns:
        None configured gives (): host candidates only.

    Raises:
        ConfigError: not a JSON list of {urls, username?, credential?}.
    """
    text = environ.get(ICE_SERVERS_ENV, "").strip()
    if not text:
        return ()
    try:
        entries = json.loads(text)
    except ValueError as exc:
        raise _bad("is not JSON") from exc
    if not isinstance(entries, list):
        raise _bad("is not a list")
    return tuple(_read_server(entry) for entry in entries)


class BoundedConnection(Connection):
    """aioice's ICE agent with a limit on slow servers, and an address where it would have none."""

    gather_timeout_s: float

    async def get_component_candidates(
        self,
        component: int,
        addresses: list[str],
        timeout: float = 5,  # noqa: ASYNC109 - the name is aioice's
    ) -> list[Candidate]:
        del timeout
        # aioice leaves loopback out; on a machine without a network there is nothing else.
        return await super().get_component_candidates(
            component,
            addresses or [LOOPBACK],
            self.gather_timeout_s,  # type: ignore[arg-type]  # handed to asyncio.wait, which takes fractions
        )


def bound_gathering(pc: RTCPeerConnection, timeout_s: float) -> None:
    """Make a connection's gathering end in time; call it when all its sections are there.

    The names are private to aiortc; were they to change, a dead STUN server would hold the answer for
    aioice's own 5 s (tests/contracts/test_aiortc_names.py fails first).
    """
    transports: list[RTCIceTransport] = [t.receiver.transport.transport for t in pc.getTransceivers()]
    if pc.sctp is not None:
        transports.append(pc.sctp.transport.transport)
    for transport in transports:
        connection = getattr(transport.iceGatherer, "_connection", None)
        if isinstance(connection, Connection):
            connection.__class__ = BoundedConnection
            assert isinstance(connection, BoundedConnection)
            connection.gather_timeout_s = timeout_s


def _read_server(entry: object) -> IceServer:
    if not isinstance(entry, dict):
        raise _bad("holds an entry that is not an object")
    urls = entry.get("urls")
    urls = [urls] if isinstance(urls, str) else urls
    if not isinstance(urls, list) or not urls or not all(isinstance(url, str) for url in urls):
        raise _bad("holds an entry without urls")
    for url in urls:
        if url.partition(":")[0] not in ("stun", "stuns", "turn", "turns"):
            raise _bad(f"names {url!r}; an address starts with stun:, stuns:, turn: or turns:")
    username, credential = entry.get("username"), entry.get("credential")
    if not isinstance(username, str | None) or not isinstance(credential, str | None):
        raise _bad("holds a username or credential that is not text")
    return IceServer(tuple(urls), username, credential)


def _bad(fault: str) -> ConfigError:
    return ConfigError(f"{ICE_SERVERS_ENV} {fault}; give a list such as {_EXAMPLE}")
