"""Fetching a model: resumable, verified, installed at once or not at all.

Each file grows in `<cache>/.partial/<model>/<file>.part`, continues there with a Range request after a cut
(also in a later process), is synced, verified (`hub` says where checksums come from) and only then loses
its ".part"; when all are there, the folder is renamed into place.
"""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import shutil
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx

from . import hub
from .cache import ModelCache
from .checksum import verify
from .errors import CacheError, ChecksumError, DiskFullError, ModelError, OfflineError, UnknownModelError
from .registry import ModelCard
from .transfer import receive

log = logging.getLogger(__name__)

_BACKOFF_S = (1.0, 2.0, 4.0, 8.0)
"""Waits between the attempts at one file."""
_SPARE_BYTES = 50 << 20
_LOCK_POLL_S = 0.5
_SOURCE = "source.json"
"""In the partial folder: which commit its pieces are of."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a model is."""

    model: str
    received_bytes: int
    total_bytes: int | None

    @property
    def percent(self) -> int | None:
        """0..100, or None when the hub does not state sizes."""
        return min(100, self.received_bytes * 100 // self.total_bytes) if self.total_bytes else None


OnProgress = Callable[[Progress], None]
Sleep = Callable[[float], Awaitable[None]]
Prepare = Callable[[ModelCard, Path], Awaitable[dict[str, Any]]]
"""What is done once to a verified model before it is installed; returns facts for the manifest."""


class Downloader:
    """Fetches models into one cache."""

    def __init__(
        self,
        cache: ModelCache,
        *,
        base_url: str | None = None,
        offline: bool | None = None,
        prepare: Prepare | None = None,
        client: httpx.AsyncClient | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Make one; nothing is done before `fetch`.

        Args:
            cache: where to.
            base_url: of the hub; default from the environment, as is `offline`.
            offline: forbid all fetching.
            prepare: run on the folder of a verified model, see `alignments.prepare`.
            client: the caller's to close; default one per fetch.
            sleep: waits in seconds between attempts.
        """
        self._cache = cache
        self._base_url = base_url or hub.hub_url()
        self._offline = hub.is_offline() if offline is None else offline
        self._prepare = prepare
        self._client = client
        self._sleep = sleep

    async def fetch(self, name: str, on_progress: OnProgress | None = None) -> Path:
        """Fetch a model unless it is there; waits when another process is at it.

        Returns:
            Its folder.

        Raises:
            ModelError: one of `errors`; what was received is kept for the next attempt unless it is wrong.
        """
        card = self._cache.cards.get(name)
        if card is None:
            raise UnknownModelError(f"no model is called {name!r}; known are: {', '.join(self._cache.cards)}")
        if (model := self._cache.find(name)) is not None:
            return model.folder
        if self._offline:
            raise OfflineError(f"VISAVIS_OFFLINE forbids fetching {name}; unset it, or copy the model to the cache")
        while True:
            try:
                with self._cache.lock(name):
                    return await self._fetch_locked(card, on_progress or _ignore)
            except BlockingIOError:
                await self._sleep(_LOCK_POLL_S)

    async def _fetch_locked(self, card: ModelCard, on_progress: OnProgress) -> Path:
        if (model := self._cache.find(card.name)) is not None:
            return model.folder
        try:
            async with AsyncExitStack() as stack:
                client = self._client
                if client is None:
                    client = await stack.enter_async_context(httpx.AsyncClient(timeout=hub.TIMEOUT))
                remotes = await self._look_up(client, card)
                tally = _Tally(card.name, remotes, on_progress)
                folder = await asyncio.to_thread(self._prepare_folder, card, remotes, tally.total_bytes)
                for remote in remotes:
                    await self._fetch_file(client, remote, folder, tally)
            return await self._install(card, remotes)
        except OSError as exc:
            raise _disk_error(exc, self._cache.root) from exc

    async def _look_up(self, client: httpx.AsyncClient, card: ModelCard) -> list[hub.RemoteFile]:
        """The first answer names the commit, the others are asked of that commit."""
        remotes: list[hub.RemoteFile] = []
        revision = card.revision
        for file in card.files:
            ask = partial(hub.look_up, client, self._base_url, card, file, revision)
            remotes.append(await self._persist(ask))
            revision = remotes[-1].commit or revision
        return remotes

    def _prepare_folder(self, card: ModelCard, remotes: list[hub.RemoteFile], total_bytes: int | None) -> Path:
        """The folder for the pieces; those of another commit or content are thrown away."""
        folder = self._cache.partial_folder(card.name)
        source = json.dumps({remote.file.name: remote.digest.value for remote in remotes}, indent=1)
        note = folder / _SOURCE
        if folder.exists() and (not note.exists() or note.read_text(encoding="utf-8") != source):
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        note.write_text(source, encoding="utf-8")
        here = sum(path.stat().st_size for path in folder.iterdir())
        free = shutil.disk_usage(folder).free
        if total_bytes is not None and free < total_bytes - here + _SPARE_BYTES:
            needed = (total_bytes - here + _SPARE_BYTES) >> 20
            raise DiskFullError(
                f"{card.name} needs {needed} MB in {self._cache.root}, {free >> 20} MB are free; "
                "make room, or set VISAVIS_HOME to another disk"
            )
        return folder

    async def _fetch_file(self, client: httpx.AsyncClient, remote: hub.RemoteFile, folder: Path, tally: _Tally) -> None:
        target = folder / remote.file.name
        if target.exists():
            tally.received(remote, target.stat().st_size)
            return
        part = target.with_name(target.name + ".part")
        await self._persist(partial(receive, client, remote, part, partial(tally.received, remote)))
        try:
            await asyncio.to_thread(verify, part, remote.digest, num_bytes=remote.num_bytes)
        except ChecksumError:
            part.unlink(missing_ok=True)
            raise
        part.rename(target)

    async def _install(self, card: ModelCard, remotes: list[hub.RemoteFile]) -> Path:
        folder = self._cache.partial_folder(card.name)
        facts = await self._prepare(card, folder) if self._prepare else {}
        (folder / _SOURCE).unlink(missing_ok=True)
        files = {
            remote.file.name: {
                "bytes": (folder / remote.file.name).stat().st_size,
                remote.digest.algorithm: remote.digest.value,
                "digest_from": remote.digest_from,
            }
            for remote in remotes
        }
        manifest = {
            "name": card.name,
            "kind": card.kind,
            "repo": card.repo,
            "commit": remotes[0].commit,
            "files": files,
        }
        log.info("model %s installed", card.name)
        return await asyncio.to_thread(self._cache.install, card.name, manifest | facts)

    async def _persist(self, work: Callable[[], Awaitable[_T]]) -> _T:
        """Try again, with pauses, what may pass."""
        for pause_s in _BACKOFF_S:
            try:
                return await work()
            except ModelError as exc:
                if not exc.retryable:
                    raise
                log.debug("attempt failed (%s), again in %s s", exc.code, pause_s)
            await self._sleep(pause_s)
        return await work()


class _Tally:
    """Sums what the files of a model have received."""

    def __init__(self, model: str, remotes: list[hub.RemoteFile], on_progress: OnProgress) -> None:
        sizes = [remote.num_bytes for remote in remotes]
        self.total_bytes = None if None in sizes else sum(size for size in sizes if size is not None)
        self._model = model
        self._received: dict[str, int] = {}
        self._on_progress = on_progress

    def received(self, remote: hub.RemoteFile, num_bytes: int) -> None:
        self._received[remote.file.name] = num_bytes
        self._on_progress(Progress(self._model, sum(self._received.values()), self.total_bytes))


def _ignore(progress: Progress) -> None:
    """For callers who do not watch."""


def _disk_error(exc: OSError, root: Path) -> ModelError:
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError(f"the disk of {root} is full; make room, or set VISAVIS_HOME to another disk")
    return CacheError(f"cannot write to {root} ({exc}); set VISAVIS_HOME to a folder of yours")
