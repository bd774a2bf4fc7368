import asyncio
from pathlib import Path

import pytest

from models.background import BackgroundFetch, SlotProgress
from models.download import Progress
from models.errors import ChecksumError, HubUnreachableError, OfflineError

pytestmark = pytest.mark.unit


class FakeFetcher:
    """Plays a list of outcomes for each model: an error is raised, a number is a received percent."""

    def __init__(self, **outcomes):
        self.outcomes = outcomes
        self.asked: list[str] = []

    async def fetch(self, name, on_progress=None):
        self.asked.append(name)
        for outcome in self.outcomes[name].pop(0):
            if isinstance(outcome, Exception):
                raise outcome
            if isinstance(outcome, asyncio.Event):
                await outcome.wait()
            else:
                on_progress(Progress(name, outcome * 10, 1000))
        return Path("/models") / name


class Pauses(list):
    async def __call__(self, seconds):
        self.append(seconds)


async def test_each_percent_is_told_once_then_ready():
    news: list[SlotProgress] = []
    fetcher = FakeFetcher(ears=[[0, 0, 50, 50, 100]])
    await BackgroundFetch(fetcher, {"stt": "ears"}, news.append).run()
    assert [(n.state, n.percent) for n in news] == [
        ("downloading", 0), ("downloading", 50), ("downloading", 100), ("ready", 100),
    ]  # fmt: skip
    assert news[-1].folder == Path("/models/ears") and news[-1].slot == "stt"


async def test_a_dead_hub_is_tried_again_later_and_the_other_slot_is_not_held_up():
    news: list[SlotProgress] = []
    pauses = Pauses()
    fetcher = FakeFetcher(ears=[[HubUnreachableError("no hub")], [HubUnreachableError("no hub")], [100]], voice=[[100]])
    await BackgroundFetch(fetcher, {"stt": "ears", "tts": "voice"}, news.append, sleep=pauses).run()
    assert fetcher.asked == ["ears", "voice", "ears", "ears"]
    assert pauses == [5.0, 30.0]
    failed = [n for n in news if n.state == "failed"]
    assert [n.retry_in_s for n in failed] == [5.0, 30.0] and failed[0].problem == "no hub"


async def test_what_cannot_pass_is_not_tried_again():
    news: list[SlotProgress] = []
    fetcher = FakeFetcher(ears=[[ChecksumError("wrong bytes")]])
    await BackgroundFetch(fetcher, {"stt": "ears"}, news.append, sleep=Pauses()).run()
    assert fetcher.asked == ["ears"]
    assert [(n.state, n.retry_in_s) for n in news] == [("failed", None)]


async def test_what_nobody_foresaw_is_told_and_the_other_slot_goes_on():
    news: list[SlotProgress] = []
    fetcher = FakeFetcher(ears=[[ZeroDivisionError("oh")]], voice=[[100]])
    await BackgroundFetch(fetcher, {"stt": "ears", "tts": "voice"}, news.append, sleep=Pauses()).run()
    assert fetcher.asked == ["ears", "voice"]
    assert [n.state for n in news] == ["failed", "downloading", "ready"]
    assert "ZeroDivisionError" in news[0].problem and news[0].retry_in_s is None


async def test_offline_is_silent():
    news: list[SlotProgress] = []
    await BackgroundFetch(FakeFetcher(ears=[[OfflineError("no")]]), {"stt": "ears"}, news.append).run()
    assert news == []


async def test_start_returns_at_once_and_close_ends_a_hanging_fetch():
    news: list[SlotProgress] = []
    background = BackgroundFetch(FakeFetcher(ears=[[asyncio.Event()]]), {"stt": "ears"}, news.append)
    background.start()
    await asyncio.sleep(0)
    await background.aclose()
    await background.aclose()
    assert news == []
    assert [t for t in asyncio.all_tasks() if t.get_name() == "model-fetch"] == []


async def test_closing_before_starting_is_fine():
    await BackgroundFetch(FakeFetcher(), {}, print).aclose()
