"""How a call's hearing passes on the failures of its decoder."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from agent.errors import SttError
from agent.stt.pocketsphinx import PocketsphinxStream, read_dictionary, write_language_model
from agent.stt.turn_decoder import TurnDecoder
from tests.unit.agent.stt.test_turn_decoder import FakeDecoder

pytestmark = pytest.mark.unit

SECOND = np.zeros(16_000, np.int16)


@pytest.fixture
def executor():
    with ThreadPoolExecutor(1) as made:
        yield made


async def test_a_broken_decoder_is_a_coded_error_and_the_next_turn_works(executor):
    decoder = FakeDecoder()
    stream = PocketsphinxStream(TurnDecoder(decoder), executor)
    decoder.fail = True
    stream.push(SECOND)
    with pytest.raises(SttError, match="say it again") as caught:
        await stream.transcribe()
    assert caught.value.code == "stt-unavailable" and caught.value.retryable
    decoder.fail = False
    stream.reset()
    stream.push(np.tile(SECOND, 3))
    assert (await stream.transcribe()).text == "w0 w1 w2"


async def test_after_the_thread_is_gone_it_is_still_a_coded_error():
    executor = ThreadPoolExecutor(1)
    stream = PocketsphinxStream(TurnDecoder(FakeDecoder()), executor)
    executor.shutdown()
    with pytest.raises(SttError):
        await stream.transcribe()


async def test_partials_hold_what_was_pushed_before_they_were_asked(executor):
    stream = PocketsphinxStream(TurnDecoder(FakeDecoder()), executor)
    assert await stream.partial() is None
    stream.push(np.tile(SECOND, 2))
    assert await stream.partial() == "w0 w1"


def test_a_dictionary_keeps_all_readings(tmp_path: Path):
    path = tmp_path / "words.dict"
    path.write_text("the DH AH\nthe(2) DH IY\nroom R UW M\n")
    assert read_dictionary(path) == {"the": ["DH AH", "DH IY"], "room": ["R UW M"]}


def test_a_language_model_holds_the_scripts_words_and_no_others(tmp_path: Path):
    readings = {"the": ["DH AH", "DH IY"], "room": ["R UW M"], "other": ["AH DH ER"]}
    model, dictionary = write_language_model([["the", "room"], ["zorkle"]], readings, tmp_path)
    assert dictionary.read_text().splitlines() == ["room R UW M", "the DH AH", "the(2) DH IY", "zorkle Z AO R K L"]
    assert "ngram 3=" in model.read_text() and "<s> the room" in model.read_text()
