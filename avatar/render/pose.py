"""From weights, pose and breath to where every point of the face is: linear sum first, then the exact operators.

Lip seal and blink come after the sum because they must shut whatever the other weights did.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import RenderError
from ..identity import Identity
from ..media import NUM_BLENDSHAPES, FaceState, Float32Array

YAW_LIMIT_DEG: Final = 10.0
PITCH_LIMIT_DEG: Final = 8.0
ROLL_LIMIT_DEG: Final = 8.0
"""Beyond these a single picture has nothing to show behind the far cheek."""
BREATH_PX: Final = 2.2
"""Rise of the chest at a face height of 300 px; the head takes HEAD_BREATH of it."""
HEAD_BREATH: Final = 0.35
UPPER_LIP_SHARE: Final = 0.28
"""Of the way the lips have to go to meet; the jaw carries the rest."""
UPPER_LID_SHARE: Final = 0.90
LID_PRESS: Final = 0.02
"""Of the opening, how far shut lids pass each other, so that no eye white is left between them."""
ROUNDING: Final = 0.45
"""Of the way from the lips as they are to an ellipse; much more flattens the lower lip into a box."""
SEAL_OVERLAP_PX: Final = 0.4
"""How far each lip of a portrait with an open mouth passes the meeting line, to hide the teeth at its edge."""
Affine = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the face is in one picture."""

    points: Float32Array
    """float32[468, 3] canvas px."""
    outline_shift: Float32Array
    """float32[36, 3] px: how expression moved the face outline, head frame."""
    turn: Float32Array
    """float32[3, 3] rotation of the head."""
    offset: Float32Array
    """float32[3] px: a skull point p goes to turn @ p + offset."""
    jaw_shift: Float32Array
    """float32[3] px: how far the jaw has moved, head frame."""
    breath_px: float
    """Rise of the chest."""
    weights: Float32Array
    """float32[52] after the rest offset."""
    gaze: tuple[float, float]
    """x to the subject's left, y up, -1..1."""


def _settled(spread: Float32Array, own: npt.NDArray[np.int32]) -> Float32Array:
    """Sharpen a spread float32[468, n] so that each of its own points goes exactly as far as asked.

    Neighbours share weight, so a plain product falls short; the inverse undoes the sharing. Where points
    share too much for that (condition over 100 would throw far vertices about), damped.
    """
    at_points = spread[own].astype(np.float64)
    left, size, right = np.linalg.svd(at_points)
    inverse = right.T @ np.diag(1.0 / np.maximum(size, size[0] / 100.0)) @ left.T
    return np.ascontiguousarray(spread @ inverse, dtype=np.float32)


