"""Fifty calls, opened and closed, leave nothing behind; Ctrl-C is clean."""

import asyncio
import math
import re

import httpx
import pytest

from agent.transport.client import Caller

from .live_server import LiveServer

pytestmark = [pytest.mark.e2e, pytest.mark.soak, pytest.mark.timeout(400)]
WARM_UP, CALLS, TOLERANCE = 20, 50, 0.05


async def one_call(url: str) -> None:
    pictures = asyncio.Event()
    caller = Caller(on_picture=lambda picture: pictures.set())
    try:
        await caller.connect(url)
        await asyncio.wait_for(pictures.wait(), 10)
    finally:
        await caller.aclose()


async def settled(server: LiveServer) -> dict[str, int]:
    """What the server holds once the last call's remains are gone."""
    async with httpx.AsyncClient(base_url=server.url) as http:
        for _ in range(50):
            text = (await http.get("/metrics")).text
            if float(re.search(r"^visavis_sessions_active (\S+)", text, re.M)[1]) == 0:
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(1.5)
        text = (await http.get("/metrics")).text
    return {
        "tasks": int(float(re.search(r"^visavis_tasks (\S+)", text, re.M)[1])),
        "threads": server.num_threads(),
        "files": server.num_files(),
        "memory_kb": server.memory_kb(),
    }


async def test_fifty_calls_leave_nothing_behind(tmp_path):
    server = await asyncio.to_thread(LiveServer(tmp_path).__enter__)
    try:
        for _ in range(WARM_UP):
            await one_call(server.url)
        before = await settled(server)
        for _ in range(CALLS):
            await one_call(server.url)
        after = await settled(server)
    finally:
        status = await asyncio.to_thread(server.stop)
    assert status == 0 and server.lines[-1] == "visavis: bye", server.lines[-5:]
    assert not any("Traceback" in line for line in server.lines), server.lines
    print(before, after)
    for what in before:
        assert after[what] <= math.ceil(before[what] * (1 + TOLERANCE)), (what, before, after)
