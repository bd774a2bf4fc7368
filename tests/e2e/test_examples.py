"""The examples do what they say."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from agent.transport.client import Caller

from .live_server import ROOT, LiveServer

pytestmark = pytest.mark.e2e


def run_example(name: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "examples" / name), *args],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=90,
    )


def test_a_call_from_python_prints_the_answer(tmp_path):
    with LiveServer(tmp_path) as server:
        done = run_example("02_call_from_python.py", server.url, "how does this work")
    assert done.returncode == 0, done.stderr
    assert "agent: " in done.stdout and "ms" in done.stdout.splitlines()[-1]


async def test_an_own_persona_is_served(tmp_path):
    env = {**os.environ, "PYTHONPATH": str(ROOT), "VISAVIS_OFFLINE": "1", "VISAVIS_HOME": str(tmp_path)}
    command = (sys.executable, "-u", str(ROOT / "examples" / "01_own_persona.py"), "0")
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=env, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    caller = Caller()
    try:
        async with asyncio.timeout(90):
            while b"ready: open" not in (line := await process.stdout.readline()):
                assert line, "the example ended"
        url = line.decode().split("open ")[1].split(" ")[0]
        await caller.connect(url)
        created = await caller.wait_for("session.created", 10)
        assert created.body["session"]["persona"]["name"] == "Ada"
    finally:
        await caller.aclose()
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0
