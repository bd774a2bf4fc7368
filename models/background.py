"""Fetching better models while calls go on; the next call uses them.

Nothing here is on the way to readiness: `start` returns at once, a dead or hanging hub costs only this task.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from .download import OnProgress, Progress
from .errors import ModelError, OfflineError

log = logging.getLogger(__name__)

State = Literal["downloading", "ready", "failed"]
_PAUSES_S = (5.0, 30.0, 120.0, 600.0)
"""Between rounds at a hub that does not answer; the last one repeats."""


@dataclass(frozen=True, slots=True)
class SlotProgress:
    """News of one engine slot."""

    slot: str
    """stt | tts"""
    model: str
    state: State
    percent: int | None = None
    received_bytes: int = 0
    total_bytes: int | None = None
    folder: Path | None = None
    """Where the model is, when ready."""
    problem: str | None = None
    """When failed: what happened and what to do."""
    retry_in_s: float | None = None
    """When failed: it is tried again after this, or None: not again."""


class Fetcher(Protocol):
    """What is used of `download.Downloader`."""

    async def fetch(self, name: str, on_progress: OnProgress | None = None) -> Path: ...


class BackgroundFetch:
    """One task that fetches the wanted models, one after the other."""

    def __init__(
        self,
        fetcher: Fetcher,
        wanted: Mapping[str, str],
        on_news: Callable[[SlotProgress], None],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Make one; nothing is done before `start`.

        Args:
            fetcher: gets one model.
            wanted: slot to model name, most wanted first.
            on_news: called on the loop: at each new percent, when ready, when failed.
            sleep: waits in seconds between rounds.
        """
        self._fetcher = fetcher
        self._wanted = dict(wanted)
        self._on_news = on_news
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; `aclose` ends it."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self.run(), name="model-fetch")

    async def run(self) -> None:
        """Fetch all; returns when each is ready or has failed for good."""
        left = dict(self._wanted)
        rounds = 0
        while left:
            pause_s = _PAUSES_S[min(rounds, len(_PAUSES_S) - 1)]
            left = {slot: model for slot, model in left.items() if not await self._settle(slot, model, pause_s)}
            if left:
                await self._sleep(pause_s)
            rounds += 1

    async def _settle(self, slot: str, model: str, pause_s: float) -> bool:
        """One attempt; True when there is nothing more to do for the slot."""
        try:
            folder = await self._fetcher.fetch(model, _Percents(slot, self._on_news))
        except OfflineError:
            return True
        except ModelError as exc:
            retry_in_s = pause_s if exc.retryable else None
            log.warning("model %s not fetched: %s", model, exc)
            self._on_news(SlotProgress(slot, model, "failed", problem=str(exc), retry_in_s=retry_in_s))
            return not exc.retryable
        except Exception as exc:  # unforeseen, and nobody awaits this task: without a word it would seem to go on
            log.exception("model %s not fetched", model)
            problem = f"something unforeseen went wrong ({type(exc).__name__}: {exc}); fetch it by hand to see more"
            self._on_news(SlotProgress(slot, model, "failed", problem=problem))
            return True
        self._on_news(SlotProgress(slot, model, "ready", percent=100, folder=folder))
        return True

    async def aclose(self) -> None:
        """Stop; what was received stays for the next start."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            if (current := asyncio.current_task()) is not None and current.cancelling():
                raise


class _Percents:
    """Passes on progress, once for each percent (or each 4 MB when the size is not known)."""

    def __init__(self, slot: str, on_news: Callable[[SlotProgress], None]) -> None:
        self._slot = slot
        self._on_news = on_news
        self._last = -1

    def __call__(self, progress: Progress) -> None:
        step = progress.percent if progress.percent is not None else progress.received_bytes >> 22
        if step == self._last:
            return
        self._last = step
        self._on_news(
            SlotProgress(
                self._slot,
                progress.model,
                "downloading",
                percent=progress.percent,
                received_bytes=progress.received_bytes,
                total_bytes=progress.total_bytes,
            )
        )
