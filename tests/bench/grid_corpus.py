"""Clips of the GRID corpus with real lip tracks, and their phones by forced alignment.

For measuring only: nothing that ships may be fitted on them. Where they lie: `$VISAVIS_SHARED/avtruth`.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pocketsphinx

SAMPLE_RATE_HZ = 16_000
FloatArray = npt.NDArray[np.float64]

_COMMANDS = {"b": "bin", "l": "lay", "p": "place", "s": "set"}
_COLOURS = {"b": "blue", "g": "green", "r": "red", "w": "white"}
_PREPOSITIONS = {"a": "at", "b": "by", "i": "in", "w": "with"}
_DIGITS = dict(zip("z123456789", "zero one two three four five six seven eight nine".split(), strict=True))
_ADVERBS = {"a": "again", "n": "now", "p": "please", "s": "soon"}
_LEXICON = """bin B IH N|lay L EY|place P L EY S|set S EH T|blue B L UW|green G R IY N|red R EH D|white W AY T|at AE T
by B AY|in IH N|with W IH DH|with(2) W IH TH|a EY|b B IY|c S IY|d D IY|e IY|f EH F|g JH IY|h EY CH|i AY|j JH EY|k K EY
l EH L|m EH M|n EH N|o OW|p P IY|q K Y UW|r AA R|r(2) AA|s EH S|t T IY|u Y UW|v V IY|x EH K S|y W AY|z Z EH D
zero Z IH R OW|zero(2) Z IY R OW|one W AH N|two T UW|three TH R IY|four F AO R|four(2) F AO|five F AY V|six S IH K S
seven S EH V AH N|seven(2) S EH V N|eight EY T|nine N AY N|again AH G EH N|again(2) AH G EY N|now N AW|please P L IY Z
soon S UW N"""
# The aligner fails on some paddings; the first that works is taken.
_PADDINGS = (3200, 4800, 1600, 8000, 2400, 6400, 0, 4000, 5600, 2000)
_STOPS = {"P", "B", "T", "D", "K", "G", "CH", "JH"}


@dataclass(frozen=True, slots=True)
class Phone:
    symbol: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Clip:
    name: str
    is_s1: bool
    """Speaker 1, whose other clips the table of targets was fitted on."""
    time_s: FloatArray
    gap: FloatArray
    """Inner lips / distance between the irises."""
    width: FloatArray
    sound: npt.NDArray[np.int16]
    """16 kHz."""
    phones: tuple[Phone, ...]


def corpus_folder() -> Path | None:
    """Where the clips lie, None when this machine has none."""
    shared = Path(os.environ.get("VISAVIS_SHARED", Path(__file__).resolve().parents[3] / "shared"))
    folder = shared / "avtruth"
    return folder if (folder / "index.json").exists() else None


def load(folder: Path) -> Iterator[Clip]:
    """All clips; the alignment takes about 0.3 s each."""
    with tempfile.TemporaryDirectory() as scratch:
        lexicon = Path(scratch) / "grid.dict"
        lexicon.write_text(_LEXICON.replace("|", "\n") + "\n")
        for entry in json.loads((folder / "index.json").read_text())["clips"]:
            name = entry["clip"]
            track = np.load(folder / "clips" / f"{name}.npz")
            sound = _read_flac(folder / "clips" / f"{name}.flac")
            words = [w for w in entry.get("words", []) if w[0] != "sil"]
            yield Clip(
                name=name,
                is_s1=entry["speaker"] == "s1" or name == "o_bbaf2n",
                time_s=track["time_s"].astype(float),
                gap=track["gap"].astype(float),
                width=track["outer_width"].astype(float),
                sound=sound,
                phones=align(sound, sentence(name), _spoken_span(sound, words), lexicon),
            )


def sentence(clip: str) -> str:
    """The six words that the last six characters of a clip's name stand for."""
    command, colour, preposition, letter, digit, adverb = clip[-6:]
    words = (_COMMANDS[command], _COLOURS[colour], _PREPOSITIONS[preposition], letter, _DIGITS[digit], _ADVERBS[adverb])
    return " ".join(words)


def align(sound: npt.NDArray[np.int16], text: str, span_s: tuple[float, float], lexicon: Path) -> tuple[Phone, ...]:
    """Phones of a sentence, 10 ms steps.

    Raises:
        RuntimeError: no padding let the aligner through.
    """
    start_s, end_s = span_s
    cut = sound[int(start_s * SAMPLE_RATE_HZ) : int(end_s * SAMPLE_RATE_HZ)]
    chance = np.random.default_rng(0)
    for padding in _PADDINGS:
        noise = chance.normal(0, 8, (2, padding))
        padded = np.concatenate([noise[0], cut, noise[1]]).astype(np.int16).tobytes()
        # RuntimeError is all that the library says about a failed search.
        with suppress(RuntimeError):
            shift_s = start_s - padding / SAMPLE_RATE_HZ
            return _trimmed(
                [Phone(p.symbol, p.start_s + shift_s, p.end_s + shift_s) for p in _pass(padded, text, lexicon)]
            )
    raise RuntimeError(f"no alignment for {text!r}")


def _pass(sound: bytes, text: str, lexicon: Path) -> list[Phone]:
    decoder = pocketsphinx.Decoder(samprate=SAMPLE_RATE_HZ, loglevel="FATAL", dict=str(lexicon))
    decoder.set_align_text(text)
    for again in (False, True):
        if again:
            decoder.set_alignment()
        decoder.start_utt()
        decoder.process_raw(sound, full_utt=True)
        decoder.end_utt()
        list(decoder.seg())
    return [
        Phone(phone.name, phone.start / 100, (phone.start + phone.duration) / 100)
        for word in decoder.get_alignment()
        for phone in word
    ]


def _trimmed(phones: list[Phone]) -> tuple[Phone, ...]:
    """Without silence at the ends, and without the pauses that the outer phones swallowed."""
    while phones[0].symbol == "SIL":
        phones.pop(0)
    while phones[-1].symbol == "SIL":
        phones.pop()
    first, last = phones[0], phones[-1]
    longest_s = 0.12 if first.symbol in _STOPS else 0.3
    phones[0] = Phone(first.symbol, max(first.start_s, first.end_s - longest_s), first.end_s)
    last = phones[-1]
    phones[-1] = Phone(last.symbol, last.start_s, min(last.end_s, last.start_s + 0.5))
    return tuple(phones)


def _spoken_span(sound: npt.NDArray[np.int16], words: list[tuple[str, float, float]]) -> tuple[float, float]:
    """Seconds between which the sentence lies, by its labels or, without any, by its energy."""
    if words:
        return max(0.0, words[0][1] - 0.1), words[-1][2] + 0.1
    edges = np.diff(sound.astype(np.float32), prepend=0) ** 2
    level = np.sqrt(np.convolve(edges, np.ones(400) / 400, "same"))
    loud = np.nonzero(level > np.median(level) + 0.04 * level.max())[0]
    return max(0.0, loud[0] / SAMPLE_RATE_HZ - 0.12), min(sound.size, loud[-1]) / SAMPLE_RATE_HZ + 0.12


def _read_flac(path: Path) -> npt.NDArray[np.int16]:
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    sound = np.concatenate(frames)
    return sound if sound.dtype == np.int16 else (sound >> 16).astype(np.int16)
