"""Who may call while no keys exist: programs and pages of this machine, nobody else.

A page of a stranger's site that the user has open can reach 127.0.0.1 too, so the address is not
enough: `Host` must be a loopback name (DNS rebinding) and `Origin`, when there is one, a loopback origin.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .problems import problem

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
PROXY_HEADERS = frozenset({"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"})
"""What a proxy adds: behind one, the peer's address says nothing of who calls."""
MAX_BODY_BYTES = 1_048_576


def refusal(client_host: str | None, headers: Mapping[str, str]) -> tuple[str, str] | None:
    """Why a request may not pass, as (code, text), or None when it may.

    Args:
        client_host: the peer's address.
        headers: lower-case names.
    """
    if client_host is None or not _is_loopback_address(client_host):
        return "unauthorized", "while no API keys exist only this machine may call"
    if PROXY_HEADERS & headers.keys():
        return "unauthorized", "a proxied call needs an API key, and none exists yet"
    if _host_name(headers.get("host", "")) not in LOOPBACK_NAMES:
        return "unauthorized", "call this server as http://127.0.0.1 or http://localhost"
    origin = headers.get("origin")
    if origin is not None and _origin_host(origin) not in ("localhost", "127.0.0.1", "::1"):
        return "origin_not_allowed", f"pages of {origin} may not call this server"
    return None


def _is_loopback_address(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host_name(host: str) -> str:
    return (host.rsplit(":", 1)[0] if not host.endswith("]") else host).lower()


def _origin_host(origin: str) -> str | None:
    try:
        return urlsplit(origin).hostname
    except ValueError:
        return None


class Guard:
    """ASGI middleware: refuses strangers and bodies that are too large."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        client = scope.get("client")
        why = refusal(client[0] if client else None, headers)
        length = headers.get("content-length", "0")
        if why is None and (not length.isdigit() or int(length) > MAX_BODY_BYTES):
            why = "too_large", f"a request may have {MAX_BODY_BYTES} bytes"
        if why is not None:
            await problem(*why)(scope, receive, send)
            return
        await self._app(scope, _bounded(receive), send)


def _bounded(receive: Receive) -> Receive:
    """Bodies that come without a stated length are counted as they come."""
    num_bytes = 0

    async def bounded() -> Message:
        nonlocal num_bytes
        message = await receive()
        num_bytes += len(message.get("body", b""))
        if num_bytes > MAX_BODY_BYTES:
            raise HTTPException(413, f"a request may have {MAX_BODY_BYTES} bytes")
        return message

    return bounded
