"""Draws the pictures of the coming units ahead of time, and hands each out with its sound.

One picture is drawn at a time, in a thread of its own. A picture that is not there when its
sound is due is given up: the newest one there is stands in. When drawing takes longer than a unit, units
are left out on purpose, so that those that are drawn come in time.
All methods belong to the thread of the event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass

import numpy as np

from ..clock import Clock
from ..media import MEDIA_CLOCK_RATE, UNIT_TICKS, FaceState, UInt8Array
from ..motion.driver import MotionState
from ..render.base import Renderer
from .sound_queue import UnitPlace

MAX_LEAD_UNITS = 4
_UNIT_S = UNIT_TICKS / MEDIA_CLOCK_RATE
_SMOOTHING = 0.2
_MARGIN = 0.25
"""Of a unit: a picture that takes nearly a whole one would mostly be late."""

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Drawing:
    """One picture to be drawn for one unit."""

    pts: int
    place: UnitPlace | None
    face: FaceState
    mouth: float
    after: MotionState
    """Motion once this unit was shown."""
    picture: UInt8Array | None = None
    asked_s: float = 0.0
    is_started: bool = False
    is_dropped: bool = False
    """What it shows will not happen."""
    has_failed: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """What there is to show for a unit."""

    drawing: Drawing | None
    """The unit's own, None if nothing was planned for it."""
    shown: Drawing | None
    """What `picture` shows; None: nothing was ever drawn."""
    picture: UInt8Array
    is_late: bool
    """`shown` stands in for `drawing`."""


