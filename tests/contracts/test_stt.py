"""What every recogniser does for a call, whatever it understands."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from agent.errors import SttError
from agent.stt.base import SttEngine, SttStream, Transcript
from agent.stt.pocketsphinx import PocketsphinxEngine
from agent.tts.process import WorkerTts
from tests.fixtures.fake_stt import FakeSttEngine
from tests.fixtures.speech import say

pytestmark = pytest.mark.contract

SENTENCE = "what time is breakfast"
SCRIPT = [SENTENCE + "?", "How much is a double room?", "I would like to book a room.", "Who are you?", "Goodbye!"]
WINDOW = 512


@pytest.fixture(scope="module")
def stt_thread() -> Iterator[ThreadPoolExecutor]:
    executor = ThreadPoolExecutor(1, thread_name_prefix="stt")
    yield executor
    executor.shutdown()


@pytest.fixture(scope="module")
def spoken() -> np.ndarray:
    """The sentence as a voice says it."""

    async def speak() -> np.ndarray:
        worker = WorkerTts()
        await worker.start()
        try:
            return await say(worker, SENTENCE + "?", voice="en-us")
        finally:
            await worker.aclose()

    return asyncio.run(speak())


def new_engine(name: str, executor: ThreadPoolExecutor, folder: Path) -> SttEngine:
    match name:
        case "fake":
            return FakeSttEngine()
        case "pocketsphinx":
            return PocketsphinxEngine(executor)
    pytest.importorskip("faster_whisper", reason="the extra 'whisper' is not installed")
    from agent.stt.whisper import WhisperEngine
    from tests.fixtures.tinywhisper.make import make

    return WhisperEngine(executor, make(folder, SENTENCE), name="tiny")


@pytest.fixture(params=["fake", "pocketsphinx", "whisper"])
async def engine(request, stt_thread, tmp_path) -> AsyncIterator[SttEngine]:
    made = new_engine(request.param, stt_thread, tmp_path)
    await made.start()
    yield made
    await made.aclose()


@pytest.fixture
async def stream(engine) -> AsyncIterator[SttStream]:
    opened = await engine.open(script=SCRIPT, words=["Visavis"], language="en-GB")
    yield opened
    await opened.aclose()


def push(stream: SttStream, sound: np.ndarray) -> None:
    for start in range(0, len(sound), WINDOW):
        stream.push(sound[start : start + WINDOW])


def test_it_says_what_it_is(engine):
    about = engine.capabilities
    assert about.name and about.notice.endswith(".") and "en" in about.languages


async def test_it_understands_the_sentence(stream, spoken):
    push(stream, spoken)
    heard = await stream.transcribe()
    assert heard.text == SENTENCE
    assert 0.5 <= heard.confidence <= 1.0
    assert heard.language.startswith("en")


async def test_nothing_pushed_is_nothing_heard(stream):
    assert await stream.transcribe() == Transcript("", 0.0, (await stream.transcribe()).language)
    assert await stream.partial() is None


async def test_asking_twice_gives_the_same(stream, spoken):
    push(stream, spoken)
    assert await stream.transcribe() == await stream.transcribe()


async def test_a_turn_may_go_on_after_a_transcription(stream, spoken):
    push(stream, spoken[: len(spoken) // 2])
    await stream.transcribe()
    push(stream, spoken[len(spoken) // 2 :])
    assert (await stream.transcribe()).text == SENTENCE


async def test_partials_come_and_are_beginnings(stream, spoken):
    partials = []
    for start in range(0, len(spoken), 8000):
        push(stream, spoken[start : start + 8000])
        await settle(stream)
        partials.append(await stream.partial())
    said = [p for p in partials if p]
    assert said, "no partial in the whole sentence"
    assert said[-1].split()[:2] == SENTENCE.split()[:2]


async def test_reset_forgets_the_turn(stream, spoken):
    push(stream, spoken)
    await stream.transcribe()
    stream.reset()
    assert await stream.partial() is None
    assert (await stream.transcribe()).text == ""
    push(stream, spoken)
    assert (await stream.transcribe()).text == SENTENCE


async def test_sound_right_after_a_reset_belongs_to_the_new_turn(stream, spoken):
    push(stream, np.concatenate([spoken, spoken]))
    stream.reset()
    push(stream, spoken)
    assert (await stream.transcribe()).text == SENTENCE


async def test_pushing_does_not_block(stream, spoken):
    push(stream, spoken)
    await stream.transcribe()
    slowest_s = 0.0
    for start in range(0, len(spoken), WINDOW):
        began = time.thread_time()
        stream.push(spoken[start : start + WINDOW])
        slowest_s = max(slowest_s, time.thread_time() - began)
    assert slowest_s < 0.005


async def test_calls_do_not_hear_each_other(engine, spoken):
    first = await engine.open(script=SCRIPT, words=[], language="en")
    second = await engine.open(script=SCRIPT, words=[], language="en")
    push(first, spoken)
    assert (await second.transcribe()).text == ""
    assert (await first.transcribe()).text == SENTENCE
    await first.aclose()
    push(second, spoken)
    assert (await second.transcribe()).text == SENTENCE
    await second.aclose()


async def test_closing_twice_is_fine(engine):
    opened = await engine.open(script=[], words=[], language="en")
    await opened.aclose()
    await opened.aclose()


async def test_a_cancelled_transcription_leaves_the_stream_usable(stream, spoken):
    push(stream, spoken)
    task = asyncio.create_task(stream.transcribe())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert (await stream.transcribe()).text == SENTENCE


async def test_an_unstarted_engine_says_what_to_do(engine):
    await engine.aclose()
    with pytest.raises(SttError, match="start"):
        await engine.open(script=SCRIPT, words=[], language="en")


async def settle(stream: SttStream) -> None:
    """Until sound pushed so far was worked on: by asking, as a call does."""
    for _ in range(50):
        if await stream.partial() is not None:
            return
        await asyncio.sleep(0.002)
