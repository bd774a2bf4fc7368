"""Gives back what ended calls held, at once: codecs and nets hang in reference cycles until a collection."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys
from collections.abc import Callable

M_ARENA_MAX = -8
"""mallopt(3), glibc: how many heaps threads may spread their blocks over."""
MAX_ARENAS = 4
"""Each call brings threads of its own; with the default of 8 heaps a core, memory creeps up for hours."""
COLLECT_AFTER_S = 0.5


def settle() -> None:
    """Call once everything is warm: what lives now lives for good and is not looked through again."""
    if (libc := _glibc()) is not None:
        libc.mallopt(M_ARENA_MAX, MAX_ARENAS)
    gc.collect()
    gc.freeze()


class Collector:
    """One collection soon after a call ended, however many end together.

    Args:
        is_quiet: whether nobody is in a call, so that giving memory back to the system disturbs nobody.
    """

    def __init__(self, is_quiet: Callable[[], bool]) -> None:
        self._is_quiet = is_quiet
        self._due: asyncio.TimerHandle | None = None

    def call_ended(self) -> None:
        """A call ended on this loop."""
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(COLLECT_AFTER_S, self._collect)

    def close(self) -> None:
        """No more collections."""
        if self._due is not None:
            self._due.cancel()

    def _collect(self) -> None:
        self._due = None
        gc.collect()
        if self._is_quiet() and (libc := _glibc()) is not None:
            libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """The C library, where it has the doors we use."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None
