"""The HTTP side: doors, page, guard. It warms the engines, then lets callers in, and ends their calls on stop."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from avatar.clock import Clock, MonotonicClock

from ..config import ServerConfig
from ..engines import Engines
from ..errors import AgentError
from ..upgrade import Upgrade
from . import memory, problems
from .calls import CallBook
from .guard import Guard
from .prometheus import CallMeters
from .routes.meta import meta_router
from .routes.offer import offer_router
from .routes.sessions import session_router
from .static import page_router

logger = logging.getLogger(__name__)
LOOPBACK_ORIGIN = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"
"""Pages of this machine may call from another port: one's own site under development."""
OnStep = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Start:
    """How a server comes up."""

    on_step: OnStep = logger.info
    """Told each step in plain words."""
    on_ready: Callable[[Engines], None] | None = None
    """Told when callers may come."""
    engines: Engines | None = None
    """Already warm ones (tests); else they are warmed when the server starts."""
    port: int | None = None
    """Where it will listen, so that it does not mistake itself for a language model."""


def create_app(config: ServerConfig, start: Start | None = None, *, clock: Clock | None = None) -> FastAPI:
    """Make the server.

    Args:
        config: how it is set up.
        start: how it comes up.
        clock: paces calls; the machine's when None.
    """
    book = CallBook(config, clock or MonotonicClock())
    meters = CallMeters(book)
    lifespan = partial(_lifespan, book=book, start=start or Start())
    app = FastAPI(title="Visavis", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.failure = None
    problems.install(app)
    app.add_middleware(
        CORSMiddleware,
        allow_origin_regex=LOOPBACK_ORIGIN,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["Location", "ETag"],
    )
    app.add_middleware(Guard)
    for router in (meta_router(book, meters), session_router(book), offer_router(book), page_router()):
        app.include_router(router)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI, *, book: CallBook, start: Start) -> AsyncIterator[None]:
    def warmed(task: asyncio.Task[None]) -> None:
        """A server that cannot warm up must not sit there looking alive."""
        if not task.cancelled() and task.exception() is not None:
            app.state.failure = task.exception()
            signal.raise_signal(signal.SIGINT)

    warming = asyncio.create_task(_warm(book, start))
    warming.add_done_callback(warmed)
    collector = memory.Collector(lambda: book.num_active == 0)
    book.watchers.append(lambda session: collector.call_ended())
    try:
        yield
    finally:
        warming.cancel()
        await asyncio.gather(warming, return_exceptions=True)
        await book.aclose()
        collector.close()
        if book.upgrade is not None:
            await book.upgrade.aclose()
        if book.engines is not None and start.engines is None:
            await book.engines.aclose()


async def _warm(book: CallBook, start: Start) -> None:
    """Load everything; until then offers are refused and `/readyz` says so."""
    try:
        engines = start.engines or await Engines.warm(book.config, start.on_step)
        engines.port = start.port
    except AgentError:
        raise  # it says itself what to do, and whoever runs the server tells it
    except Exception:
        logger.exception("warm-up failed")
        raise
    memory.settle()
    book.engines = engines
    if start.on_ready is not None:
        start.on_ready(engines)
    if start.engines is None:
        book.upgrade = Upgrade(engines, book.tell_engines, start.on_step)
        book.upgrade.start()
