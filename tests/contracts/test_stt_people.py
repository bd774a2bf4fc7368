"""The embedded recogniser on real voices: 44 recordings of five people, where the shared data is present."""

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from agent.stt.pocketsphinx import PocketsphinxEngine

pytestmark = pytest.mark.contract

SHARED = Path(os.environ.get("VISAVIS_SHARED", Path(__file__).resolve().parents[3] / "shared"))
PARTS = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
)
DIGITS = dict(zip("z123456789", "zero one two three four five six seven eight nine".split(), strict=True))
ADVERBS = {"a": "again", "n": "now", "p": "please", "s": "soon"}


def sentence(code: str) -> str:
    """What is said in a clip, from the last six letters of its name."""
    command, colour, preposition = (part[letter] for part, letter in zip(PARTS, code, strict=False))
    return f"{command} {colour} {preposition} {code[3]} {DIGITS[code[4]]} {ADVERBS[code[5]]}"


def load_sound(path: Path) -> np.ndarray:
    av = pytest.importorskip("av", reason="no decoder for FLAC")
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    sound = np.concatenate(frames, axis=1)[0]
    return (sound >> 16).astype(np.int16) if sound.dtype == np.int32 else sound.astype(np.int16)


def word_errors(said: str, heard: str) -> int:
    """Edit distance in words."""
    a, b = said.split(), heard.split()
    row = list(range(len(b) + 1))
    for i, word in enumerate(a, start=1):
        previous, row = row, [i]
        for j, other in enumerate(b, start=1):
            row.append(min(previous[j - 1] + (word != other), previous[j] + 1, row[j - 1] + 1))
    return row[-1]


async def test_people_are_understood_from_their_first_sentence(record_property):
    index = SHARED / "avtruth" / "index.json"
    if not index.exists():
        pytest.skip(f"no recordings in {SHARED} (set VISAVIS_SHARED)")
    clips = [clip["clip"] for clip in json.loads(index.read_text())["clips"]]
    said = {clip: sentence(re.sub(r".*_", "", clip)) for clip in clips}
    chosen = [clip for clip in clips if clip.startswith("o_")] + [clip for clip in clips if clip.startswith("s1_")][:8]
    with ThreadPoolExecutor(1) as executor:
        engine = PocketsphinxEngine(executor)
        await engine.start()
        errors = 0
        for clip in chosen:
            # A new call each: nothing is known of the microphone.
            stream = await engine.open(script=list(said.values()), words=[], language="en")
            stream.push(load_sound(index.parent / "clips" / f"{clip}.flac"))
            errors += word_errors(said[clip], (await stream.transcribe()).text)
            await stream.aclose()
    rate = errors / (6 * len(chosen))
    record_property("word_error_rate", rate)
    print(f"word error rate {rate:.3f} on {len(chosen)} first sentences")
    assert rate <= 0.25
