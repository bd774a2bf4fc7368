"""The bytes of one file: received into `<file>.part`, continued after a cut, synced."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import httpx

from .errors import ModelError, TruncatedError
from .hub import RemoteFile, check_status, unreachable


async def receive(
    client: httpx.AsyncClient, remote: RemoteFile, part: Path, on_received: Callable[[int], None]
) -> None:
    """Receive a file, from where `part` ends.

    Args:
        client: its timeouts bound each wait.
        remote: what to get.
        part: grows by what comes; kept on failure.
        on_received: called with the bytes of the file that are on disk.

    Raises:
        HubUnreachableError, HubRefusedError, TruncatedError: see `errors`.
        OSError: the disk.
    """
    have = _size(part)
    if remote.num_bytes is not None and have > remote.num_bytes:
        have = 0
    on_received(have)
    if have == remote.num_bytes:
        return
    headers = {"accept-encoding": "identity"} | ({"range": f"bytes={have}-"} if have else {})
    try:
        async with client.stream("GET", remote.url, headers=headers, follow_redirects=True) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                _forget(part)
                raise TruncatedError(f"{remote.file.name} could not be continued; it is fetched from its start")
            check_status(response, remote.url)
            if not _continues(response, have):
                have = 0
            await _write(response, part, have, on_received)
    except (httpx.ConnectError, httpx.ConnectTimeout) as exc:
        raise unreachable(remote.url, exc) from exc
    except httpx.HTTPError as exc:
        raise _cut(remote, part, type(exc).__name__) from exc
    if remote.num_bytes is not None and _size(part) < remote.num_bytes:
        raise _cut(remote, part, "the hub ended early")


def _continues(response: httpx.Response, have: int) -> bool:
    """Whether the answer goes on at `have`; a server may ignore Range and send all."""
    stated = response.headers.get("content-range", "")
    return response.status_code == httpx.codes.PARTIAL_CONTENT and stated.startswith(f"bytes {have}-")


async def _write(response: httpx.Response, part: Path, have: int, on_received: Callable[[int], None]) -> None:
    with part.open("r+b" if have else "wb") as out:
        out.seek(have)
        out.truncate()
        try:
            # Without a size given: gathering to a fixed size would lose the last gathered bytes at a cut.
            async for piece in response.aiter_raw():
                out.write(piece)
                have += len(piece)
                on_received(have)
        finally:
            # Kept also when the connection broke: the next attempt continues here.
            out.flush()
        await asyncio.to_thread(os.fsync, out.fileno())


def _cut(remote: RemoteFile, part: Path, reason: str) -> ModelError:
    return TruncatedError(
        f"the connection broke at byte {_size(part)} of {remote.file.name} ({reason}); fetch again to continue there"
    )


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
