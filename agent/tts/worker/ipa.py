# Part of the Visavis speech worker, a program of its own. Copyright (C) 2026 the Visavis authors.
# SPDX-License-Identifier: GPL-3.0-or-later
"""Piper's phonemes are single IPA characters: which sound, which only colour their neighbour."""

from __future__ import annotations

from utterance import PAUSE

LEADING_MARKS = "\u02c8\u02cc"
"""Stress: sounds as part of the phoneme after it."""
SECOND_STRESS = "\u02cc"
TRAILING_MARKS = "\u02d0\u02d1\u02de\u0303\u0329\u032f\u0361\u02b0\u02b2"
"""Length and diacritics: part of the phoneme before them."""
SILENT = '^$_.,;:!?\u2026\u2014\u00a1\u00bf"()'


def is_sound(symbol: str) -> bool:
    """Whether a symbol is a phoneme, neither mark nor gap."""
    return symbol not in SILENT and symbol != " " and symbol not in LEADING_MARKS and symbol not in TRAILING_MARKS


def merge_marks(spans: list[tuple[int, int, str]], gap: int) -> list[tuple[int, str]]:
    """Join stress, length and word gaps with the phoneme they belong to.

    Args:
        spans: (first sample, number of samples, symbol), in order.
        gap: a blank of more samples is a pause.

    Returns:
        (first sample, phoneme or "_") in order, each lasting until the next; a main stress is kept.
    """
    merged: list[tuple[int, str]] = []
    stress: int | None = None
    mark = ""
    for start, size, symbol in spans:
        if symbol in LEADING_MARKS:
            stress, mark = (start if stress is None else stress), symbol
            continue
        if symbol in TRAILING_MARKS or (symbol == " " and size <= gap):
            if merged and symbol != " " and merged[-1][1] != PAUSE:
                merged[-1] = (merged[-1][0], merged[-1][1] + symbol)
            continue
        is_pause = symbol in SILENT or symbol == " "
        begin, stress = (start if stress is None else stress), None
        if not (is_pause and merged and merged[-1][1] == PAUSE):
            merged.append((begin, PAUSE if is_pause else mark.replace(SECOND_STRESS, "") + symbol))
        mark = ""
    return merged
