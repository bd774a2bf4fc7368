"""Fifty calls, opened and closed, leave nothing behind; Ctrl-C is clean."""

import asyncio
import re

import httpx
import pytest

from agent.transport.client import Caller

from .live_server import LiveServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]
WARM_UP, CALLS, TOLERANCE = 60, 50, 0.05
# The allocator's pools have their full size after some fifty calls (10: 609 MB, 60: 765 MB, 140: 772 MB).


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
    for what in ("tasks", "threads", "files"):
        # One kept per call would be 50; the collector may still owe what two or three calls held.
        assert after[what] <= before[what] + CALLS // 5, (what, before, after)
    assert after["memory_kb"] <= before["memory_kb"] * (1 + TOLERANCE), (before, after)
