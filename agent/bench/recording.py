"""What a caller heard and saw, kept small: loudness of each 5 ms, openness of the mouth in each picture."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from avatar.media import Int16Array, UInt8Array

from ..transport.client import HeardSound, SeenPicture
from ..transport.measure import AUDIBLE_RMS, loudness

WINDOW_S = 0.005


@dataclass(frozen=True, slots=True)
class MouthBox:
    """Where the lips are in a 1280x720 picture, px, with room for the jaw."""

    top: int
    bottom: int
    left: int
    right: int


def openness(lips: UInt8Array) -> float:
    """How open a mouth looks: the share of its box that is dark cavity.

    Args:
        lips: luma of the box, uint8[h, w].

    Returns:
        0..1; relative to the box's own skin, so that neither light nor complexion matter.
    """
    skin = float(np.median(lips))
    return float((lips < 0.45 * skin).mean())


@dataclass(slots=True)
class Recording:
    """Traces of one call, on the caller's clock."""

    box: MouthBox
    sound: list[tuple[float, float]] = field(default_factory=list)
    """(s, RMS) of each 5 ms: when its packet came and its place in it."""
    packets: list[tuple[float, int]] = field(default_factory=list)
    """(s, audible 5 ms windows) of each packet of sound."""
    mouth: list[tuple[float, float]] = field(default_factory=list)
    """(s, openness) of each picture as its last packet came."""
    media_sound: list[tuple[int, Int16Array]] = field(default_factory=list)
    media_mouth: list[tuple[int, float]] = field(default_factory=list)
    """The same by RTP time."""
    keeps_media: bool = False

    def on_sound(self, heard: HeardSound) -> None:
        levels = loudness(heard.samples)
        self.packets.append((heard.arrived_s, int((levels > AUDIBLE_RMS).sum())))
        for number, rms in enumerate(levels):
            self.sound.append((heard.arrived_s + number * WINDOW_S, float(rms)))
        if self.keeps_media:
            self.media_sound.append((heard.rtp, heard.samples))

    def on_picture(self, seen: SeenPicture) -> None:
        value = openness(seen.luma(self.box.top, self.box.bottom, self.box.left, self.box.right))
        self.mouth.append((seen.arrived_s, value))
        if self.keeps_media:
            self.media_mouth.append((seen.rtp, value))

    def first_sound_after(self, start_s: float) -> float | None:
        """When the first audible 5 ms after `start_s` came."""
        return next((t for t, rms in self.sound if t >= start_s and rms > AUDIBLE_RMS), None)

    def last_sound_in(self, start_s: float, end_s: float, *, gap_s: float = 0.25) -> float | None:
        """When the sound that was on at `start_s` ended: the end of its last audible 5 ms before a gap."""
        last = None
        for t, rms in self.sound:
            if not start_s - gap_s <= t <= end_s:
                continue
            if rms > AUDIBLE_RMS:
                last = t + WINDOW_S
            elif last is not None and t > start_s and t - last > gap_s:
                break
        return last

    def audible_ms_in_packets(self, start_s: float, end_s: float) -> float:
        """How much sound there was in the packets that came between two moments."""
        return sum(n for t, n in self.packets if start_s < t <= end_s) * WINDOW_S * 1000

    def rest_openness(self) -> float:
        """The mouth's openness at rest: the tenth percentile of all pictures."""
        values = [v for _, v in self.mouth]
        return float(np.percentile(values, 10)) if values else 0.0

    def open_level(self) -> float:
        """Openness from which the mouth counts as moving: a quarter of the way from rest to wide."""
        values = [v for _, v in self.mouth]
        rest = self.rest_openness()
        return rest + 0.25 * (float(np.percentile(values, 95)) - rest) if values else 1.0

    def first_mouth_after(self, start_s: float) -> float | None:
        """When the first picture of an open mouth after `start_s` came."""
        level = self.open_level()
        return next((t for t, v in self.mouth if t >= start_s and v > level), None)

    def last_mouth_in(self, start_s: float, end_s: float, *, gap_s: float = 0.25) -> float | None:
        """When the last picture of an open mouth before a rest came."""
        level, last = self.open_level(), None
        for t, v in self.mouth:
            if not start_s - gap_s <= t <= end_s:
                continue
            if v > level:
                last = t
            elif last is not None and t > start_s and t - last > gap_s:
                break
        return last
