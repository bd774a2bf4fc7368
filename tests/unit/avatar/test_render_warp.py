"""The drawn face: what must shut shuts, what must stand stands, and the fast loops agree with plain arithmetic."""

import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from avatar.errors import RenderError
from avatar.identity import load_identity
from avatar.media import FaceState
from avatar.motion.blendshapes import ARKIT_NAMES, to_weights
from avatar.render.pose import FaceRig
from avatar.render.sheet import POSES, TILE_WIDTH_PX, contact_sheet, pose_state
from avatar.render.warp import WarpRenderer, planes
from tests.fixtures.tiny_face import tiny_identity

pytestmark = pytest.mark.unit
HEADS = [{"yaw_deg": 10.0}, {"yaw_deg": -10.0}, {"pitch_deg": 8.0}, {"pitch_deg": -8.0}, {"roll_deg": 8.0}]
REST = FaceState(weights=np.zeros(52, dtype=np.float32))


def built_in_path() -> Path:
    path = Path(__file__).parents[3] / "avatar/identities/mira/identity.npz"
    if not path.exists():
        pytest.skip(f"no built-in face at {path}")
    return path


@pytest.fixture(scope="module", params=["tiny", "mira"])
def identity(request):
    return tiny_identity() if request.param == "tiny" else load_identity(built_in_path())


@pytest.fixture(scope="module")
def renderer(identity):
    made = WarpRenderer(identity)
    made.render(REST)
    return made


def _state(pose=None, **weights) -> FaceState:
    return FaceState(weights=to_weights(weights), **(pose or {}))


def _gaps(identity, state, pairs) -> np.ndarray:
    points = FaceRig(identity).solve(state).points
    return np.linalg.norm((points[pairs[1]] - points[pairs[0]])[:, :2], axis=1)


def _lips(identity):
    return identity.lips_upper, identity.lips_lower


@pytest.mark.parametrize("jaw", [0.0, 0.06, 0.15, 0.3])
@pytest.mark.parametrize(
    "other", [{}, {"mouthPress": 0.5, "mouthRollUpper": 0.2}, {"mouthFunnel": 0.5}, {"mouthSmile": 1.0}]
)
def test_lips_meet_on_p_b_m_whatever_the_jaw_does(identity, jaw, other):
    assert _gaps(identity, _state(mouthClose=1.0, jawOpen=jaw, **other), _lips(identity)).max() <= 1.0


def test_nothing_shows_between_sealed_lips(identity, renderer):
    sealed, shut = renderer.render(_state(mouthClose=1.0, jawOpen=0.3)), renderer.render(REST)
    points = FaceRig(identity).solve(_state(mouthClose=1.0, jawOpen=0.3)).points[identity.lips_upper, :2]
    at_rest = identity.vertices[identity.lips_upper, :2]
    for (x, y), (u, v) in zip(points[2:-2], at_rest[2:-2], strict=True):
        line = planes(sealed)[0][int(y) - 2 : int(y) + 3, int(x)]
        was = planes(shut)[0][int(v) - 2 : int(v) + 3, int(u)]
        # No dark slit and no tooth: the line between the lips is as dark and as bright as at rest.
        assert int(line.min()) >= int(was.min()) - 25 and int(line.max()) <= int(was.max()) + 25


def test_the_jaw_opens_the_mouth_further_and_further(identity):
    gaps = [_gaps(identity, _state(jawOpen=j), _lips(identity)).max() for j in np.linspace(0, 1, 11)]
    assert (np.diff(gaps) > 0).all()
    assert 0.10 <= (gaps[-1] - gaps[0]) / identity.face_height_px <= 0.22


def test_lips_never_cross(identity):
    for weights in ({"mouthFrown": 1.0, "mouthShrugLower": 1.0}, {"mouthPress": 1.0, "mouthRollLower": 1.0}):
        points = FaceRig(identity).solve(_state(**weights)).points
        assert (points[identity.lips_lower, 1] - points[identity.lips_upper, 1]).min() >= -0.5


@pytest.mark.parametrize("eye", [0, 1])
@pytest.mark.parametrize("other", [{}, {"eyeWide": 1.0}, {"eyeSquint": 1.0}, {"browDown": 1.0}])
def test_a_blink_shuts_the_eye(identity, eye, other):
    pairs = identity.lids_upper[eye], identity.lids_lower[eye]
    assert _gaps(identity, _state(eyeBlink=1.0, **other), pairs).max() <= 1.0


