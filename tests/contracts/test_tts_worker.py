"""The speech worker as a program beside ours: its libraries stay out of our process, it ends with us."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.tts.registry import available
from avatar.clock import MonotonicClock
from tests.fixtures.tinypiper.make import make_tiny_piper

pytestmark = pytest.mark.contract


def is_running(pid: int) -> bool:
    """Whether the process exists, be it as a zombie."""
    return Path(f"/proc/{pid}").exists()


async def test_the_project_itself_stays_free_of_the_libraries(tmp_path: Path):
    """In a fresh process, since the maker of the tiny voice imports piper into this one."""
    voice = make_tiny_piper(tmp_path)
    here = [state.engine for state in available({voice.stem: voice}) if state.is_here]
    command = [sys.executable, "-c", SPEAK_AND_LIST, str(voice), *here]
    run = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    modules, maps = (await run.communicate())[0].decode().split("MAPS")
    assert run.returncode == 0
    assert "agent.tts.process" in modules
    assert not re.search(r"^(piper|espeakng_loader|onnxruntime|onnx)$", modules, re.MULTILINE)
    assert "libc" in maps and "espeak" not in maps and "flite" not in maps and "onnx" not in maps


SPEAK_AND_LIST = """
import asyncio, sys
from pathlib import Path
from agent.tts.base import VoiceSpec
from agent.tts.process import WorkerTts

async def main():
    tts = WorkerTts(piper_voices={"en_US-tiny-low": Path(sys.argv[1])})
    await tts.start()
    for engine in sys.argv[2:]:
        assert [chunk async for chunk in tts.speak("Hello.", VoiceSpec(engine=engine), utterance_id="u")]
    await tts.aclose()

asyncio.run(main())
print("\\n".join(sys.modules), "MAPS", open("/proc/self/maps").read())
"""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
async def test_the_worker_ends_with_its_parent(ending: signal.Signals):
    """Ctrl-C reaches the whole foreground group; a killed parent can tell nobody."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        START_AND_WAIT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    pid = int(await process.stdout.readline())
    os.killpg(process.pid, ending)
    _, complaints = await process.communicate()
    assert complaints == b""
    assert await asyncio.to_thread(ends_within, pid, 5.0)


def ends_within(pid: int, seconds: float) -> bool:
    clock = MonotonicClock()
    until_s = clock.now_s() + seconds
    while not (is_over := is_zombie(pid)) and clock.now_s() < until_s:
        time.sleep(0.01)
    return is_over


def is_zombie(pid: int) -> bool:
    """Whether it has ended and waits for a parent that is gone (no init reaps it in a container)."""
    return " Z " in Path(f"/proc/{pid}/stat").read_text() if is_running(pid) else True


START_AND_WAIT = """
import asyncio
from agent.tts.process import WorkerTts

async def main():
    tts = WorkerTts()
    await tts.start()
    print(tts.worker_pid, flush=True)
    try:
        await asyncio.sleep(30)
    finally:
        await tts.aclose()

try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
"""
