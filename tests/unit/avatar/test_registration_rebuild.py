"""Drawing Mira again gives the committed face; takes some seconds, so it is no unit test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avatar.identity import load_identity

pytestmark = pytest.mark.contract
FOLDER = Path(__file__).resolve().parents[3] / "avatar" / "identities" / "mira"


def test_rebuild_gives_the_committed_identity() -> None:
    pytest.importorskip("skia", reason="drawing needs the dependency group 'draw' (skia-python)")
    from avatar.registration.build import prepare
    from avatar.registration.drawn.look import MIRA
    from avatar.registration.drawn.person import draw

    drawing = draw(MIRA)
    made, committed = (
        prepare("mira", drawing, drawing.portrait().shrunk()[..., :3]),
        load_identity(FOLDER / "identity.npz"),
    )
    for name in ("plate_i420", "bg_i420", "alpha", "teeth_upper", "teeth_lower", "tongue", "eyeballs", "lashes"):
        error = np.abs(getattr(made, name).astype(int) - getattr(committed, name).astype(int))
        # Another processor or skia may round a shade otherwise, never move an edge.
        assert error.mean() <= 0.05 and (error > 8).mean() <= 0.001, name
    for name in ("vertices", "deltas", "seal_upper", "seal_lower", "lid_upper", "lid_lower", "head_weight", "iris"):
        assert np.allclose(getattr(made, name), getattr(committed, name), atol=1e-3), name
    assert np.array_equal(made.triangles, committed.triangles)
