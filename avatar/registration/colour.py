"""RGB to the studio-range YUV (BT.601) of our frames."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..media import UInt8Array

RGB_TO_YUV = np.array([[0.257, 0.504, 0.098], [-0.148, -0.291, 0.439], [0.439, -0.368, -0.071]])
YUV_OFFSET = np.array([16.0, 128.0, 128.0])


def to_yuv(rgb: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """float64[..., 3] YUV from RGB 0..255."""
    yuv: npt.NDArray[np.float64] = np.asarray(rgb, np.float64) @ RGB_TO_YUV.T + YUV_OFFSET
    return yuv


def to_i420(rgb: npt.NDArray[np.generic]) -> UInt8Array:
    """I420 of a picture with even sides; chroma is the mean of 2x2 pixels.

    Args:
        rgb: [height, width, 3], 0..255.

    Returns:
        uint8[height * 3 // 2, width].
    """
    yuv = to_yuv(rgb)
    height, width = yuv.shape[:2]
    chroma = yuv[..., 1:].reshape(height // 2, 2, width // 2, 2, 2).mean(axis=(1, 3))
    planes = [yuv[..., 0].ravel(), chroma[..., 0].ravel(), chroma[..., 1].ravel()]
    return _bytes(np.concatenate(planes)).reshape(height * 3 // 2, width)


def premultiplied(rgba: npt.NDArray[np.generic]) -> UInt8Array:
    """uint8[h, w, 4] premultiplied YUVA from straight RGBA 0..255."""
    alpha = np.asarray(rgba[..., 3:], np.float64)
    return _bytes(np.concatenate([to_yuv(rgba[..., :3]) * alpha / 255, alpha], axis=2))


def yuv_bytes(rgb: npt.NDArray[np.generic]) -> UInt8Array:
    """uint8[..., 3] YUV from RGB 0..255."""
    return _bytes(to_yuv(rgb))


def _bytes(values: npt.NDArray[np.float64]) -> UInt8Array:
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)
