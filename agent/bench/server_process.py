"""A server of our own to measure: a process, so that its cost can be told from the caller's."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import Sequence
from types import TracebackType

from avatar.clock import Clock

from ..errors import AgentError

START_S = 60.0
STOP_S = 10.0


class ServerProcess:
    """`visavis serve` on a free port.

    Args:
        options: further options of `serve`.
        clock: measures the start.
    """

    def __init__(self, options: Sequence[str], clock: Clock) -> None:
        self._options = list(options)
        self._clock = clock
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self.url = ""
        self.ready_s = 0.0
        self.lines: list[str] = []

    @property
    def pid(self) -> int:
        if self._process is None:
            raise AgentError("the server is not running")
        return self._process.pid

    async def __aenter__(self) -> ServerProcess:
        started_s = self._clock.now_s()
        command = (sys.executable, "-m", "agent", "serve", "--port", "0", *self._options)
        self._process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        try:
            async with asyncio.timeout(START_S):
                while not self.url:
                    await self._read_line()
        except BaseException:
            self._process.kill()
            await self._process.wait()
            raise
        self.ready_s = self._clock.now_s() - started_s
        self._reading = asyncio.ensure_future(self._drain())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)
            try:
                async with asyncio.timeout(STOP_S):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        if self._reading is not None:
            await self._reading

    async def _read_line(self) -> bool:
        assert self._process is not None and self._process.stdout is not None
        line = (await self._process.stdout.readline()).decode(errors="replace")
        if not line:
            if not self.url:
                raise AgentError("the server did not start:\n" + "\n".join(self.lines[-10:]))
            return False
        self.lines.append(line.rstrip())
        if found := re.search(r"ready: open (http://\S+)", line):
            self.url = found[1]
        return True

    async def _drain(self) -> None:
        while await self._read_line():
            pass
