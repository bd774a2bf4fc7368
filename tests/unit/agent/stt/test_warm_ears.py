"""Better ears arrive in the middle of calls: nobody loses theirs, and none is kept for nobody."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from agent.errors import SttError
from agent.stt.registry import SttChoice
from agent.stt.warm import WarmEars
from tests.fixtures.fake_stt import FakeSttEngine

pytestmark = pytest.mark.unit

BUILT_IN = SttChoice("pocketsphinx", None, None, "built in", "")
BETTER = SttChoice("whisper", "whisper-base.en", Path("/m/base.en"), "the best ears on this disk", "")
OPEN = {"script": (), "words": (), "language": "en"}


class Shop:
    """Makes fakes and remembers them by the model's name."""

    def __init__(self) -> None:
        self.made: dict[str | None, FakeSttEngine] = {}

    def __call__(self, choice, executor):
        self.made[choice.model_name] = FakeSttEngine()
        return self.made[choice.model_name]


class BrokenEngine(FakeSttEngine):
    async def start(self):
        raise SttError("the file is broken")


@pytest.fixture
async def shop():
    return Shop()


@pytest.fixture
async def ears(shop):
    ears = WarmEars(BUILT_IN, make_engine=shop)
    await ears.use(BUILT_IN)
    yield ears
    await ears.aclose()


async def test_old_ears_are_closed_when_their_last_call_is_over(ears, shop):
    first, second = AsyncExitStack(), AsyncExitStack()
    await first.enter_async_context(ears.open(**OPEN))
    await second.enter_async_context(ears.open(**OPEN))
    await ears.use(BETTER)
    old, new = shop.made[None], shop.made["whisper-base.en"]
    assert ears.choice == BETTER and old.is_started and old.num_open == 2
    await first.aclose()
    assert old.is_started, "the other call still hears with it"
    await second.aclose()
    assert not old.is_started and new.is_started


async def test_old_ears_without_a_call_are_closed_at_once(ears, shop):
    await ears.use(BETTER)
    assert not shop.made[None].is_started and shop.made["whisper-base.en"].is_started


async def test_the_next_call_hears_with_the_new_ones(ears, shop):
    await ears.use(BETTER)
    async with ears.open(**OPEN):
        assert shop.made["whisper-base.en"].num_open == 1
    assert shop.made["whisper-base.en"].num_open == 0 and shop.made["whisper-base.en"].is_started


async def test_the_same_ears_are_not_loaded_twice(ears, shop):
    before = shop.made[None]
    await ears.use(BUILT_IN)
    assert shop.made[None] is before


async def test_ears_that_do_not_load_change_nothing(shop):
    ears = WarmEars(BUILT_IN, make_engine=lambda c, e: BrokenEngine() if c.model_name else shop(c, e))
    await ears.use(BUILT_IN)
    with pytest.raises(SttError, match="broken"):
        await ears.use(BETTER)
    assert ears.choice == BUILT_IN
    async with ears.open(**OPEN):
        assert shop.made[None].num_open == 1
    await ears.aclose()


async def test_a_call_may_end_after_the_ears(ears, shop):
    stack = AsyncExitStack()
    await stack.enter_async_context(ears.open(**OPEN))
    await ears.aclose()
    assert not shop.made[None].is_started
    await stack.aclose()


async def test_nobody_hears_before_they_are_loaded(shop):
    ears = WarmEars(BUILT_IN, make_engine=shop)
    with pytest.raises(SttError, match="not loaded"):
        async with ears.open(**OPEN):
            pass
    await ears.aclose()
