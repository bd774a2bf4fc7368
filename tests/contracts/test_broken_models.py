"""A model on disk that the real libraries cannot open keeps nobody out: the next best engine serves."""

import json

import pytest

from agent.config import ServerConfig
from agent.engines import Engines
from agent.errors import SttError

pytestmark = pytest.mark.contract


def install(root, name: str, kind: str, files: dict[str, bytes]) -> None:
    """As `models.download` leaves it, or a person who copied files."""
    folder = root / "models" / name
    folder.mkdir(parents=True)
    for file, data in files.items():
        (folder / file).write_bytes(data)
    manifest = {"name": name, "kind": kind, "files": {file: {"bytes": len(data)} for file, data in files.items()}}
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture
async def warmed(tmp_path, monkeypatch):
    monkeypatch.setenv("VISAVIS_HOME", str(tmp_path))
    made = []

    async def warm(**config):
        engines = Engines(ServerConfig(offline=True, brain="scripted", **config))
        made.append(engines)
        await engines.load_ears()
        await engines.warm_voice()
        return engines

    yield warm
    for engines in made:
        await engines.aclose()


async def test_broken_ears_and_a_broken_voice_are_passed_over_and_said(tmp_path, warmed):
    pytest.importorskip("faster_whisper", reason="the extra 'whisper' is not installed")
    pytest.importorskip("piper", reason="the extra 'voices' is not installed")
    install(tmp_path, "whisper-base.en", "whisper", {"model.bin": b"no model", "config.json": b"{}"})
    install(tmp_path, "en_US-lessac-medium", "piper", {"en_US-lessac-medium.onnx": b"no voice"})
    engines = await warmed()
    slots = engines.describe()
    assert slots["stt"]["name"] == "pocketsphinx" and not slots["tts"]["name"].startswith("piper")
    assert "whisper-base.en is on this disk and cannot be used" in slots["stt"]["problem"]
    assert "en_US-lessac-medium is on this disk and cannot be used" in slots["tts"]["problem"]


async def test_ears_that_were_asked_for_by_name_are_not_passed_over(tmp_path, warmed):
    pytest.importorskip("faster_whisper", reason="the extra 'whisper' is not installed")
    install(tmp_path, "whisper-base.en", "whisper", {"model.bin": b"no model", "config.json": b"{}"})
    with pytest.raises(SttError, match="visavis models remove"):
        await warmed(stt="whisper")


async def test_a_voice_copied_in_by_hand_speaks(tmp_path, warmed):
    """It stands in no catalog."""
    pytest.importorskip("piper", reason="the extra 'voices' is not installed")
    from tests.fixtures.tinypiper.make import NAME, make_tiny_piper

    made = make_tiny_piper(tmp_path / "made")
    files = {made.name: made.read_bytes(), f"{made.name}.json": made.with_name(f"{made.name}.json").read_bytes()}
    install(tmp_path, NAME, "piper", files)
    engines = await warmed()
    assert engines.describe()["tts"]["name"] == f"piper {NAME}"
