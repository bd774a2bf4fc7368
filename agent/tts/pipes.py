"""The pipes to the speech worker, a program of its own under the GPL: start, send, receive, end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

_log = logging.getLogger(__name__)

PROGRAM = Path(__file__).parent / "worker" / "main.py"
MAX_HEADER_BYTES = 1 << 20
END_S = 1.0
"""How long the worker may take to end by itself once its input is closed."""

Message = tuple[dict[str, Any], bytes]


class WorkerLink:
    """One running worker. A message is one JSON line with a byte count, then that many bytes."""

    def __init__(
        self, process: Process, commands: StreamWriter, replies: StreamReader, complaints: StreamReader
    ) -> None:
        self._process = process
        self._commands = commands
        self._replies = replies
        self._complaints = complaints

    @classmethod
    async def spawn(cls) -> WorkerLink:
        """Start the program with this Python.

        In a session of its own, so that Ctrl-C in the terminal does not reach it: it ends when its
        input closes, and so also when this process dies.

        Raises:
            OSError: the system cannot start a process.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(PROGRAM), stdin=PIPE, stdout=PIPE, stderr=PIPE,
            limit=MAX_HEADER_BYTES, start_new_session=True,
        )  # fmt: skip
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise OSError("the speech worker has no pipes")
        return cls(process, process.stdin, process.stdout, process.stderr)

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, command: dict[str, Any]) -> None:
        """Send a command; one to a worker that has just died is lost, which `receive` then tells."""
        if not self._commands.is_closing():
            self._commands.write(json.dumps(command, separators=(",", ":")).encode() + b"\n")

    async def receive(self) -> Message | None:
        """The next message, or None when the worker has ended or talks nonsense."""
        try:
            header = json.loads(await self._replies.readuntil(b"\n"))
            return header, await self._replies.readexactly(header["bytes"])
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        except (asyncio.LimitOverrunError, ValueError, KeyError, TypeError) as error:
            _log.error("the speech worker sent what is no message: %s", error)
            return None

    async def log_complaints(self) -> None:
        """Pass what the worker writes to stderr on to the log, until it ends."""
        while line := await self._complaints.readline():
            _log.debug("speech worker: %s", line.decode("utf-8", "replace").rstrip())

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def aclose(self) -> None:
        """End the worker and wait for its end: no zombie stays."""
        self._commands.close()
        try:
            async with asyncio.timeout(END_S):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()
        with contextlib.suppress(ConnectionError):
            await self._commands.wait_closed()
