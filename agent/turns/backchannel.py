"""Sounds and words that say "I am listening" and take no turn, and words that are our own echo."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

import numpy as np
import numpy.typing as npt

BACKCHANNELS = frozenset(
    "mm mhm hm hmm mm-hm mmhm uh-huh uh huh aha ah oh okay ok yeah yes yep yup right sure really wow cool nice great"
    " i see got it go on of course ja genau aha sí si claro oui d'accord".split(" ")
    + ["i see", "got it", "go on", "of course", "uh huh", "mm hm", "oh yeah", "oh okay", "all right", "i know"]
)
MIN_ECHO_WORDS = 3
ECHO_SHARE = 0.75


def normal_words(text: str) -> list[str]:
    """The words of a text, lower case, without punctuation."""
    return re.findall(r"[\w'-]+", text.lower())


def is_backchannel(text: str) -> bool:
    """Whether a text of at most three words only says "I am listening". Empty text counts."""
    words = normal_words(text)
    if not words:
        return True
    return len(words) <= 3 and (" ".join(words) in BACKCHANNELS or all(w in BACKCHANNELS for w in words))


def is_echo(text: str, agent_text: str) -> bool:
    """Whether the words heard are our own voice coming back.

    Args:
        text: what was recognised.
        agent_text: what the agent said in the last seconds.
    """
    words, own = normal_words(text), normal_words(agent_text)
    if len(words) < MIN_ECHO_WORDS or not own:
        return False
    blocks = SequenceMatcher(a=own, b=words, autojunk=False).get_matching_blocks()
    # A single shared word ("the") proves nothing; runs of two and more do.
    return sum(b.size for b in blocks if b.size >= 2) >= ECHO_SHARE * len(words)


def is_hum(samples: npt.NDArray[np.int16], sample_rate_hz: int = 16_000) -> bool:
    """Whether a voiced sound is a closed-mouth hum ("mm-hm").

    A hum has its energy in the murmur under 600 Hz and next to nothing where open vowels
    have their second formant and consonants their noise (Stevens, Acoustic Phonetics, 1998, ch. 9).

    Args:
        samples: int16[n], at least 50 ms.
        sample_rate_hz: of the samples.
    """
    if len(samples) < sample_rate_hz // 20:
        return False
    x = samples.astype(np.float32)
    power = np.abs(np.fft.rfft((x - x.mean()) * np.hanning(len(x)))) ** 2
    hz = np.fft.rfftfreq(len(x), 1 / sample_rate_hz)
    total = float(power[hz > 80].sum()) or 1.0
    return float(power[(hz > 80) & (hz < 600)].sum()) / total > 0.93 and float(power[hz > 1200].sum()) / total < 0.02
