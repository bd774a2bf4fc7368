"""From a voice's phones to mouth classes.

Classes are the Oculus 15 plus `ER` (an r-coloured vowel: drawn as RR, opened a little more). A
diphthong is two classes, half the time each. A phone without a mouth of its own (h, the glottal
stop, a word space) is the empty tuple: its neighbours decide. Unknown symbols fall to a class
of their kind, never to an error.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, cast

from ..media import Alphabet

OCULUS_VISEMES: tuple[str, ...] = (
    "sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U",
)  # fmt: skip
"""Order of the Oculus/Meta viseme set (developers.meta.com, "Viseme Reference")."""

MouthClass = Literal[
    "sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "ER", "aa", "E", "I", "O", "U", "prep",
]  # fmt: skip
Mouths = tuple[MouthClass, ...]

SILENCE: Mouths = ("sil",)


def _table(rows: Mapping[str, str]) -> dict[str, Mouths]:
    """{"class class": "phone phone"} turned round."""
    return {phone: cast(Mouths, tuple(mouths.split())) for mouths, phones in rows.items() for phone in phones.split()}


ESPEAK: Mapping[str, Mouths] = {
    # espeak-ng 1.52 docs/phonemes.md and phsource/ph_english*: ASCII mnemonics of the English voices.
    **_table({
        "PP": "p b m m- p# b#", "FF": "f v v#", "TH": "T D D#", "DD": "t d t# t2 d# d2 * r/",
        "nn": "n n- n^ l l/ l# L l^",
        "kk": "k g N N- x C Q k#", "CH": "tS dZ S Z", "SS": "s z s# z# z/ ts dz", "RR": "r r- R",
        "ER": "3 3: 3R VR IR I3 @r", "aa": "a aa a# a2 A A: A# V V# 0 0# 0: @ @2 @5 @- @# @1 &",
        "E": "E E: E# E2 e e: e# ee",
        "I": "i i: i# I I2 I# y j ; Y", "O": "O O: O2 O# o o: o# oo", "U": "u u: u# U U# w w# w2",
        "aa nn": "@L @l", "O U": "oU oU# @U", "aa U": "aU", "aa I": "aI aI2 aI# AI", "E I": "eI eI# EI",
        "O I": "OI OI2 oI",
        "O ER": "O@ o@ OR", "aa ER": "A@ AR", "I ER": "i@ i@3 IR3 I@", "E ER": "e@ eR", "U ER": "U@ UR",
        "I U": "ju: ju",
        "aa I ER": "aI@ aI3", "aa U ER": "aU@ aU3", "sil": "_ _: _! _| _:: _^_",
    }),
    "h": (), "h#": (), "?": (), "": SILENCE,
}  # fmt: skip

CMU: Mapping[str, Mouths] = {
    # ARPABET of the CMU dictionary, and flite's radio phones (cmu_us_*_lex, lang/usenglish us_phoneset.c).
    **_table({
        "PP": "p b m em bcl pcl", "FF": "f v", "TH": "th dh", "DD": "t d dx dcl tcl", "kk": "k g ng eng gcl kcl",
        "CH": "ch jh sh zh", "SS": "s z", "nn": "n l en el nx", "RR": "r", "ER": "er axr", "aa": "aa ae ah ax ax-h",
        "E": "eh", "I": "ih iy ix y", "O": "ao", "U": "uw uh ux w", "aa U": "aw", "aa I": "ay", "E I": "ey",
        "O U": "ow", "O I": "oy", "sil": "sil pau ssil brth h# # _ sp spn",
    }),
    "hh": (), "hv": (), "q": (), "epi": (), "": SILENCE,
}  # fmt: skip

IPA: Mapping[str, Mouths] = {
    # IPA as espeak-ng writes it (--ipa) and Piper's DEFAULT_PHONEME_ID_MAP; other languages' letters
    # by place of articulation (IPA chart 2020).
    **_table({
        "PP": "p b m ɓ ʘ ɸ β ʙ", "FF": "f v ʋ ɱ ⱱ", "TH": "θ ð", "DD": "t d ɾ ʈ ɖ ɗ ɽ ǀ ǃ ǂ",
        "nn": "n l ɫ ɬ ɮ ɲ ɳ ɭ ʎ ʟ ɺ ǁ",
        "kk": "k g ɡ ŋ x ɣ c ɟ q ɢ ɴ χ ʁ ʀ ħ ʕ ç ʝ ɠ ʛ ɰ ʄ X",
        "CH": "ʃ ʒ tʃ dʒ ʧ ʤ ɕ ʑ ʂ ʐ ɧ tɕ dʑ", "SS": "s z ts dz ʦ ʣ",
        "RR": "r ɹ ɻ", "ER": "ɚ ɝ ɜ", "aa": "a ɑ ɐ æ ʌ ɒ ə ɶ", "E": "e ɛ ɘ ɞ", "I": "i ɪ ɨ j ᵻ", "O": "o ɔ ɤ ɵ ø œ",
        "U": "u ʊ ʉ ɯ w ʍ y ʏ ɥ", "aa I": "aɪ aj", "aa U": "aʊ aw", "E I": "eɪ ej", "O U": "oʊ əʊ ow",
        "O I": "ɔɪ oɪ ɔj",
        "aa nn": "əl", "sil": "_ ^ $ . , ! ? ; : … —",
    }),
    "h": (), "ɦ": (), "ʔ": (), "ʜ": (), "ʡ": (), "ʢ": (), " ": (), "'": (), '"': (), "-": (), "": SILENCE,
}  # fmt: skip

_MAX_IPA_KEY = max(map(len, IPA))
_ESPEAK_MARKS = re.compile(r"^[',%=|~]+|[|~`]+$")
_CMU_STRESS = re.compile(r"[0-9]+$")
_LETTERS: Mapping[str, Mouths] = _table({
    "PP": "p b m", "FF": "f v", "DD": "t d", "kk": "k g q c x", "SS": "s z", "nn": "n l", "RR": "r", "aa": "a",
    "E": "e", "I": "i j y", "O": "o", "U": "u w", "CH": "ʃ", "sil": "_",
})  # fmt: skip


@lru_cache(maxsize=4096)
def to_mouths(symbol: str, alphabet: Alphabet) -> Mouths:
    """Mouth classes of one phone, in order, equal shares of its time; () = as its neighbours."""
    if alphabet == "espeak":
        return _espeak(_ESPEAK_MARKS.sub("", symbol))
    if alphabet == "cmu":
        phone = _CMU_STRESS.sub("", symbol.lower())
        return CMU[phone] if phone in CMU else _by_letter(phone)
    return _ipa(symbol)


def is_stressed(symbol: str, alphabet: Alphabet) -> bool:
    """Whether the phone carries main stress, as far as the voice says so (flite does not)."""
    if alphabet == "cmu":
        return symbol.endswith("1")
    return ("'" if alphabet == "espeak" else "ˈ") in symbol


def _espeak(phone: str) -> Mouths:
    # A mnemonic grows by marks (":" long, digits and "#" variants): shorten until it is known.
    for end in range(len(phone), 0, -1):
        if phone[:end] in ESPEAK:
            return ESPEAK[phone[:end]]
    return SILENCE if not phone else _by_letter(phone)


def _ipa(symbol: str) -> Mouths:
    if symbol in IPA:
        return IPA[symbol]
    text = "".join(c for c in unicodedata.normalize("NFD", symbol) if unicodedata.category(c) not in ("Mn", "Lm", "Sk"))
    mouths: list[MouthClass] = []
    at = 0
    while at < len(text):
        size = next((n for n in range(_MAX_IPA_KEY, 0, -1) if text[at : at + n] in IPA and at + n <= len(text)), 0)
        mouths.extend(IPA[text[at : at + size]] if size else _by_letter(text[at]))
        at += max(size, 1)
    return tuple(mouths)


def _by_letter(phone: str) -> Mouths:
    first = phone[:1].lower()
    if first in _LETTERS:
        return _LETTERS[first]
    return ("E",) if first.isalpha() else ()
