"""Better ears and voices, fetched while calls go on; the next call uses them."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from models.alignments import prepare
from models.background import BackgroundFetch, SlotProgress
from models.download import Downloader
from models.registry import best_voice, best_whisper

from .engines import Engines, Slots

logger = logging.getLogger(__name__)
TELL_EVERY_PERCENT = 10


class Upgrade:
    """The background fetch of one server.

    Args:
        engines: whose slots are filled with better models.
        on_change: told the new state of all slots (the page).
        on_step: told in plain words (the terminal).
    """

    def __init__(self, engines: Engines, on_change: Callable[[Slots], None], on_step: Callable[[str], None]) -> None:
        self._engines = engines
        self._on_change = on_change
        self._on_step = on_step
        self._told: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        fetcher = Downloader(engines.cache, prepare=prepare, offline=engines.config.offline)
        self._fetch = BackgroundFetch(fetcher, wanted(engines), self._on_news)

    def start(self) -> None:
        """Begin; returns at once."""
        if not self._engines.config.offline:
            self._fetch.start()

    async def aclose(self) -> None:
        """Stop; what was received stays for the next start."""
        await self._fetch.aclose()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _on_news(self, news: SlotProgress) -> None:
        match news.state:
            case "downloading":
                progress = {"next": news.model, "state": "downloading", "percent": news.percent}
                self._engines.progress[news.slot] = progress
            case "failed":  # the engine in use works; only the better one did not come
                self._engines.progress[news.slot] = {"next": news.model, "problem": news.problem}
            case "ready":
                self._own(self._use(news))
        self._tell(news)
        self._on_change(self._engines.describe())

    async def _use(self, news: SlotProgress) -> None:
        """Put the new model to work for the next call."""
        if news.slot == "tts":
            self._engines.tts.refresh(self._engines.piper_voices())
            await self._engines.tts.warm(self._engines.voice_spec(self._engines.default_persona()))
        else:
            await self._engines.load_stt()
        self._engines.progress.pop(news.slot, None)
        self._on_step(f"{news.model} is ready; the next call uses it")
        self._on_change(self._engines.describe())

    def _tell(self, news: SlotProgress) -> None:
        if news.state == "failed":
            again = f"; trying again in {news.retry_in_s:.0f} s" if news.retry_in_s else ""
            if self._told.get(news.slot) != -1:
                self._on_step(f"{news.model} could not be fetched: {news.problem}{again}")
            self._told[news.slot] = -1
        elif news.state == "downloading" and news.percent is not None:
            step = news.percent // TELL_EVERY_PERCENT
            if step != self._told.get(news.slot):
                self._on_step(f"fetching {news.model} for the next call: {news.percent} %")
            self._told[news.slot] = step

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def wanted(engines: Engines) -> dict[str, str]:
    """Slot -> the model that would make `auto` better."""
    config, language = engines.config, engines.default_persona().languages[0]
    models = {}
    if config.stt == "auto" and engines.stt_choice.engine != "whisper" and _has("faster_whisper"):
        models["stt"] = best_whisper(language)
    voice = best_voice(language)
    if config.tts == "auto" and voice is not None and voice not in engines.piper_voices() and _has("piper"):
        models["tts"] = voice
    return models


def _has(library: str) -> bool:
    return importlib.util.find_spec(library) is not None