class FaceRig:
    """Solves one face's pose; holds only constants of the identity."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._column = {name: i for i, name in enumerate(identity.meta.shape_names)}
        self._deltas = identity.deltas.reshape(NUM_BLENDSHAPES, -1)
        self._scale = identity.face_height_px / 300.0
        self._px = identity.meta.height_px / 720.0
        across = identity.vertices[identity.lips_upper, 0]
        rest_gap = identity.vertices[identity.lips_lower, 1] - identity.vertices[identity.lips_upper, 1]
        # Lips drawn or photographed shut meet along one edge of the mesh and need no overlap.
        is_open = float(rest_gap.max()) > 0.02 * float(across[-1] - across[0])
        self._overlap_px = np.float32(SEAL_OVERLAP_PX * self._scale if is_open else 0.0)
        self._has_rest = bool(np.any(identity.rest_weights))
        self._seal_upper = _settled(identity.seal_upper, identity.lips_upper)
        self._seal_lower = _settled(identity.seal_lower, identity.lips_lower)
        self._lid_upper = [_settled(identity.lid_upper[eye], identity.lids_upper[eye]) for eye in (0, 1)]
        self._lid_lower = [_settled(identity.lid_lower[eye], identity.lids_lower[eye]) for eye in (0, 1)]
        jaw = [self._column[name] for name in ("jawOpen", "jawLeft", "jawRight", "jawForward")]
        self._jaw_columns = np.array(jaw)
        # The middle of the lower lip goes wholly with the jaw, and lies where the lower teeth are.
        self._jaw_deltas = np.ascontiguousarray(identity.deltas[jaw, identity.lips_lower[5]])
        middle, half = (across[0] + across[-1]) / 2, max(float(across[-1] - across[0]) / 2, 1.0)
        self._bow = np.sqrt(np.clip(1.0 - ((across - middle) / half) ** 2, 0.0, 1.0)).astype(np.float32)

    def weight(self, weights: Float32Array, name: str) -> float:
        """One weight by its name."""
        return float(weights[self._column[name]])

    def both(self, weights: Float32Array, name: str) -> float:
        """Mean of a left and a right weight."""
        return 0.5 * (self.weight(weights, name + "Left") + self.weight(weights, name + "Right"))

    def solve(self, state: FaceState) -> Pose:
        """Where everything is for a state.

        Raises:
            RenderError: weights are not 52 finite numbers, or another value is not finite.
        """
        given = np.asarray(state.weights, dtype=np.float32)
        if given.shape != (NUM_BLENDSHAPES,) or not np.isfinite(given).all():
            raise RenderError(f"weights: {NUM_BLENDSHAPES} finite numbers expected, got shape {given.shape}")
        head = (state.yaw_deg, state.pitch_deg, state.roll_deg, state.shift_x_px, state.shift_y_px)
        if not all(map(math.isfinite, (*head, state.gaze_x, state.gaze_y, state.breath))):
            raise RenderError("pose, gaze and breath must be finite numbers")
        weights = self._with_rest(np.clip(given, 0.0, 1.0))
        face = self._identity.vertices + (weights @ self._deltas).reshape(-1, 3)
        gaze = self._gaze(state, weights)
        self._round(face, weights)
        self._seal(face, self.weight(weights, "mouthClose"))
        for eye, side in enumerate(("Right", "Left")):
            self._lids(face, eye, side, weights, gaze[1])
        outline = (face - self._identity.vertices)[self._identity.oval]
        turn, offset, breath_px = self._rigid(state)
        return Pose(
            points=face @ turn.T + offset, outline_shift=outline, turn=turn, offset=offset, breath_px=breath_px,
            jaw_shift=weights[self._jaw_columns] @ self._jaw_deltas, weights=weights, gaze=gaze,
        )  # fmt: skip

    def _with_rest(self, weights: Float32Array) -> Float32Array:
        """Add the rest offset: it fades with a smile, its lip seal as the mouth opens."""
        if not self._has_rest:
            return weights
        rest, close = self._identity.rest_weights, self._column["mouthClose"]
        left = 1.0 - min(1.0, self.both(weights, "mouthSmile"))
        opening = min(
            1.0,
            2.2 * self.weight(weights, "jawOpen") + 0.6 * self.both(weights, "mouthUpperUp")
            + 0.6 * self.both(weights, "mouthLowerDown") + 0.6 * self.weight(weights, "tongueOut"),
        )  # fmt: skip
        result: Float32Array = weights + rest * np.float32(left)
        seal = float(rest[close]) * left * (1.0 - opening)
        pucker = min(0.85, 0.9 * left * self.weight(weights, "mouthPucker")) if rest[close] > 0 else 0.0
        result[close] = max(float(weights[close]), seal, pucker)
        return result

    def _gaze(self, state: FaceState, weights: Float32Array) -> tuple[float, float]:
        get = self.weight
        x = state.gaze_x + 0.5 * (
            get(weights, "eyeLookOutLeft") + get(weights, "eyeLookInRight")
            - get(weights, "eyeLookInLeft") - get(weights, "eyeLookOutRight")
        )  # fmt: skip
        y = state.gaze_y + self.both(weights, "eyeLookUp") - self.both(weights, "eyeLookDown")
        return min(max(x, -1.0), 1.0), min(max(y, -1.0), 1.0)

    def _round(self, face: Float32Array, weights: Float32Array) -> None:
        """Rounded lips: the opening goes towards an ellipse; without this it stays a smile with pointed corners."""
        amount = min(1.0, self.weight(weights, "mouthPucker") + 0.8 * self.weight(weights, "mouthFunnel"))
        if amount <= 0.0:
            return
        upper, lower = face[self._identity.lips_upper, 1], face[self._identity.lips_lower, 1]
        half = 0.5 * float((lower - upper).max())
        if half <= 0.0:
            return
        # Shut lips keep their line; from an opening of 5 px on the ellipse has its full share.
        share = np.float32(ROUNDING * amount * min(1.0, half / (2.5 * self._scale)))
        middle = 0.5 * float(upper[5] + lower[5])
        up, down = (middle - half * self._bow - upper) * share, (middle + half * self._bow - lower) * share
        # The corners belong to both lips, each takes half.
        up[[0, -1]] *= np.float32(0.5)
        down[[0, -1]] *= np.float32(0.5)
        face[:, 1] += self._seal_upper @ up + self._seal_lower @ down

    def _seal(self, face: Float32Array, amount: float) -> None:
        """mouthClose: bring the lips together, whatever opened them; and never let them cross."""
        gap = face[self._identity.lips_lower] - face[self._identity.lips_upper]
        share = np.where(gap[:, 1:2] < 0.0, np.float32(1.0), np.float32(amount))
        if not share.any():
            return
        way = gap * share
        up, down = way * np.float32(UPPER_LIP_SHARE), way * np.float32(UPPER_LIP_SHARE - 1.0)
        up[1:-1, 1] += self._overlap_px * share[1:-1, 0]
        down[1:-1, 1] -= self._overlap_px * share[1:-1, 0]
        face += self._seal_upper @ up + self._seal_lower @ down

    def _lids(self, face: Float32Array, eye: int, side: str, weights: Float32Array, gaze_y: float) -> None:
        """Blink, squint and the lids' following of the gaze, along the actual opening."""
        blink = self.weight(weights, "eyeBlink" + side) + 0.35 * max(0.0, -gaze_y)
        squint, blink = self.weight(weights, "eyeSquint" + side), min(1.0, blink)
        lift = max(0.0, gaze_y) * (1.0 - blink)
        fall = UPPER_LID_SHARE * blink + 0.10 * squint * (1.0 - blink) - 0.16 * lift
        # The last tenth presses the lids together.
        fall += LID_PRESS * max(0.0, blink - 0.9) * 10.0
        rise = 0.10 * blink + 0.34 * squint * (1.0 - blink)
        if fall == 0.0 and rise == 0.0:
            return
        gap = face[self._identity.lids_lower[eye]] - face[self._identity.lids_upper[eye]]
        face += self._lid_upper[eye] @ (gap * np.float32(fall)) - self._lid_lower[eye] @ (gap * np.float32(rise))

    def _rigid(self, state: FaceState) -> tuple[Float32Array, Float32Array, float]:
        """Rotation about the neck, offset, and how far the chest has risen."""
        pitch = _radians(state.pitch_deg, PITCH_LIMIT_DEG)
        yaw = -_radians(state.yaw_deg, YAW_LIMIT_DEG)
        roll = _radians(state.roll_deg, ROLL_LIMIT_DEG)
        (cp, sp), (cy, sy), (cr, sr) = ((math.cos(a), math.sin(a)) for a in (pitch, yaw, roll))
        about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
        about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        turn = about_z @ about_x @ about_y
        pivot = self._identity.pivot.astype(np.float64)
        breath_px = min(max(state.breath, -1.0), 1.0) * BREATH_PX * self._scale
        shift = np.array([state.shift_x_px * self._px, state.shift_y_px * self._px - HEAD_BREATH * breath_px, 0.0])
        return turn.astype(np.float32), (pivot - turn @ pivot + shift).astype(np.float32), breath_px


def _radians(angle_deg: float, limit_deg: float) -> float:
    return math.radians(min(max(angle_deg, -limit_deg), limit_deg))


def to_source(pose: Pose, depth_px: float, shift: Float32Array | None = None) -> Affine:
    """Inverse of the head's motion for points at one depth.

    Args:
        pose: the head.
        depth_px: z at rest.
        shift: float32[3] px, an own motion in the head frame (the jaw's).

    Returns:
        float64[2, 3]: canvas point now -> canvas point at rest.
    """
    (a, b, e), (c, d, f), _ = pose.turn.tolist()
    x, y, _ = pose.offset.tolist()
    mx, my, mz = (0.0, 0.0, 0.0) if shift is None else shift.tolist()
    x, y = x + a * mx + b * my + e * (mz + depth_px), y + c * mx + d * my + f * (mz + depth_px)
    k = 1.0 / (a * d - b * c)
    return np.array([[d * k, -b * k, (b * y - d * x) * k], [-c * k, a * k, (c * x - a * y) * k]])
