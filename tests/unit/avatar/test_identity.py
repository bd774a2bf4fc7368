"""One file per prepared face: the same bytes again, and a plain word when it cannot be read."""

import json
import time
from dataclasses import fields, replace

import numpy as np
import pytest

from avatar.errors import IdentityError
from avatar.identity import Identity, load_identity, save_identity
from tests.fixtures.tiny_face import tiny_identity

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def tiny():
    return tiny_identity()


def _arrays(identity: Identity):
    return {f.name: getattr(identity, f.name) for f in fields(identity) if f.name != "meta"}


def test_what_was_saved_comes_back(tiny, tmp_path):
    save_identity(tiny, tmp_path / "identity.npz")
    again = load_identity(tmp_path / "identity.npz")
    assert again.meta == tiny.meta
    for name, array in _arrays(tiny).items():
        np.testing.assert_array_equal(getattr(again, name), array, err_msg=name)


def test_the_same_face_gives_the_same_bytes_and_no_crumbs(tiny, tmp_path):
    save_identity(tiny, tmp_path / "a.npz")
    save_identity(load_identity(tmp_path / "a.npz"), tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.npz", "b.npz"]


def test_arrays_cannot_be_written(tiny):
    for name, array in _arrays(tiny).items():
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
        assert array.flags.c_contiguous, name


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(IdentityError, match="no prepared face"):
        load_identity(tmp_path / "nobody.npz")


@pytest.mark.parametrize("damage", ["cut", "noise", "empty"])
def test_a_damaged_file_says_so(tiny, tmp_path, damage):
    path = tmp_path / "identity.npz"
    save_identity(tiny, path)
    data = path.read_bytes()
    middle = len(data) // 2
    broken = {"cut": data[:middle], "noise": data[:middle] + b"\x55" * 400 + data[middle + 400 :], "empty": b""}
    path.write_bytes(broken[damage])
    with pytest.raises(IdentityError, match="prepare the portrait again"):
        load_identity(path)


def test_another_version_says_which(tiny, tmp_path):
    path = tmp_path / "identity.npz"
    save_identity(tiny, path)
    with np.load(path) as file:
        arrays = dict(file)
    meta = json.loads(arrays["meta"].tobytes())
    arrays["meta"] = np.frombuffer(json.dumps({**meta, "version": 99}).encode(), dtype=np.uint8)
    np.savez(path, **arrays)
    with pytest.raises(IdentityError, match="version 99, this program reads 1"):
        load_identity(path)


def test_pickled_objects_are_refused(tmp_path):
    path = tmp_path / "identity.npz"
    np.savez(path, meta=np.array([{"version": 1}], dtype=object))
    with pytest.raises(IdentityError):
        load_identity(path)


@pytest.mark.parametrize(
    ("name", "change", "text"),
    [
        ("alpha", lambda a: a[:-2], "alpha"),
        ("deltas", lambda a: a.astype(np.float64), "float32"),
        ("head_weight", lambda a: a[:, :-1], "head_weight"),
        ("tongue", lambda a: a[1:], "HM"),
        ("triangles", lambda a: a + 468, "0..467"),
    ],
)
def test_a_wrong_array_is_named(tiny, name, change, text):
    with pytest.raises(IdentityError, match=text):
        replace(tiny, **{name: np.ascontiguousarray(change(getattr(tiny, name)))})


def test_the_built_in_face_loads_fast():
    from tests.unit.avatar.test_render_warp import built_in_path

    path = built_in_path()
    load_identity(path)
    spent = []
    for _ in range(3):
        before = time.thread_time()
        load_identity(path)
        spent.append(time.thread_time() - before)
    # 50 ms on a quiet machine; three times that where eight jobs share two cores.
    assert min(spent) < 0.15
