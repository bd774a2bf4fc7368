"""Units into a video file: H264 and AAC in MP4, placed by the same ticks as on the wire."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from avatar.media import MEDIA_CLOCK_RATE, UNIT_TICKS, VIDEO_FPS, AVUnit

from ..errors import TransportError

AUDIO_BIT_RATE = 128_000
AAC_FRAME = 1024
"""Samples an AAC frame holds (ISO/IEC 14496-3)."""


class Mp4Writer:
    """Writes units in order; the file gets its name only when it is complete.

    Args:
        path: the file to write; its folder must exist.
        width_px: of the pictures.
        height_px: of the pictures.

    Raises:
        TransportError: the file cannot be written.
    """

    def __init__(self, path: Path, *, width_px: int, height_px: int) -> None:
        self._path = path
        self._part = path.with_name(path.name + ".part")
        try:
            self._container = av.open(str(self._part), "w", format="mp4", options={"movflags": "+faststart"})
        except OSError as error:
            raise TransportError(f"cannot write {path}: {error.strerror or error}", code="output_unwritable") from error
        self._video = self._container.add_stream("libx264", rate=VIDEO_FPS)
        self._video.width, self._video.height, self._video.pix_fmt = width_px, height_px, "yuv420p"
        self._video.time_base = Fraction(1, MEDIA_CLOCK_RATE)
        self._video.options = {"preset": "veryfast", "crf": "18"}
        self._audio = self._container.add_stream("aac", rate=MEDIA_CLOCK_RATE)
        self._audio.bit_rate, self._audio.layout = AUDIO_BIT_RATE, "mono"
        self._sound = np.zeros(0, np.int16)
        self._num_ticks = 0
        self._num_units = 0

    def write(self, unit: AVUnit) -> None:
        """Append one unit."""
        picture = av.VideoFrame.from_ndarray(unit.frame.i420, format="yuv420p")
        picture.pts, picture.time_base = self._num_units * UNIT_TICKS, Fraction(1, MEDIA_CLOCK_RATE)
        self._container.mux(self._video.encode(picture))
        self._num_units += 1
        self._sound = np.concatenate([self._sound, unit.samples])
        while len(self._sound) >= AAC_FRAME:
            self._write_sound(self._sound[:AAC_FRAME])
            self._sound = self._sound[AAC_FRAME:]

    def close(self) -> None:
        """Finish the file."""
        if len(self._sound):
            self._write_sound(self._sound)
        self._container.mux(self._video.encode(None))
        self._container.mux(self._audio.encode(None))
        self._container.close()
        self._part.replace(self._path)

    def abort(self) -> None:
        """Leave nothing behind."""
        self._container.close()
        self._part.unlink(missing_ok=True)

    def _write_sound(self, samples: np.ndarray) -> None:
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = MEDIA_CLOCK_RATE, self._num_ticks, Fraction(1, MEDIA_CLOCK_RATE)
        self._num_ticks += len(samples)
        self._container.mux(self._audio.encode(frame))
