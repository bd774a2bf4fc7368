"""How English words sound, in the 39 phones of CMUdict, for words a dictionary does not hold.

A guess, not a transcription: known parts first, then spelling rules. Wrong vowels cost little in a
search over a few hundred words; a missing word costs the whole sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Phones = str
"""Phones with blanks between, as in "HH AH L OW"."""

_VOICED = {"B", "D", "G", "V", "DH", "M", "N", "NG", "L", "R", "W", "Y"}
_SIBILANTS = {"S", "Z", "SH", "ZH", "CH", "JH"}
_VOICELESS = {"P", "T", "K", "F", "TH"}

_LETTER_NAMES: Mapping[str, Phones] = {
    "a": "EY", "b": "B IY", "c": "S IY", "d": "D IY", "e": "IY", "f": "EH F", "g": "JH IY", "h": "EY CH", "i": "AY",
    "j": "JH EY", "k": "K EY", "l": "EH L", "m": "EH M", "n": "EH N", "o": "OW", "p": "P IY", "q": "K Y UW",
    "r": "AA R", "s": "EH S", "t": "T IY", "u": "Y UW", "v": "V IY", "w": "D AH B AH L Y UW", "x": "EH K S",
    "y": "W AY", "z": "Z IY",
}  # fmt: skip

_SPELLINGS: Mapping[str, Phones] = {
    # Longest first wins; the commonest reading of English spelling.
    "eigh": "EY", "tion": "SH AH N", "sion": "ZH AH N", "ture": "CH ER", "ough": "AO", "augh": "AO", "tch": "CH",
    "sch": "SH", "igh": "AY", "dge": "JH", "eau": "OW", "oor": "AO R", "air": "EH R", "ear": "IH R", "eer": "IH R",
    "our": "AO R", "ch": "CH", "sh": "SH", "ph": "F", "th": "TH", "wh": "W", "ck": "K", "ng": "NG", "gh": "G",
    "qu": "K W", "kn": "N", "wr": "R", "ai": "EY", "ay": "EY", "ee": "IY", "ea": "IY", "ie": "IY", "ei": "EY",
    "ey": "IY", "oa": "OW", "oe": "OW", "oo": "UW", "ou": "AW", "ow": "OW", "oi": "OY", "oy": "OY", "au": "AO",
    "aw": "AO", "ue": "UW", "ui": "UW", "ew": "UW", "eu": "Y UW", "ar": "AA R", "er": "ER", "ir": "ER", "ur": "ER",
    "or": "AO R", "a": "AE", "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH",
    "j": "JH", "k": "K", "l": "L", "m": "M", "n": "N", "o": "AA", "p": "P", "q": "K", "r": "R", "s": "S", "t": "T",
    "u": "AH", "v": "V", "w": "W", "x": "K S", "y": "IY", "z": "Z",
}  # fmt: skip
_LONG_VOWELS: Mapping[str, Phones] = {"a": "EY", "e": "IY", "i": "AY", "o": "OW", "u": "UW", "y": "AY"}
_FINAL_VOWELS: Mapping[str, Phones] = {"a": "AH", "i": "IY", "o": "OW", "u": "UW", "y": "IY"}
_VOWELS = frozenset("aeiouy")
_MIN_PART = 3
"""Letters: shorter parts of a compound are chance finds."""


def pronounce(word: str, known: Mapping[str, Sequence[Phones]]) -> tuple[Phones, ...]:
    """Readings of a word, the likeliest first; never empty.

    Args:
        word: lower case a-z and apostrophes.
        known: a dictionary: word to its readings.
    """
    if word in known:
        return tuple(known[word])
    return _inflected(word, known) or _compound(word, known) or (_spelled(word),)


def _inflected(word: str, known: Mapping[str, Sequence[Phones]]) -> tuple[Phones, ...]:
    """A known stem with an ending."""
    for ending, add in (
        ("'s", _plural),
        ("s'", _plural),
        ("s", _plural),
        ("es", _plural),
        ("ed", _past),
        ("ing", _gerund),
    ):
        stem = word.removesuffix(ending)
        if stem == word:
            continue
        for base in (stem, stem + "e", stem[:-1] if stem[-2:-1] == stem[-1:] else stem):
            if len(base) >= 2 and base in known:
                return tuple(f"{phones} {add(phones)}" for phones in known[base])
    return ()


def _plural(phones: Phones) -> Phones:
    last = phones.split()[-1]
    return "AH Z" if last in _SIBILANTS else "S" if last in _VOICELESS else "Z"


def _past(phones: Phones) -> Phones:
    last = phones.split()[-1]
    return "AH D" if last in ("T", "D") else "T" if last in _VOICELESS | {"S", "SH", "CH"} else "D"


def _gerund(phones: Phones) -> Phones:
    return "IH NG"


def _compound(word: str, known: Mapping[str, Sequence[Phones]]) -> tuple[Phones, ...]:
    """Two known words written as one; the longest first part wins."""
    for cut in range(len(word) - _MIN_PART, _MIN_PART - 1, -1):
        head, tail = word[:cut], word[cut:]
        if head in known and tail in known:
            return (f"{known[head][0]} {known[tail][0]}",)
    return ()


def _spelled(word: str) -> Phones:
    """By spelling rules; without any vowel, letter by letter (as in "gdpr")."""
    letters = [c for c in word if "a" <= c <= "z"]
    if not _VOWELS & set(letters):
        return " ".join(_LETTER_NAMES[c] for c in letters) or "AH"
    text = "".join(letters)
    phones: list[str] = []
    at = 0
    while at < len(text):
        length, sound = _read(text, at)
        if sound and not (phones and sound == phones[-1] and sound in _VOICED | _VOICELESS | _SIBILANTS):
            phones.append(sound)
        at += length
    return " ".join(phones)


def _read(text: str, at: int) -> tuple[int, Phones]:
    """Letters taken at `at`, and their sound ("" when silent)."""
    rest, letter = text[at:], text[at]
    if rest == "e" and at >= 2:
        return 1, ""
    if letter == "y" and at == 0:
        return 1, "Y"
    if letter in "cg" and text[at + 1 : at + 2] in ("e", "i", "y") and text[at + 1 :]:
        return 1, "S" if letter == "c" else "JH"
    if letter in _LONG_VOWELS and len(rest) == 3 and rest[2] == "e" and rest[1] not in _VOWELS | {"r", "w", "x"}:
        return 1, _LONG_VOWELS[letter]
    if letter in _FINAL_VOWELS and len(rest) == 1:
        return 1, _FINAL_VOWELS[letter]
    for length in (4, 3, 2):
        if len(rest) >= length and rest[:length] in _SPELLINGS:
            return length, _SPELLINGS[rest[:length]]
    return 1, _SPELLINGS[letter]
