"""What every voice must do: the fake, and each engine of the speech worker that this machine has."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from agent.errors import TtsError
from agent.tts.base import SpeechChunk, SpeechEvent, TtsEngine, VoiceSpec
from agent.tts.process import WorkerTts
from agent.tts.registry import available
from avatar.clock import MonotonicClock
from tests.fixtures.fake_tts import FakeTts
from tests.fixtures.tinypiper.make import NAME as TINY_PIPER
from tests.fixtures.tinypiper.make import make_tiny_piper

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="module")]

SENTENCE = "Hello there, Peter! It costs 25 of the total (maybe), and you can't stop it."
WORDS = [
    "Hello",
    "there",
    "Peter",
    "It",
    "costs",
    "25",
    "of",
    "the",
    "total",
    "maybe",
    "and",
    "you",
    "can't",
    "stop",
    "it",
]
ENGINES = ("fake", "espeak", "flite", "piper")


@dataclass(frozen=True)
class Subject:
    """An engine and the spec that makes it speak."""

    tts: TtsEngine
    voice: VoiceSpec

    def speak(self, text: str, utterance_id: str = "u") -> AsyncIterator[SpeechChunk]:
        return self.tts.speak(text, self.voice, utterance_id=utterance_id)

    async def whole(self, text: str, utterance_id: str = "u") -> list[SpeechChunk]:
        return [chunk async for chunk in self.speak(text, utterance_id)]


@pytest.fixture(scope="session")
def tiny_piper(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {TINY_PIPER: make_tiny_piper(tmp_path_factory.mktemp("piper"))}


@pytest_asyncio.fixture(params=ENGINES, scope="module", loop_scope="module")
async def subject(request: pytest.FixtureRequest, tiny_piper: dict[str, Path]) -> AsyncIterator[Subject]:
    async for made in _make(request.param, tiny_piper):
        yield made


@pytest_asyncio.fixture(params=ENGINES[1:], scope="module", loop_scope="module")
async def worker(request: pytest.FixtureRequest, tiny_piper: dict[str, Path]) -> AsyncIterator[Subject]:
    async for made in _make(request.param, tiny_piper):
        yield made


async def _make(engine: str, piper: dict[str, Path]) -> AsyncIterator[Subject]:
    if engine == "fake":
        yield Subject(FakeTts(), VoiceSpec())
        return
    state = next(state for state in available(piper) if state.engine == engine)
    if not state.is_here:
        pytest.skip(f"{engine}: {state.reason}")
    tts = WorkerTts(piper_voices=piper)
    await tts.start()
    try:
        yield Subject(tts, VoiceSpec(engine=engine))  # type: ignore[arg-type]
    finally:
        await tts.aclose()


def is_running(pid: int) -> bool:
    """Whether the process exists, be it as a zombie."""
    return Path(f"/proc/{pid}").exists()


def events_of(chunks: list[SpeechChunk], kind: str) -> list[SpeechEvent]:
    return [event for chunk in chunks for event in chunk.events if event.kind == kind]


async def test_chunks_come_in_order_without_holes(subject: Subject):
    position = 0
    for chunk in await subject.whole(SENTENCE):
        assert chunk.sample == position
        assert chunk.samples.dtype == np.int16 and 0 < len(chunk.samples) <= 0.1 * chunk.sample_rate_hz
        position += len(chunk.samples)
    assert position > 2 * chunk.sample_rate_hz


async def test_phonemes_cover_the_sound_exactly(subject: Subject):
    chunks = await subject.whole(SENTENCE)
    phonemes, position = events_of(chunks, "phoneme"), 0
    for phoneme in phonemes:
        assert phoneme.sample == position and phoneme.num_samples > 0
        position += phoneme.num_samples
    assert position == sum(len(chunk.samples) for chunk in chunks)
    assert 25 < sum(phoneme.symbol != "_" for phoneme in phonemes) < 80


async def test_phonemes_come_before_they_are_heard(subject: Subject):
    known = 0
    for chunk in await subject.whole(SENTENCE):
        known = max([known, *(e.sample + e.num_samples for e in chunk.events if e.kind == "phoneme")])
        end = chunk.sample + len(chunk.samples)
        assert known >= end, "a chunk was handed out before its phonemes"
    assert known == end


async def test_words_stand_where_the_text_has_them(subject: Subject):
    chunks = await subject.whole(SENTENCE)
    words = events_of(chunks, "word")
    if isinstance(subject.tts, FakeTts):
        words = [word for word in words if word.symbol not in ("can", "t")]
    assert [word.symbol for word in words] == [w for w in WORDS if w in SENTENCE and (w != "can't" or len(words) == 15)]
    total = sum(len(chunk.samples) for chunk in chunks)
    for word, following in zip(words, [*words[1:], None], strict=True):
        assert SENTENCE[word.text_position : word.text_position + word.length] == word.symbol
        assert 0 <= word.sample and word.sample + word.num_samples <= (following.sample if following else total)
        assert word.num_samples > 0.03 * chunks[0].sample_rate_hz


async def test_speech_is_silent_in_its_pauses_and_loud_in_its_words(subject: Subject):
    chunks = await subject.whole(SENTENCE)
    sound = np.concatenate([chunk.samples for chunk in chunks]).astype(np.float64)
    words = np.concatenate([sound[w.sample : w.sample + w.num_samples] for w in events_of(chunks, "word")])
    pauses = [
        p for p in events_of(chunks, "phoneme") if p.symbol == "_" and p.num_samples > 0.12 * chunks[0].sample_rate_hz
    ]
    # The room rings on at the front, and the mouth opens for the next word at the end.
    quiet = [sound[p.sample : p.sample + p.num_samples][p.num_samples // 2 : p.num_samples * 3 // 4] for p in pauses]
    assert np.sqrt(np.mean(words**2)) > 1000
    assert all(np.sqrt(np.mean(part**2)) < 0.1 * np.sqrt(np.mean(words**2)) for part in quiet)
    assert np.abs(sound).max() < 32_700, "the sound is clipped"


async def test_nothing_to_say_is_no_failure(subject: Subject):
    for text in ("", "   ", "...", "!?"):
        for chunk in await subject.whole(text):
            assert not [event for event in chunk.events if event.kind == "word"]


async def test_any_text_can_be_spoken(subject: Subject):
    for text in (
        '<break/> & "quotes" [[x]]',
        "naïve café — “so”…",
        "日本語 ok",
        "\U0001f600 fine",
        "a\0b\nc",
        "x" * 40,
    ):
        await subject.whole(text)
    assert await subject.whole("Still here.")


async def test_after_a_cancel_no_chunk_comes(subject: Subject):
    speech = subject.speak(SENTENCE * 5)
    await anext(speech)
    await subject.tts.cancel("u")
    assert [chunk async for chunk in speech] == []
    await subject.tts.cancel("u")
    await subject.tts.cancel("never heard of")
    assert await subject.whole("Next one.", "v")


async def test_closing_the_iterator_early_frees_the_voice(subject: Subject):
    for _ in range(5):
        speech = subject.speak(SENTENCE * 5)
        assert (await anext(speech)).sample == 0
        await speech.aclose()  # type: ignore[attr-defined]
    assert await subject.whole("Next one.")


async def test_two_at_once_do_not_mix(subject: Subject):
    texts = ("One two three four five six seven.", "Alpha beta gamma, delta epsilon.")
    alone = [await subject.whole(text, f"alone {text}") for text in texts]
    both = await asyncio.gather(*(subject.whole(text, f"alone {text}") for text in texts))
    for text, single, paired in zip(texts, alone, both, strict=True):
        words = [event.symbol for event in events_of(paired, "word")]
        assert words == [event.symbol for event in events_of(single, "word")]
        assert all(word in text for word in words)
        sizes = [sum(len(chunk.samples) for chunk in chunks) for chunks in (single, paired)]
        # Piper draws its durations; the others are the same within their noise.
        assert abs(sizes[0] - sizes[1]) < 0.25 * sizes[0]


async def test_an_unknown_voice_says_what_to_do(subject: Subject):
    voice = VoiceSpec(engine=subject.voice.engine, id="nosuch+voice")
    with pytest.raises(TtsError) as caught:
        [chunk async for chunk in subject.tts.speak("Hello.", voice, utterance_id="u")]
    assert caught.value.code == "tts-voice-unknown" and not caught.value.retryable
    assert "nosuch+voice" in str(caught.value) and "take" in str(caught.value).lower()
    assert await subject.whole("Still here.")


async def test_rate_and_volume_are_obeyed(worker: Subject):
    async def spoken(**manner: float) -> tuple[float, float]:
        voice = replace(worker.voice, **manner)
        chunks = [c async for c in worker.tts.speak("Hello there, Peter, good day.", voice, utterance_id="u")]
        sound = np.concatenate([chunk.samples for chunk in chunks]).astype(np.float64)
        return len(sound) / chunks[0].sample_rate_hz, float(np.sqrt(np.mean(sound**2)))

    (plain_s, plain), (slow_s, _), (fast_s, _) = await spoken(), await spoken(rate=0.7), await spoken(rate=1.5)
    assert fast_s < 0.85 * plain_s and slow_s > 1.15 * plain_s
    _, soft = await spoken(volume=0.25)
    assert 0.15 < soft / plain < 0.35


async def test_pitch_is_obeyed(worker: Subject):
    if worker.voice.engine == "piper":
        pytest.skip("Piper's networks have no pitch to set")

    async def pitch_hz(semitones: float) -> float:
        voice = replace(worker.voice, pitch_semitones=semitones)
        chunks = [c async for c in worker.tts.speak("We all may wear a yellow one.", voice, utterance_id="u")]
        return median_pitch_hz(np.concatenate([chunk.samples for chunk in chunks]), chunks[0].sample_rate_hz)

    low, plain, high = await pitch_hz(-5), await pitch_hz(0), await pitch_hz(5)
    # espeak's scale ends 3 semitones below some of its voices.
    assert low < 0.92 * plain and high > 1.15 * plain


def median_pitch_hz(samples: np.ndarray, rate_hz: int) -> float:
    """By autocorrelation of loud stretches of 40 ms, 70 to 500 Hz."""
    size, found = int(0.04 * rate_hz), []
    for part in np.split(samples[: len(samples) // size * size].astype(np.float64), len(samples) // size):
        if part.std() > 0.5 * samples.std():
            spread = np.correlate(part, part, "full")[size - 1 :]
            shortest = rate_hz // 500
            found.append(rate_hz / (shortest + int(np.argmax(spread[shortest : rate_hz // 70]))))
    return float(np.median(found))


async def test_many_random_cancels_leave_one_worker(worker: Subject):
    assert isinstance(worker.tts, WorkerTts)
    source, pid = random.Random(1), worker.tts.worker_pid
    for number in range(200):
        name = f"u{number}"
        speech = worker.speak("Hello there, Peter.", name)
        for _ in range(source.randrange(4)):
            await anext(speech, None)
        await asyncio.sleep(0.002 * source.random())
        if source.random() < 0.5:
            await worker.tts.cancel(name)
            assert [chunk async for chunk in speech] == []
        else:
            await speech.aclose()  # type: ignore[attr-defined]
    assert await worker.whole("Still here.")
    assert worker.tts.worker_pid == pid


async def test_a_killed_worker_is_replaced_within_a_second(worker: Subject):
    assert isinstance(worker.tts, WorkerTts)
    speech = worker.speak(SENTENCE * 8)
    await anext(speech)
    pid = worker.tts.worker_pid
    assert pid is not None
    clock = MonotonicClock()
    killed_s = clock.now_s()
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(TtsError) as caught:
        [chunk async for chunk in speech]
    assert caught.value.code == "tts-worker-died" and caught.value.retryable
    espeak = VoiceSpec(engine="espeak")
    chunk = await anext(worker.tts.speak("Back again.", espeak, utterance_id="v"))
    assert chunk.sample == 0 and worker.tts.worker_pid != pid
    # A second is the goal on an idle machine; the suite may share its cores.
    assert clock.now_s() - killed_s < 3.0
    assert not is_running(pid), "the dead worker was not waited for"


async def test_a_sentence_that_had_no_sound_yet_begins_anew(worker: Subject):
    assert isinstance(worker.tts, WorkerTts)
    assert await worker.whole("Warm.")
    pid = worker.tts.worker_pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    whole = asyncio.create_task(worker.whole("Nothing is lost."))
    await asyncio.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    assert [event.symbol for event in events_of(await whole, "word")] == ["Nothing", "is", "lost"]


async def test_a_closed_voice_leaves_nothing_behind(tiny_piper: dict[str, Path]):
    before = asyncio.all_tasks()
    tts = WorkerTts(piper_voices=tiny_piper)
    await tts.start()
    pid = tts.worker_pid
    speech = tts.speak(SENTENCE * 5, VoiceSpec(engine="espeak"), utterance_id="u")
    await anext(speech)
    await tts.aclose()
    assert asyncio.all_tasks() == before
    assert pid is not None and not is_running(pid)
    with pytest.raises(TtsError):
        await anext(tts.speak("Hello.", VoiceSpec(), utterance_id="v"))
