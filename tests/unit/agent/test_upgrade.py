"""The background fetch as the terminal and the page see it."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent.config import ServerConfig
from agent.errors import SttError
from agent.persona import loads
from agent.stt.registry import SttChoice
from agent.tts.base import VoiceSpec
from agent.upgrade import Upgrade, wanted
from models.download import Progress
from models.errors import ChecksumError, HubUnreachableError
from models.registry import catalog

pytestmark = pytest.mark.unit

EARS, VOICE = "whisper-base.en", "en_US-lessac-medium"


class FakeEngines:
    """What `Upgrade` sees of the engines."""

    def __init__(self, *, voice="default", language="en", speaks=("flite", "slt"), hears="pocketsphinx", **config):
        self.config = ServerConfig(**config)
        self.cache = SimpleNamespace(cards=catalog(), root=Path("/nowhere"))
        self.ears = SimpleNamespace(choice=SttChoice(hears, None, None, "", ""))
        self.tts = SimpleNamespace(choose=lambda spec: SimpleNamespace(engine=speaks[0], voice=speaks[1]))
        self.broken, self.progress, self.loaded = {}, {}, []
        self.load_error: Exception | None = None
        self.persona = loads(f"{{schema: persona/v1, id: a, name: A, languages: [{language}], voice: {{id: {voice}}}}}")

    def default_persona(self):
        return self.persona

    def voice_spec(self, persona):
        return VoiceSpec(id=persona.voice_for(persona.languages[0]).id)

    async def load_ears(self):
        await self._load("stt")

    async def load_voice(self, persona):
        await self._load("tts")

    async def _load(self, slot):
        if self.load_error is not None:
            raise self.load_error
        self.loaded.append(slot)


class FakeFetcher:
    """Gives each model at once, or raises what it was told to."""

    def __init__(self, error=None, percents=(0, 4, 50, 100)):
        self.error, self.percents = error, percents

    async def fetch(self, name, on_progress=None):
        for percent in self.percents:
            on_progress(Progress(name, percent, 100))
        if self.error is not None:
            raise self.error
        return Path("/models") / name


async def run(engines, fetcher) -> list[str]:
    """One round of the fetch; returns the lines of the terminal."""
    lines, states = [], []
    upgrade = Upgrade(
        engines, lambda: states.append({k: dict(v) for k, v in engines.progress.items()}), lines.append, fetcher=fetcher
    )
    upgrade.start()
    for _ in range(20):
        await asyncio.sleep(0)
    await upgrade.aclose()
    engines.states = states
    return lines


async def test_progress_is_told_in_plain_words_and_the_next_call_uses_it():
    engines = FakeEngines(tts="flite")
    lines = await run(engines, FakeFetcher())
    assert lines[0].startswith(f"fetching {EARS} (145 MB) from https://") and "VISAVIS_OFFLINE=1 forbids" in lines[0]
    assert lines[1:] == [
        f"fetching {EARS} for the next call: 0 %",
        f"fetching {EARS} for the next call: 50 %",
        f"fetching {EARS} for the next call: 100 %",
        f"{EARS} is ready; the next call uses it",
    ]
    assert engines.loaded == ["stt"] and engines.progress == {}
    assert engines.states[2] == {"stt": {"next": EARS, "state": "downloading", "percent": 50}}


@pytest.mark.parametrize(
    ("error", "again"), [(HubUnreachableError("no hub"), "; trying again in 5 s"), (ChecksumError("wrong bytes"), "")]
)
async def test_a_failure_is_told_once_and_shown(error, again):
    engines = FakeEngines(tts="flite")
    lines = await run(engines, FakeFetcher(error, percents=()))
    assert lines[1:] == [f"{EARS} could not be fetched: {error}{again}"]
    assert engines.progress == {"stt": {"next": EARS, "problem": str(error)}}


@pytest.mark.parametrize("error", [SttError("the file is no model"), ZeroDivisionError("a bug")])
async def test_a_model_that_does_not_load_is_told_and_does_not_wait_for_ever(error):
    engines = FakeEngines(tts="flite")
    engines.load_error = error
    lines = await run(engines, FakeFetcher())
    assert lines[-1] == f"{EARS} was fetched and cannot be used: {error}"
    assert str(error) in engines.progress["stt"]["problem"] and "state" not in engines.progress["stt"]


async def test_offline_nothing_is_wanted():
    engines = FakeEngines(offline=True)
    assert await run(engines, FakeFetcher()) == []


@pytest.mark.parametrize(
    ("engines", "models"),
    [
        (FakeEngines(), {"stt": EARS, "tts": VOICE}),
        (FakeEngines(hears="whisper"), {"tts": VOICE}),
        (FakeEngines(speaks=("piper", "en_US-my-own-medium")), {"stt": EARS}),
        (FakeEngines(voice="en_US-amy-medium"), {"stt": EARS, "tts": "en_US-amy-medium"}),
        (FakeEngines(voice="en_US-amy-medium", speaks=("piper", VOICE)), {"stt": EARS, "tts": "en_US-amy-medium"}),
        (FakeEngines(voice="en_US-amy-medium", speaks=("piper", "en_US-amy-medium")), {"stt": EARS}),
        (FakeEngines(stt="pocketsphinx", tts="espeak"), {}),
        (FakeEngines(language="de"), {"stt": "whisper-base", "tts": "de_DE-thorsten-medium"}),
    ],
)
def test_only_what_makes_auto_better_is_wanted(engines, models):
    pytest.importorskip("faster_whisper", reason="the extra 'whisper' is not installed")
    pytest.importorskip("piper", reason="the extra 'voices' is not installed")
    assert wanted(engines) == models


def test_a_model_that_cannot_be_used_is_not_fetched_again():
    engines = FakeEngines(tts="flite")
    engines.broken[EARS] = "no model"
    assert wanted(engines) == {}
