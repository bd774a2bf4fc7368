"""The port behind which every way of drawing a face stands."""

from __future__ import annotations

from typing import Protocol

from ..media import FaceState, UInt8Array


class Renderer(Protocol):
    """Draws one face for one call; not shared between threads."""

    @property
    def width_px(self) -> int: ...

    @property
    def height_px(self) -> int: ...

    def render(self, state: FaceState, out: UInt8Array | None = None) -> UInt8Array:
        """Draw one picture.

        Args:
            state: weights, pose, gaze, breath.
            out: uint8[height * 3 // 2, width] to write into, or None for a new array.

        Returns:
            The I420 picture, owned by the caller; the renderer keeps no reference to it.

        Raises:
            RenderError: the state has the wrong shape.
        """
        ...

    def close(self) -> None:
        """Free what the renderer holds; idempotent."""
        ...
