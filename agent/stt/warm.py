"""The ears of a process: those the next call gets, and older ones as long as a call still hears with them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager

from ..errors import SttError
from .base import SttEngine, SttStream
from .registry import SttChoice, make


class WarmEars:
    """Holds one thread for all hearing, and every engine that is in use."""

    def __init__(self, choice: SttChoice, *, make_engine: Callable[[SttChoice, Executor], SttEngine] = make) -> None:
        """Make them; nothing is loaded before `use`.

        Args:
            choice: shown until then.
            make_engine: turns a choice into an engine, see `registry.make`.
        """
        self.choice = choice
        """What the next call hears with."""
        self._make_engine = make_engine
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="stt")
        self._engine: SttEngine | None = None
        self._num_calls: dict[SttEngine, int] = {}
        """Every started engine that is not closed yet, with the calls that hear with it."""

    async def use(self, choice: SttChoice) -> None:
        """Load other ears for the next call; calls that run keep theirs.

        Raises:
            SttError: they cannot be loaded; the ones in use stay.
        """
        if self._engine is not None and choice.model_path == self.choice.model_path:
            self.choice = choice
            return
        engine = self._make_engine(choice, self._thread)
        await engine.start()
        before, self._engine, self.choice = self._engine, engine, choice
        self._num_calls[engine] = 0
        if before is not None:
            await self._close_unused(before)

    @asynccontextmanager
    async def open(self, *, script: Sequence[str], words: Sequence[str], language: str) -> AsyncIterator[SttStream]:
        """The hearing of one call; see `SttEngine.open`."""
        engine = self._engine
        if engine is None:
            raise SttError("the ears were not loaded: await use() first")
        self._num_calls[engine] += 1
        try:
            stream = await engine.open(script=script, words=words, language=language)
            try:
                yield stream
            finally:
                await stream.aclose()
        finally:
            # Absent when the ears were closed before the call.
            if engine in self._num_calls:
                self._num_calls[engine] -= 1
                await self._close_unused(engine)

    async def aclose(self) -> None:
        """Free all engines."""
        engines, self._engine = list(self._num_calls), None
        self._num_calls.clear()
        for engine in engines:
            await engine.aclose()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _close_unused(self, engine: SttEngine) -> None:
        if engine is not self._engine and not self._num_calls.get(engine, 1):
            del self._num_calls[engine]
            await engine.aclose()
