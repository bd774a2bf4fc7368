"""`visavis models`: what ears and voices there are, and getting them onto this disk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from models import download
from models.alignments import prepare
from models.cache import ModelCache
from models.errors import ModelError
from models.registry import ModelCard

from .errors import AgentError, ConfigError


def run_models(verb: str, name: str | Sequence[str] | None) -> int:
    """One of list, fetch, remove, path.

    Raises:
        ConfigError: a name is not known.
        AgentError: a model cannot be fetched or removed.
    """
    cache = ModelCache()
    try:
        match verb:
            case "list":
                _list(cache)
            case "fetch":
                names = [name] if isinstance(name, str) else list(name or ())
                asyncio.run(_fetch(cache, [_card(cache, n).name for n in names]))
            case "remove":
                _remove(cache, str(name))
            case _:
                _path(cache, name if isinstance(name, str) else None)
    except ModelError as error:
        raise AgentError(str(error), code=error.code, retryable=error.retryable) from error
    return 0


def _list(cache: ModelCache) -> None:
    print(f"{'name':24} {'kind':8} {'languages':10} {'MB':>5}  {'here':5} licence")
    installed = {model.name for model in cache.installed()}
    for card in cache.cards.values():
        here = "yes" if card.name in installed else "no"
        languages = ",".join(card.languages[:3]) + ("..." if len(card.languages) > 3 else "")
        print(f"{card.name:24} {card.kind:8} {languages:10} {card.megabytes:5}  {here:5} {card.licence}")
    for model in cache.installed():
        if model.name not in cache.cards:
            print(f"{model.name:24} {model.kind:8} {'?':10} {model.num_bytes >> 20:5}  yes   yours")
    print(f"\nkept in {cache.root} (VISAVIS_HOME moves it)")


async def _fetch(cache: ModelCache, names: Sequence[str]) -> None:
    downloader = download.Downloader(cache, prepare=prepare)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns) as progress:
        for name in names:
            task = progress.add_task(name, total=None, visible=False)

            def show(now: download.Progress, task: TaskID = task) -> None:
                progress.update(task, completed=now.received_bytes, total=now.total_bytes, visible=True)

            folder = await downloader.fetch(name, show)
            progress.console.print(f"{name} is in {folder}")


def _remove(cache: ModelCache, name: str) -> None:
    _check_known(cache, name)
    print(f"{name}: {'removed' if cache.remove(name) else 'was not on this disk'}")


def _path(cache: ModelCache, name: str | None) -> None:
    if name is None:
        print(cache.root)
        return
    _check_known(cache, name)
    model = cache.find(name)
    if model is None:
        raise AgentError(f"{name} is not on this disk; `visavis models fetch {name}` gets it", code="model-missing")
    print(model.folder)


def _check_known(cache: ModelCache, name: str) -> None:
    """A model of the catalog, or one that was copied in by hand."""
    if cache.find(name) is None:
        _card(cache, name)


def _card(cache: ModelCache, name: str) -> ModelCard:
    if name not in cache.cards:
        raise ConfigError(f"models: {name!r} is not known; there are {', '.join(cache.cards)}")
    return cache.cards[name]