class PicturesAhead:
    """The plan of coming pictures.

    Args:
        renderer: used only inside `executor`.
        executor: one thread; what it runs is awaited by `aclose`.
        clock: measures how long a picture takes.
        plan: given the last drawing planned (None: none) and how many are wanted at least, makes the next
            one, or None when it is enough.
    """

    def __init__(
        self,
        renderer: Renderer,
        executor: Executor,
        clock: Clock,
        plan: Callable[[Drawing | None, int], Drawing | None],
    ) -> None:
        self._renderer = renderer
        self._executor = executor
        self._clock = clock
        self._plan_next = plan
        self._plan: deque[Drawing] = deque()
        self._in_flight: Drawing | None = None
        self._future: Future[tuple[UInt8Array, float]] | None = None
        self._draw_s = 0.0
        self._is_closed = False
        self._is_patient = False
        self._latency_s = 0.0
        """From asking for a picture to having it, running mean."""
        self._blank = _blank(renderer.width_px, renderer.height_px)
        self._shown: Drawing | None = None
        self._shut: Drawing | None = None
        """The newest one shown with the lips shut."""
        self.late: Counter[str] = Counter()
        """Units whose picture another one stood in for, by reason: slow, skipped, failed, unplanned."""
        self.discarded = 0
        """Pictures drawn in vain because what they showed was cut."""

    @property
    def draw_ms(self) -> float:
        """How long a picture takes, running mean."""
        return 1000.0 * self._draw_s

    def __len__(self) -> int:
        return len(self._plan)

    def pump(self) -> None:
        """Plan what may be planned, start drawing what is not yet drawn."""
        while not self._is_closed:
            self._fill()
            if self._in_flight is not None:
                return
            drawing = self._choose()
            if drawing is None:
                return
            self._start(drawing)

    def take(self, pts: int, place: UnitPlace | None) -> Taken:
        """Take the drawing of the unit that is due."""
        head = self._plan.popleft() if self._plan else None
        if head is not None and (head.pts, head.place) != (pts, place):
            self.invalidate()
            head = None
        is_late = head is None or head.picture is None
        if head is None:
            self.late["unplanned"] += 1
        elif head.has_failed:
            self.late["failed"] += 1
        elif is_late:
            self.late["slow" if head.is_started else "skipped"] += 1
        else:
            self._shown = head
        if is_late and place is None and (head is None or head.mouth == 0.0):
            # In silence a mouth must not stay open because the machine is busy.
            self._shown = self._shut or self._shown
        shown = self._shown
        if shown is not None and shown.mouth == 0.0:
            self._shut = shown
        picture = self._blank if shown is None or shown.picture is None else shown.picture
        return Taken(head, shown, picture, is_late)

    def invalidate(self) -> None:
        """Forget the plan: what was to come has changed."""
        while self._plan:
            self._drop_last()

    def idle_indexes(self) -> tuple[int, ...]:
        """Which of the coming units are planned without sound, 0 = the next."""
        return tuple(i for i, drawing in enumerate(self._plan) if drawing.place is None)

    def drop_idle(self) -> None:
        """Forget the pictures without sound at the end of the plan: there is sound for them now."""
        while self._plan and self._plan[-1].place is None:
            self._drop_last()

    async def settle(self) -> None:
        """Wait until all that is planned is drawn, however long it takes."""
        self._is_patient = True
        try:
            self.pump()
            await self._drawn()
        finally:
            self._is_patient = False

    async def aclose(self) -> None:
        """Wait for the drawing that runs, then free the renderer; idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        self._plan.clear()
        await asyncio.wrap_future(self._executor.submit(self._renderer.close))

    async def _drawn(self) -> None:
        while self._in_flight is not None and self._future is not None:
            done, _ = await asyncio.wait([asyncio.wrap_future(self._future)])
            for future in done:
                future.exception()

    def _drop_last(self) -> None:
        drawing = self._plan.pop()
        drawing.is_dropped = True
        self.discarded += drawing.is_started

    def _fill(self) -> None:
        # A slow renderer needs to begin earlier, on a unit further away.
        at_least = self._skip() + 1
        while len(self._plan) < MAX_LEAD_UNITS:
            drawing = self._plan_next(self._plan[-1] if self._plan else None, at_least)
            if drawing is None:
                return
            self._plan.append(drawing)

    def _skip(self) -> int:
        if self._is_patient:
            return 0
        return min(int(self._latency_s / _UNIT_S + _MARGIN), MAX_LEAD_UNITS - 1)

    def _choose(self) -> Drawing | None:
        skip = self._skip()
        return next((d for i, d in enumerate(self._plan) if i >= skip and not d.is_started), None)

    def _start(self, drawing: Drawing) -> None:
        drawing.is_started = True
        drawing.asked_s = self._clock.now_s()
        self._in_flight = drawing
        self._future = future = self._executor.submit(self._draw, drawing.face)
        if future.done():
            self._finish(drawing, future)
            return
        loop = asyncio.get_running_loop()

        def on_done(done: Future[tuple[UInt8Array, float]]) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._finish_and_go_on, drawing, done)

        future.add_done_callback(on_done)

    def _draw(self, face: FaceState) -> tuple[UInt8Array, float]:
        """The picture and the seconds it took; runs in the executor."""
        began_s = self._clock.now_s()
        picture = self._renderer.render(face)
        return picture, self._clock.now_s() - began_s

    def _finish_and_go_on(self, drawing: Drawing, future: Future[tuple[UInt8Array, float]]) -> None:
        self._finish(drawing, future)
        self.pump()

    def _finish(self, drawing: Drawing, future: Future[tuple[UInt8Array, float]]) -> None:
        self._in_flight = None
        if future.cancelled():
            drawing.has_failed = True
            return
        error = future.exception()
        if error is not None:
            if not self.late["failed"]:
                log.warning("a picture could not be drawn, the one before stands in", exc_info=error)
            drawing.has_failed = True
            return
        drawing.picture, draw_s = future.result()
        drawing.picture.setflags(write=False)
        self._draw_s = _mean(self._draw_s, draw_s)
        self._latency_s = _mean(self._latency_s, self._clock.now_s() - drawing.asked_s)
        is_overdue = not drawing.is_dropped and drawing not in self._plan
        if is_overdue and (self._shown is None or drawing.pts > self._shown.pts):
            # Too late for its own unit, yet the newest there is for the next that is late.
            self._shown = drawing


def _mean(mean_s: float, new_s: float) -> float:
    # One hiccup must not look like a slow renderer for long.
    return mean_s + _SMOOTHING * (min(new_s, MAX_LEAD_UNITS * _UNIT_S) - mean_s)


def _blank(width_px: int, height_px: int) -> UInt8Array:
    """A dark picture, shown only until the first one is drawn."""
    picture = np.full((height_px * 3 // 2, width_px), 128, dtype=np.uint8)
    picture[:height_px] = 24
    picture.setflags(write=False)
    return picture
