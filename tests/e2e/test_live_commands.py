"""The commands as programs of their own: what they print, leave behind, and how they end."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from agent.bench.command import mouth_box
from agent.bench.recording import openness
from agent.transport.client import SeenPicture
from avatar.media import MEDIA_CLOCK_RATE, UNIT_TICKS
from tests.fixtures.hub import StandInHub
from tests.unit.models.test_fetching import CONFIG, MODEL

from .live_server import ROOT

pytestmark = pytest.mark.e2e

LIMIT_S = 90
FILES = ("config.json", "model.bin", "tokenizer.json", "vocabulary.txt")
NAME, REPO = "whisper-tiny.en", "Systran/faster-whisper-tiny.en"


def environment(home: Path, **more: str) -> dict[str, str]:
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "VISAVIS_"))}
    return {**keep, "VISAVIS_HOME": str(home), "PYTHONPATH": str(ROOT), **more}


def visavis(folder: Path, *argv: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, to its end."""
    return subprocess.run([sys.executable, "-m", "agent", *argv], cwd=folder, capture_output=True, text=True,
                          timeout=LIMIT_S, env=environment(folder / "home", **more))  # fmt: skip


def film(path: Path) -> tuple[list[float], np.ndarray]:
    """Openness of the mouth in each picture, and the sound, float32[n]."""
    av = pytest.importorskip("av", reason="no decoder for MP4")
    box = mouth_box("mira")
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        assert (video.width, video.height, video.average_rate) == (1280, 720, 25)
        pictures = [SeenPicture(frame, 0, 0.0) for frame in container.decode(video=0)]
        mouth = [openness(p.luma(box.top, box.bottom, box.left, box.right)) for p in pictures]
    with av.open(str(path)) as container:
        assert container.streams.audio[0].rate == MEDIA_CLOCK_RATE
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    return mouth, sound


def test_say_makes_a_film_whose_lips_move_with_its_sound(tmp_path):
    run = visavis(tmp_path, "say", "Hello. Papa and mama, baba and papa.", "-o", "x.mp4", VISAVIS_OFFLINE="1")
    assert run.returncode == 0, run.stderr
    assert "x.mp4" in run.stdout and "100%" in run.stdout and "Traceback" not in run.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["x.mp4"], "nothing else is left in the folder"
    mouth, sound = film(tmp_path / "x.mp4")
    assert abs(len(sound) / UNIT_TICKS - len(mouth)) <= 1, "sound and picture are of one length"
    units = sound[: len(sound) // UNIT_TICKS * UNIT_TICKS].reshape(-1, UNIT_TICKS)[: len(mouth)]
    loud = np.sqrt((units**2).mean(axis=1))
    is_voiced = loud > 0.1 * loud.max()
    assert 0.2 < is_voiced.mean() < 0.95 and np.abs(sound).max() <= 1.0
    seen = np.array(mouth[: len(loud)])
    assert seen[is_voiced].mean() > 2 * seen[:5].mean() + 0.005, "the mouth is shut before the words and opens in them"
    assert seen[is_voiced].std() > 0.005, "and moves"
    assert seen[-3:].max() < 0.5 * seen.max(), "and is shut after them"


def test_doctor_prints_json_that_says_what_a_call_would_use(tmp_path):
    run = visavis(tmp_path, "doctor", "--json", VISAVIS_OFFLINE="1")
    findings = {finding["what"].strip(): finding for finding in json.loads(run.stdout)}
    assert run.returncode == 0, run.stderr
    assert {"ears", "mind", "voice", "call", "downloads"} <= findings.keys()
    assert findings["call"]["verdict"] == "ok" and findings["ears"]["verdict"] == "better"
    assert "models fetch" in findings["ears"]["remedy"] and "OPENAI_API_KEY" in findings["mind"]["remedy"]
    assert all(set(f) == {"what", "verdict", "text", "remedy"} for f in findings.values())


def test_doctor_finds_a_file_that_hides_the_program(tmp_path):
    (tmp_path / "models.py").write_text("")
    command = [Path(sys.executable).with_name("visavis"), "doctor", "--json"]
    if not command[0].exists():
        pytest.skip("the command visavis is not installed beside this Python")
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT_S,
                         env=environment(tmp_path / "home", VISAVIS_OFFLINE="1"))  # fmt: skip
    shadow = next(f for f in json.loads(run.stdout) if f["what"] == "imports")
    assert run.returncode == 1 and "models.py" in shadow["text"] and "rename" in shadow["remedy"]


def test_models_are_fetched_listed_found_and_removed(tmp_path):
    hub = StandInHub({f"{REPO}/{name}": MODEL if name == "model.bin" else CONFIG for name in FILES})
    hub.fault.cut_at = [0, 1000]
    try:
        run = visavis(tmp_path, "models", "fetch", NAME, VISAVIS_HUB=hub.url)
        assert run.returncode == 0, run.stderr
    finally:
        hub.close()
    assert any(asked.range for asked in hub.asked), "what was cut went on where it was"
    folder = tmp_path / "home" / "models" / NAME
    assert (folder / "model.bin").read_bytes() == MODEL
    line = next(row for row in visavis(tmp_path, "models", "list").stdout.splitlines() if row.startswith(NAME))
    assert " yes " in line
    assert visavis(tmp_path, "models", "path", NAME).stdout.strip() == str(folder)
    assert visavis(tmp_path, "models", "remove", NAME).stdout.strip() == f"{NAME}: removed"
    assert not folder.exists()


def test_a_fetch_that_fails_says_why_and_leaves_nothing_installed(tmp_path):
    hub = StandInHub({f"{REPO}/{name}": MODEL for name in FILES})
    hub.fault.corrupt = True
    try:
        run = visavis(tmp_path, "models", "fetch", NAME, VISAVIS_HUB=hub.url)
    finally:
        hub.close()
    assert run.returncode == 1 and "nothing was installed" in run.stderr and "Traceback" not in run.stderr
    assert not (tmp_path / "home" / "models" / NAME).exists()


@pytest.mark.parametrize("argv", [("say", "Once upon a time there was a king. " * 100), ("models", "fetch", NAME)])
async def test_ctrl_c_ends_a_command_without_a_trace(tmp_path, argv):
    """As soon as it shows progress; nothing half made is left."""
    hub = StandInHub({f"{REPO}/{name}": MODEL for name in FILES})
    hub.fault.bytes_per_s = 20_000
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", *argv, cwd=tmp_path, env=environment(tmp_path / "home", VISAVIS_HUB=hub.url),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(LIMIT_S):
            await _until(lambda: hub.bodies() if argv[0] == "models" else list(tmp_path.glob("*.part")))
            await asyncio.sleep(0.3)
            process.send_signal(signal.SIGINT)
            _, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        hub.close()
    assert process.returncode == 130, complaints.decode()
    assert b"Traceback" not in complaints, complaints.decode()
    assert not list(tmp_path.glob("*.mp4*"))
    assert not (tmp_path / "home" / "models" / NAME).exists()


async def _until(is_true: Callable[[], object]) -> None:
    for _ in range(LIMIT_S * 20):
        if is_true():
            return
        await asyncio.sleep(0.05)
