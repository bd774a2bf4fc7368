"""Better ears and voices, fetched while calls go on; the next call uses them."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from models.alignments import prepare
from models.background import BackgroundFetch, Fetcher, SlotProgress
from models.download import Downloader
from models.hub import hub_url
from models.registry import best_voice, best_whisper

from .engines import Engines

logger = logging.getLogger(__name__)
TELL_EVERY_PERCENT = 10
FAILED = -1
"""In place of a step of percents: the failure was told."""


class Upgrade:
    """The background fetch of one server.

    Args:
        engines: whose slots are filled with better models.
        on_change: told that `Engines.describe` has news (the page).
        on_step: told in plain words (the terminal).
        fetcher: gets one model; from the hub into the engines' cache when None.
    """

    def __init__(
        self,
        engines: Engines,
        on_change: Callable[[], None],
        on_step: Callable[[str], None],
        *,
        fetcher: Fetcher | None = None,
    ) -> None:
        self._engines = engines
        self._on_change = on_change
        self._on_step = on_step
        self._told: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._wanted = {} if engines.config.offline else wanted(engines)
        fetcher = fetcher or Downloader(engines.cache, prepare=prepare, offline=engines.config.offline)
        self._fetch = BackgroundFetch(fetcher, self._wanted, self._on_news)

    def start(self) -> None:
        """Begin; returns at once."""
        if not self._wanted:
            return
        cards = self._engines.cache.cards
        what = " and ".join(f"{name} ({cards[name].megabytes} MB)" for name in self._wanted.values())
        self._on_step(f"fetching {what} from {hub_url()} while you talk; VISAVIS_OFFLINE=1 forbids it")
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
        self._on_change()

    async def _use(self, news: SlotProgress) -> None:
        """Put the new model to work for the next call; one that does not load changes nothing."""
        engines = self._engines
        try:
            await (engines.load_voice(engines.default_persona()) if news.slot == "tts" else engines.load_ears())
            problem = engines.broken.get(news.model)
        except Exception as error:  # whatever it is: without a word the page would wait for this model for ever
            logger.warning("model %s cannot be used: %s", news.model, error)
            problem = str(error)
            engines.progress[news.slot] = {"problem": f"{news.model} was fetched and cannot be used: {problem}"}
        if problem is None:
            engines.progress.pop(news.slot, None)
            self._on_step(f"{news.model} is ready; the next call uses it")
        else:
            self._on_step(f"{news.model} was fetched and cannot be used: {problem}")
        self._on_change()

    def _tell(self, news: SlotProgress) -> None:
        if news.state == "failed":
            again = f"; trying again in {news.retry_in_s:.0f} s" if news.retry_in_s else ""
            if self._told.get(news.slot) != FAILED:
                self._on_step(f"{news.model} could not be fetched: {news.problem}{again}")
            self._told[news.slot] = FAILED
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
    config, persona, cards = engines.config, engines.default_persona(), engines.cache.cards
    language = persona.languages[0]
    models = {}
    if config.stt == "auto" and engines.ears.choice.engine != "whisper" and _has("faster_whisper"):
        models["stt"] = best_whisper(language)
    named = persona.voice_for(language).id
    voice = named if named in cards else best_voice(language)
    if config.tts == "auto" and voice is not None and _has("piper"):
        spoken = engines.tts.choose(engines.voice_spec(persona))
        if spoken.engine != "piper" or (voice == named and spoken.voice != named):
            models["tts"] = voice
    return {slot: name for slot, name in models.items() if name not in engines.broken}


def _has(library: str) -> bool:
    return importlib.util.find_spec(library) is not None
