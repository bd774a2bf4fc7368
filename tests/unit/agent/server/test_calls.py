"""The book of calls: nobody slips in while it closes."""

import asyncio
from pathlib import Path

import pytest

from agent.config import ServerConfig
from agent.errors import SessionError
from agent.server.calls import CallBook
from avatar.clock import VirtualClock

pytestmark = pytest.mark.unit

PERSONA = """\
schema: persona/v1
id: mira
name: Mira
description: A test persona.
greeting: [Hello.]
face: {avatar: mira}
brain:
  intents:
    - id: hello
      examples: [hello there]
      replies: [Hello.]
"""


class SlowEngines:
    """Engines that take until the test lets them."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.is_asked = asyncio.Event()
        self.is_closed = False

    async def open(self, persona, clock):
        self.is_asked.set()
        await self.gate.wait()
        return self

    async def aclose(self) -> None:
        self.is_closed = True


async def test_a_call_that_is_being_made_while_the_server_closes_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "mira"
    folder.mkdir()
    (folder / "persona.yaml").write_text(PERSONA)
    book = CallBook(ServerConfig(personas_dir=tmp_path, persona="mira"), VirtualClock())
    engines = SlowEngines()
    book.engines = engines  # type: ignore[assignment]
    making = asyncio.ensure_future(book.create(None))
    await engines.is_asked.wait()
    await book.aclose()
    engines.gate.set()
    with pytest.raises(SessionError, match="closing"):
        await making
    assert engines.is_closed and book.num_active == 0
