"""One call's hearing over a decoder that counts."""

import asyncio

import numpy as np
import pytest

from agent.stt.whisper import WhisperStream

pytestmark = pytest.mark.unit

LOUD = (np.sin(np.arange(16_000) * 0.3) * 8_000).astype(np.int16)
QUIET = np.full(3_200, 20, np.int16)


class FakeHearing:
    """Hears one word a second."""

    def __init__(self) -> None:
        self.num_short = self.num_sure = 0
        self.is_sound = True

    def short(self, sound):
        self.num_short += 1
        return self._words(sound), 0.9, self.is_sound

    def sure(self, sound):
        self.num_sure += 1
        return self._words(sound), 0.9, True

    def _words(self, sound) -> str:
        return " ".join(f"w{n}" for n in range(len(sound) // 16_000))


class FakeEngine:
    """Runs at once, or when let."""

    def __init__(self) -> None:
        self.gate: asyncio.Event | None = None
        self.is_busy = False

    async def run(self, work, *values):
        self.is_busy = True
        if self.gate is not None:
            await self.gate.wait()
        self.is_busy = False
        return work(*values)


@pytest.fixture
def hearing() -> FakeHearing:
    return FakeHearing()


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def stream(engine, hearing) -> WhisperStream:
    return WhisperStream(engine, hearing, "en")


async def test_silence_after_a_partial_needs_no_new_decoding(stream, hearing):
    stream.push(LOUD)
    stream.push(LOUD)
    await stream.partial()
    stream.push(QUIET)
    assert (await stream.transcribe()).text == "w0 w1"
    assert (hearing.num_short, hearing.num_sure) == (1, 0)


async def test_words_after_a_partial_do(stream, hearing):
    stream.push(LOUD)
    await stream.partial()
    stream.push(LOUD // 4)
    assert (await stream.transcribe()).text == "w0 w1"
    assert hearing.num_sure == 1


async def test_a_doubtful_partial_is_not_taken_for_the_end(stream, hearing):
    hearing.is_sound = False
    stream.push(LOUD)
    await stream.partial()
    await stream.transcribe()
    assert hearing.num_sure == 1


async def test_words_are_shown_once_two_guesses_agree(stream):
    stream.push(LOUD)
    assert await stream.partial() is None
    stream.push(LOUD)
    assert await stream.partial() == "w0"
    stream.push(LOUD)
    assert await stream.partial() == "w0 w1"


async def test_no_partial_while_another_decoding_runs(stream, engine, hearing):
    stream.push(LOUD)
    engine.is_busy = True
    assert await stream.partial() is None
    assert hearing.num_short == 0


async def test_a_partial_that_a_reset_overtook_is_not_shown_nor_kept(stream, engine):
    engine.gate = asyncio.Event()
    stream.push(LOUD)
    late = asyncio.ensure_future(stream.partial())
    await asyncio.sleep(0)
    stream.reset()
    engine.gate.set()
    assert await late is None
    assert (await stream.transcribe()).text == ""


async def test_a_click_is_no_speech(stream, hearing):
    stream.push(LOUD[:800])
    assert (await stream.transcribe()).text == "" and hearing.num_sure == 0


async def test_the_callers_array_may_change_afterwards(stream):
    piece = LOUD.copy()
    stream.push(piece)
    piece[:] = 0
    stream.push(LOUD)
    assert (await stream.transcribe()).text == "w0 w1"


async def test_a_closed_stream_is_silent(stream):
    stream.push(LOUD)
    await stream.aclose()
    assert await stream.partial() is None
