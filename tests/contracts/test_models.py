"""Models against the world outside: other processes, Piper's own tool."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from agent.stt.registry import choose
from agent.stt.registry import make as make_stt
from models.alignments import prepare
from models.background import BackgroundFetch, SlotProgress
from models.cache import ModelCache
from models.download import Downloader
from models.onnx import open_onnx
from models.registry import Kind, ModelCard, ModelFile
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


def served(folder: Path, kind: Kind, name: str) -> tuple[StandInHub, ModelCard]:
    """A hub with the files of a folder, and the card under which they are fetched."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    card = ModelCard(
        name, kind, ("en",), "them/made", "none", "made here", 1, tuple(ModelFile(f.name, f.name) for f in files)
    )
    return StandInHub({f"them/made/{f.name}": f.read_bytes() for f in files}), card


async def test_whisper_comes_from_the_hub_and_the_next_call_hears_with_it(tmp_path):
    pytest.importorskip("faster_whisper", reason="the extra 'whisper' is not installed")
    from tests.fixtures.tinywhisper.make import make as make_tiny_whisper

    hub, card = served(make_tiny_whisper(tmp_path / "made", "hello from the hub"), "whisper", "whisper-tiny.en")
    cache = ModelCache(tmp_path / "models", cards={card.name: card})
    news: list[SlotProgress] = []
    assert choose("auto", cache.folders("whisper"), ["en"]).engine == "pocketsphinx"
    hub.fault.cut_at = [0, 400_000]
    background = BackgroundFetch(Downloader(cache, base_url=hub.url, offline=False), {"stt": card.name}, news.append)
    await background.run()
    hub.close()
    assert [n.state for n in news][-1] == "ready" and {n.state for n in news} == {"downloading", "ready"}
    choice = choose("auto", cache.folders("whisper"), ["en"])
    assert (choice.engine, choice.model_name) == ("whisper", "whisper-tiny.en")
    with ThreadPoolExecutor(1) as executor:
        engine = make_stt(choice, executor)
        await engine.start()
        stream = await engine.open(script=[], words=[], language="en")
        stream.push(np.full(16_000, 3_000, np.int16))
        assert (await stream.transcribe()).text == "hello from the hub"


async def test_a_voice_comes_from_the_hub_with_its_phoneme_times(tmp_path):
    pytest.importorskip("piper", reason="the extra 'voices' is not installed")
    from tests.fixtures.tinypiper.make import make_tiny_piper

    make_tiny_piper(tmp_path / "made")
    hub, card = served(tmp_path / "made", "piper", "en_US-tiny")
    cache = ModelCache(tmp_path / "models", cards={card.name: card})
    await Downloader(cache, base_url=hub.url, offline=False, prepare=prepare).fetch(card.name)
    hub.close()
    assert cache.find(card.name).manifest["has_alignments"] is True
    assert len(open_onnx(cache.files("piper")[card.name]).outputs) == 2