@pytest.mark.parametrize("eye", [0, 1])
def test_half_a_blink_is_half_an_eye(identity, eye):
    pairs = identity.lids_upper[eye], identity.lids_lower[eye]
    half, full = _gaps(identity, _state(eyeBlink=0.5), pairs).max(), _gaps(identity, REST, pairs).max()
    assert 0.45 <= half / full <= 0.60


def test_one_state_gives_one_picture_whatever_came_before(identity, renderer):
    state = _state({"yaw_deg": 6.0, "breath": 0.7, "gaze_x": 0.5}, jawOpen=0.4, eyeBlink=0.3)
    first = renderer.render(state)
    for name in ("roll", "AA", "blink"):
        renderer.render(pose_state(name, ARKIT_NAMES))
    np.testing.assert_array_equal(first, renderer.render(state))
    np.testing.assert_array_equal(first, WarpRenderer(identity).render(state))


def test_a_frame_given_is_the_frame_filled(identity, renderer):
    out = np.full((renderer.height_px * 3 // 2, renderer.width_px), 7, dtype=np.uint8)
    assert renderer.render(REST, out) is out
    np.testing.assert_array_equal(out, renderer.render(REST))


def test_the_portrait_at_rest_is_the_portrait(identity, renderer):
    y = planes(renderer.render(REST))[0].astype(float)
    plate, bg = planes(identity.plate_i420)[0], planes(identity.bg_i420)[0]
    a = identity.alpha / 255.0
    portrait = plate * a + bg * (1 - a)
    skin = np.ones(y.shape, dtype=bool)
    for x, top in identity.eye_origin:
        skin[top : top + identity.eyeballs.shape[1], x : x + identity.eyeballs.shape[2]] = False
    error = np.mean((y - portrait)[skin] ** 2)
    assert 10 * np.log10(255**2 / max(error, 1e-9)) >= 50.0


@pytest.mark.parametrize("pose", HEADS)
def test_the_background_stands_still(identity, renderer, pose):
    moved = planes(renderer.render(_state({**pose, "breath": 1.0}, jawOpen=0.5)))
    bg = planes(identity.bg_i420)
    # Where a head turned this far can never come: beyond 60 px (at a 300 px face) of any person at rest.
    reach = int(60 * identity.face_height_px / 300) + 4
    near = identity.alpha > 0
    for axis in (0, 1):
        near = (
            np.array([np.convolve(line, np.ones(2 * reach + 1), "same") > 0 for line in near.T]).T
            if axis == 0
            else np.array([np.convolve(line, np.ones(2 * reach + 1), "same") > 0 for line in near])
        )
    far = ~near
    assert far.any() or identity.meta.name == "tiny"
    np.testing.assert_array_equal(moved[0][far], bg[0][far])
    np.testing.assert_array_equal(moved[1][far[::2, ::2]], bg[1][far[::2, ::2]])


def test_a_straight_line_behind_the_head_stays_straight(identity, renderer):
    """Background next to the head comes from the plate behind it, at its place, not bent with the head."""
    pose = {"roll_deg": 8.0}
    y, bg = planes(renderer.render(_state(pose)))[0], planes(identity.bg_i420)[0]
    rows = slice(16, int(identity.vertices[identity.oval, 1].max()) - 20)
    still = (y == bg)[rows].mean()
    assert still >= (identity.alpha[rows] == 0).mean() * 0.93


@pytest.mark.parametrize("pose", [*HEADS, {"breath": 1.0, "shift_y_px": 20.0}])
def test_the_border_is_never_touched(identity, renderer, pose):
    still, moved = renderer.render(REST), renderer.render(_state(pose, jawOpen=1.0))
    for before, after, margin in zip(planes(still), planes(moved), (16, 8, 8), strict=True):
        inner = np.zeros(before.shape, dtype=bool)
        inner[margin:-margin, margin:-margin] = True
        np.testing.assert_array_equal(before[~inner], after[~inner])


def test_gaze_moves_nothing_but_the_eyes(identity, renderer):
    still, moved = planes(renderer.render(REST))[0], planes(renderer.render(_state({"gaze_x": 0.8})))[0]
    y, x = np.nonzero(still != moved)
    assert len(x) > 20
    for eye in (0, 1):
        lids = identity.vertices[np.concatenate([identity.lids_upper[eye], identity.lids_lower[eye]]), :2]
        low, high = lids.min(axis=0) - 3, lids.max(axis=0) + 3
        away = (x < low[0]) | (x > high[0]) | (y < low[1]) | (y > high[1])
        x, y = x[away], y[away]
    assert len(x) == 0


def test_signs_of_the_head(identity):
    rig = FaceRig(identity)
    nearest = int(identity.vertices[:, 2].argmin())
    rest = rig.solve(REST).points[nearest]
    assert rig.solve(_state({"yaw_deg": 8.0})).points[nearest, 0] > rest[0] + 1
    assert rig.solve(_state({"pitch_deg": 8.0})).points[nearest, 1] > rest[1] + 1
    top = int(identity.vertices[:, 1].argmin())
    assert rig.solve(_state({"roll_deg": 8.0})).points[top, 0] > identity.vertices[top, 0] + 1


def test_eyes_look_where_gaze_says(identity, renderer):
    """The dark of the iris moves to the picture's right for gaze_x > 0, up for gaze_y > 0."""

    def iris(**gaze):
        x, y, r = identity.iris[1]
        box = planes(renderer.render(_state(gaze)))[0][int(y - r) : int(y + r), int(x - 2 * r) : int(x + 2 * r)]
        dark = 255.0 - box.astype(float)
        dark *= dark > np.percentile(dark, 75)
        grid = np.mgrid[0 : box.shape[0], 0 : box.shape[1]]
        return (grid[1] * dark).sum() / dark.sum(), (grid[0] * dark).sum() / dark.sum()

    assert iris(gaze_x=0.6)[0] > iris()[0] + 0.5 > iris(gaze_x=-0.6)[0] + 1.0


def test_a_ramp_moves_nothing_by_leaps(identity):
    rig = FaceRig(identity)
    for name in ("jawOpen", "mouthPucker", "mouthClose", "mouthRollLower", "eyeBlinkLeft", "mouthSmileLeft"):
        ramp = [
            rig.solve(_state(jawOpen=0.3, **({name: v} if name != "jawOpen" else {}))).points
            for v in np.linspace(0, 1, 51)
        ]
        assert np.abs(np.diff([p[:, :2] for p in ramp], axis=0)).max() <= 2.0, name


def test_a_picture_costs_no_memory(renderer):
    out = np.empty((renderer.height_px * 3 // 2, renderer.width_px), dtype=np.uint8)
    state = _state({"yaw_deg": 3.0, "breath": 1.0}, jawOpen=0.4, eyeBlink=0.5)
    renderer.render(state, out)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        renderer.render(state, out)
        # All that lives at once, so no single array is larger either.
        assert tracemalloc.get_traced_memory()[1] - before <= 64_000
    finally:
        tracemalloc.stop()


def test_two_calls_share_one_identity(identity):
    states = [_state({"yaw_deg": float(i)}, jawOpen=i / 8) for i in range(-4, 5)]
    wanted = [WarpRenderer(identity).render(s) for s in states]
    got: dict[int, list[np.ndarray]] = {}

    def call(k: int) -> None:
        renderer = WarpRenderer(identity)
        got[k] = [renderer.render(s) for s in states]

    threads = [threading.Thread(target=call, args=(k,)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for pictures in got.values():
        for a, b in zip(wanted, pictures, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "weights",
    [np.zeros(51, dtype=np.float32), np.zeros((52, 1), dtype=np.float32), np.full(52, np.nan, dtype=np.float32)],
)
def test_bad_weights_are_refused(renderer, weights):
    with pytest.raises(RenderError, match="52 finite numbers"):
        renderer.render(FaceState(weights=weights))


@pytest.mark.parametrize("field", ["yaw_deg", "shift_x_px", "gaze_y", "breath"])
def test_a_pose_that_is_no_number_is_refused(renderer, field):
    with pytest.raises(RenderError, match="finite"):
        renderer.render(_state({field: float("nan")}))


def test_a_wrong_frame_is_refused(renderer):
    with pytest.raises(RenderError, match="contiguous uint8"):
        renderer.render(REST, np.zeros((4, 4), dtype=np.uint8))


def test_the_contact_sheet_has_every_pose(identity, renderer):
    sheet = contact_sheet(renderer, identity)
    assert len(POSES) == 24
    assert sheet.dtype == np.uint8 and sheet.shape[1] == 6 * TILE_WIDTH_PX and sheet.shape[0] % 4 == 0
    tiles = [t for row in np.split(sheet, 4) for t in np.split(row, 6, axis=1)]
    assert all((a[40:] != tiles[0][40:]).any() for a in tiles[1:])
