"""Work that runs beside a stage's frames, one of each name at a time, every failure reported."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from .call import Call

Create = Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]
Cancel = Callable[[asyncio.Task[None]], Awaitable[None]]


class Errands:
    """The tasks of one stage; the stage's own `create_task` and `cancel_task` run them."""

    def __init__(self, call: Call, owner: str, create: Create, cancel: Cancel) -> None:
        self._call = call
        self._owner = owner
        self._create = create
        self._cancel = cancel
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run work; a second of the same name is dropped while the first runs."""
        task = self._tasks.get(name)
        if task is not None and not task.done():
            work.close()
            return
        self._tasks[name] = self._create(self._guard(name, work), name)

    async def wait(self, *names: str) -> None:
        """Wait until those that run are done."""
        running = [self._tasks[name] for name in names if name in self._tasks and not self._tasks[name].done()]
        if running:
            await asyncio.wait(running)

    async def cancel(self, name: str) -> None:
        """Give one up."""
        task = self._tasks.get(name)
        if task is not None and not task.done():
            await self._cancel(task)

    async def cancel_all(self) -> None:
        """Give all up; idempotent."""
        tasks, self._tasks = self._tasks, {}
        for task in tasks.values():
            if not task.done():
                await self._cancel(task)

    async def _guard(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # a task that dies in silence would leave the caller talking to nobody
            self._call.report(error, f"{self._owner}-{name}")
