"""The HTTP side: doors, page, guard. It warms the engines, then lets callers in, and ends their calls on stop."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from avatar.clock import Clock, MonotonicClock

from ..config import ServerConfig
from ..engines import Engines
from ..upgrade import Upgrade
from . import problems
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


def create_app(
    config: ServerConfig,
    *,
    clock: Clock | None = None,
    on_step: OnStep = logger.info,
    on_ready: Callable[[Engines], None] | None = None,
    engines: Engines | None = None,
    port: int | None = None,
) -> FastAPI:
    """Make the server.

    Args:
        config: how it is set up.
        clock: paces calls; the machine's when None.
        on_step: told each step of the start in plain words.
        on_ready: told when callers may come.
        engines: already warm ones (tests); else they are warmed when the server starts.
        port: where it will listen, so that it does not mistake itself for a language model.
    """
    book = CallBook(config, clock or MonotonicClock())
    meters = CallMeters(book)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        warming = asyncio.create_task(_warm(book, engines, port, on_step, on_ready))
        warming.add_done_callback(_warmed)
        try:
            yield
        finally:
            warming.cancel()
            await asyncio.gather(warming, return_exceptions=True)
            await book.aclose()
            if book.upgrade is not None:
                await book.upgrade.aclose()
            if book.engines is not None and engines is None:
                await book.engines.aclose()

    def _warmed(task: asyncio.Task[None]) -> None:
        """A server that cannot warm up must not sit there looking alive."""
        if not task.cancelled() and task.exception() is not None:
            app.state.warming_failed = True
            signal.raise_signal(signal.SIGINT)

    app = FastAPI(title="Visavis", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.warming_failed = False
    app.state.book = book
    app.state.meters = meters
    problems.install(app)
    app.add_middleware(
        CORSMiddleware,
        allow_origin_regex=LOOPBACK_ORIGIN,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["Location", "ETag"],
    )
    app.add_middleware(Guard)
    app.include_router(meta_router(book, meters))
    app.include_router(session_router(book))
    app.include_router(offer_router(book))
    app.include_router(page_router())
    return app


async def _warm(
    book: CallBook,
    engines: Engines | None,
    port: int | None,
    on_step: OnStep,
    on_ready: Callable[[Engines], None] | None,
) -> None:
    """Load everything; until then offers are refused and `/readyz` says so."""
    try:
        book.engines = engines or await Engines.warm(book.config, on_step)
        book.engines.port = port
    except Exception as error:
        on_step(f"cannot start: {error}")
        logger.exception("warm-up failed")
        raise
    if on_ready is not None:
        on_ready(book.engines)
    if engines is None:
        book.upgrade = Upgrade(book.engines, book.tell_engines, on_step)
        book.upgrade.start()
