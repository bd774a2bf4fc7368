"""Digests by which a download is verified."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .errors import ChecksumError

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHA1 = re.compile(r"[0-9a-f]{40}")
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Digest:
    """What a file must hash to."""

    algorithm: Literal["sha256", "git-sha1"]
    """git-sha1: the id git gives to a blob, which the hub states for its small files."""
    value: str


def digest_of_etag(etag: str) -> Digest | None:
    """Read the hub's ETag: 64 hex digits are a SHA-256 (large files), 40 a git blob id (small ones)."""
    value = etag.removeprefix("W/").strip('"').lower()
    if _SHA256.fullmatch(value):
        return Digest("sha256", value)
    return Digest("git-sha1", value) if _SHA1.fullmatch(value) else None


def verify(path: Path, expected: Digest, *, num_bytes: int | None) -> int:
    """Read a file and compare; blocks, so call it in a thread.

    Returns:
        Its size in bytes.

    Raises:
        ChecksumError: size or digest differ.
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    if num_bytes is not None and size != num_bytes:
        raise ChecksumError(f"{path.name} has {size} bytes, {num_bytes} were announced; fetch it again")
    if expected.algorithm == "sha256":
        hashing = hashlib.sha256()
    else:
        hashing = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    with path.open("rb") as data:
        while piece := data.read(_PIECE_BYTES):
            hashing.update(piece)
    if hashing.hexdigest() != expected.value:
        raise ChecksumError(
            f"{path.name} does not have the {expected.algorithm} {expected.value[:12]}... that was announced; "
            "nothing was installed. Fetch it again; if it stays so, the hub or a proxy changes files"
        )
    return size
