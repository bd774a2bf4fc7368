"""The whole way of a model from a hub to the cache, against a stand-in hub."""

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from models.cache import ModelCache
from models.download import Downloader, Progress
from models.errors import (
    ChecksumError,
    DiskFullError,
    HubRefusedError,
    HubUnreachableError,
    ModelError,
    OfflineError,
    TruncatedError,
    UnknownModelError,
)
from models.registry import ModelCard, ModelFile
from tests.fixtures.hub import COMMIT, StandInHub, unanswering_address

pytestmark = pytest.mark.unit

MODEL = bytes(range(256)) * 4000
CONFIG = b'{"small": true}'
CARD = ModelCard(
    "tiny", "whisper", ("en",), "them/tiny", "MIT", "made here", 1,
    (ModelFile("config.json", "config.json"), ModelFile("model.bin", "model.bin")),
)  # fmt: skip


@pytest.fixture
def hub() -> Iterator[StandInHub]:
    served = StandInHub({"them/tiny/model.bin": MODEL, "them/tiny/config.json": CONFIG})
    yield served
    served.close()


@pytest.fixture
def cache(tmp_path: Path) -> ModelCache:
    return ModelCache(tmp_path / "models", cards={"tiny": CARD})


class Pauses:
    """Instead of sleeping: notes how long it should have been."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


def downloader(cache: ModelCache, hub: StandInHub, **options) -> Downloader:
    return Downloader(cache, base_url=hub.url, **({"sleep": Pauses(), "offline": False} | options))


def leftovers(cache: ModelCache) -> list[str]:
    return sorted(p.name for p in cache.root.rglob("*") if p.is_file() and p.suffix != ".lock")


async def test_a_model_arrives_whole_with_progress_and_a_record_of_its_origin(hub, cache):
    news: list[Progress] = []
    folder = await downloader(cache, hub).fetch("tiny", news.append)
    assert (folder / "model.bin").read_bytes() == MODEL and (folder / "config.json").read_bytes() == CONFIG
    assert [p.received_bytes for p in news] == sorted(p.received_bytes for p in news)
    assert news[-1].percent == 100 and news[-1].total_bytes == len(MODEL) + len(CONFIG)
    model = cache.find("tiny")
    assert model.manifest["commit"] == COMMIT
    assert model.manifest["files"]["model.bin"]["sha256"] == hashlib.sha256(MODEL).hexdigest()
    assert "git-sha1" in model.manifest["files"]["config.json"]
    assert leftovers(cache) == ["config.json", "manifest.json", "model.bin"]


async def test_requests_after_the_first_name_the_commit_found(hub, cache):
    await downloader(cache, hub).fetch("tiny")
    assert [a.path for a in hub.asked if "/main/" in a.path] == ["/them/tiny/resolve/main/config.json"]


async def test_what_is_installed_is_not_asked_for_again(hub, cache):
    first = await downloader(cache, hub).fetch("tiny")
    hub.asked.clear()
    assert await downloader(cache, hub, offline=True).fetch("tiny") == first
    assert hub.asked == []


async def test_a_cut_is_continued_where_it_was(hub, cache):
    hub.fault.cut_at = [0, 300_000]
    pauses = Pauses()
    folder = await downloader(cache, hub, sleep=pauses).fetch("tiny")
    assert (folder / "model.bin").read_bytes() == MODEL
    ranges = [a.range for a in hub.bodies() if a.path.endswith("model.bin")]
    assert ranges[0] is None and 0 < int(ranges[1].removeprefix("bytes=").rstrip("-")) <= 300_000
    assert len(pauses.seconds) == 1


async def test_a_later_process_continues_too(hub, cache):
    hub.fault.cut_at = [0, *[200_000] * 5]
    hub.fault.ignore_range = True
    with pytest.raises(TruncatedError) as caught:
        await downloader(cache, hub).fetch("tiny")
    assert caught.value.retryable and cache.find("tiny") is None
    part = cache.partial_folder("tiny") / "model.bin.part"
    have = part.stat().st_size
    assert 0 < have < len(MODEL)
    hub.fault.ignore_range = False
    hub.asked.clear()
    await downloader(cache, hub).fetch("tiny")
    assert [a.range for a in hub.bodies() if a.path.endswith("model.bin")] == [f"bytes={have}-"]
    assert (cache.root / "tiny" / "model.bin").read_bytes() == MODEL


async def test_a_hub_that_ignores_ranges_sends_all_again(hub, cache):
    hub.fault.cut_at = [0, 300_000]
    hub.fault.ignore_range = True
    folder = await downloader(cache, hub).fetch("tiny")
    assert (folder / "model.bin").read_bytes() == MODEL


async def test_pieces_of_another_version_are_thrown_away(hub, cache):
    hub.fault.cut_at = [0, *[200_000] * 5]
    hub.fault.ignore_range = True
    with pytest.raises(TruncatedError):
        await downloader(cache, hub).fetch("tiny")
    hub.fault.ignore_range = False
    newer = MODEL[::-1]
    hub.files["them/tiny/model.bin"] = newer
    folder = await downloader(cache, hub).fetch("tiny")
    assert (folder / "model.bin").read_bytes() == newer


async def test_wrong_bytes_install_nothing_and_keep_nothing(hub, cache):
    hub.fault.corrupt = True
    with pytest.raises(ChecksumError, match="nothing was installed"):
        await downloader(cache, hub).fetch("tiny")
    assert cache.installed() == []
    assert not any("model.bin" in name or name == "config.json" for name in leftovers(cache))
    hub.fault.corrupt = False
    assert (await downloader(cache, hub).fetch("tiny") / "model.bin").read_bytes() == MODEL


async def test_the_catalogs_checksum_outranks_the_hubs(hub, tmp_path):
    file = ModelFile("model.bin", "model.bin", sha256="0" * 64)
    card = ModelCard("tiny", "whisper", ("en",), "them/tiny", "MIT", "", 1, (file,))
    cache = ModelCache(tmp_path, cards={"tiny": card})
    with pytest.raises(ChecksumError):
        await downloader(cache, hub).fetch("tiny")


async def test_a_file_without_any_checksum_is_refused(hub, cache):
    hub.fault.no_checksum = True
    with pytest.raises(ChecksumError, match="no checksum"):
        await downloader(cache, hub).fetch("tiny")
    assert hub.bodies() == [a for a in hub.asked if a.method == "GET"] == []


async def test_offline_forbids_before_any_request(hub, cache):
    with pytest.raises(OfflineError, match="VISAVIS_OFFLINE"):
        await downloader(cache, hub, offline=True).fetch("tiny")
    assert hub.asked == []


async def test_a_missing_file_is_said_once_and_not_retried(hub, cache):
    hub.fault.status = 404
    pauses = Pauses()
    with pytest.raises(HubRefusedError, match="404") as caught:
        await downloader(cache, hub, sleep=pauses).fetch("tiny")
    assert not caught.value.retryable and pauses.seconds == []


async def test_a_busy_hub_is_asked_again_with_growing_pauses(hub, cache):
    hub.fault.statuses = [503, 429]
    pauses = Pauses()
    await downloader(cache, hub, sleep=pauses).fetch("tiny")
    assert pauses.seconds == [1.0, 2.0]


async def test_no_hub_at_all(cache):
    client = httpx.AsyncClient(timeout=1)
    with pytest.raises(HubUnreachableError, match="cannot be reached"):
        await Downloader(cache, base_url="http://127.0.0.1:9", offline=False, client=client, sleep=Pauses()).fetch(
            "tiny"
        )
    await client.aclose()


async def test_a_hub_that_never_takes_the_connection(cache):
    with unanswering_address() as url:
        async with httpx.AsyncClient(timeout=httpx.Timeout(1, connect=0.02)) as client:
            with pytest.raises(HubUnreachableError):
                await Downloader(cache, base_url=url, offline=False, client=client, sleep=Pauses()).fetch("tiny")


async def test_an_unknown_name_lists_the_known(hub, cache):
    with pytest.raises(UnknownModelError, match="tiny"):
        await downloader(cache, hub).fetch("huge")


async def test_no_room_is_known_before_the_download(hub, tmp_path):
    file = ModelFile("model.bin", "model.bin", num_bytes=1 << 60)
    card = ModelCard("tiny", "whisper", ("en",), "them/tiny", "MIT", "", 1, (file,))
    cache = ModelCache(tmp_path, cards={"tiny": card})
    with pytest.raises(DiskFullError, match="VISAVIS_HOME"):
        await downloader(cache, hub).fetch("tiny")
    assert hub.bodies() == []


async def test_a_folder_that_cannot_be_written(hub, tmp_path):
    (tmp_path / "file").write_text("in the way")
    cache = ModelCache(tmp_path / "file" / "models", cards={"tiny": CARD})
    with pytest.raises(ModelError, match="VISAVIS_HOME") as caught:
        await downloader(cache, hub).fetch("tiny")
    assert caught.value.code == "model-cache"


async def test_two_at_once_fetch_it_once(hub, cache):
    hub.fault.bytes_per_s = 20_000_000
    both = await asyncio.gather(downloader(cache, hub).fetch("tiny"), downloader(cache, hub).fetch("tiny"))
    assert both[0] == both[1]
    assert len([a for a in hub.bodies() if a.path.endswith("model.bin")]) == 1


async def test_a_cancelled_fetch_leaves_the_lock_free(hub, cache):
    hub.fault.bytes_per_s = 2_000_000
    started = asyncio.Event()
    task = asyncio.create_task(downloader(cache, hub).fetch("tiny", lambda progress: started.set()))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with cache.lock("tiny"):
        assert cache.find("tiny") is None


async def test_what_prepare_says_is_recorded(hub, cache):
    async def prepare(card: ModelCard, folder: Path) -> dict[str, bool]:
        assert card.name == "tiny" and (folder / "model.bin").exists()
        (folder / "model.bin").write_bytes(b"changed")
        return {"has_alignments": True}

    await downloader(cache, hub, prepare=prepare).fetch("tiny")
    model = cache.find("tiny")
    assert model.manifest["has_alignments"] is True
    assert model.manifest["files"]["model.bin"]["bytes"] == 7
