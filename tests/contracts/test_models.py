"""Models against the world outside: other processes, Piper's own tool."""

import subprocess
import sys
from pathlib import Path

import pytest

from models.alignments import add_alignments
from models.onnx import open_onnx
from tests.fixtures.hub import StandInHub
from tests.unit.models.test_fetching import CONFIG, MODEL

pytestmark = pytest.mark.contract

FETCH_ONE = """
import asyncio, sys
from pathlib import Path
from models.cache import ModelCache
from models.download import Downloader
from tests.unit.models.test_fetching import CARD, MODEL

cache = ModelCache(Path(sys.argv[2]), cards={"tiny": CARD})
folder = asyncio.run(Downloader(cache, base_url=sys.argv[1], offline=False).fetch("tiny"))
print((folder / "model.bin").read_bytes() == MODEL)
"""


def test_two_processes_fetch_it_once(tmp_path):
    hub = StandInHub({"them/tiny/model.bin": MODEL, "them/tiny/config.json": CONFIG})
    hub.fault.bytes_per_s = 4_000_000
    command = [sys.executable, "-c", FETCH_ONE, hub.url, str(tmp_path)]
    root = Path(__file__).resolve().parents[2]
    processes = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE) for _ in range(2)]
    assert {p.communicate(timeout=60)[0].strip() for p in processes} == {b"True"}
    assert len([a for a in hub.bodies() if a.path.endswith("model.bin")]) == 1
    hub.close()


async def test_a_voice_gets_its_phoneme_times(tmp_path):
    pytest.importorskip("piper", reason="the extra 'voices' is not installed")
    from tests.fixtures.tinypiper.make import make_tiny_piper

    make_tiny_piper(tmp_path)
    (voice,) = tmp_path.glob("*.onnx")
    before = len(open_onnx(voice).outputs)
    assert await add_alignments(voice)
    assert len(open_onnx(voice).outputs) == before + 1
