# Part of the Visavis speech worker, a program of its own. Copyright (C) 2026 the Visavis authors.
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes over the pipes: one JSON header line with a byte count, then that many raw bytes."""

from __future__ import annotations

import json
import os
from typing import Any, BinaryIO

MAX_HEADER_BYTES = 1 << 20
MAX_BODY_BYTES = 1 << 24

Header = dict[str, Any]


class WireError(Exception):
    """The other side does not speak this protocol."""


def read_message(stream: BinaryIO) -> tuple[Header, bytes] | None:
    """Read the next message, or None when the other side has closed.

    Raises:
        WireError: the header is no JSON object or announces an absurd size.
    """
    line = stream.readline(MAX_HEADER_BYTES)
    if not line.endswith(b"\n"):
        return None
    try:
        header = json.loads(line)
        num_bytes = int(header.get("bytes", 0))
    except (ValueError, AttributeError, TypeError) as error:
        raise WireError("a header must be one line of JSON") from error
    if not 0 <= num_bytes <= MAX_BODY_BYTES:
        raise WireError(f"a body of {num_bytes} bytes")
    body = stream.read(num_bytes) if num_bytes else b""
    return (header, body) if len(body) == num_bytes else None


def write_message(descriptor: int, header: Header, body: bytes = b"") -> None:
    """Write one message whole.

    Raises:
        OSError: the other side has gone.
    """
    line = json.dumps({**header, "bytes": len(body)}, separators=(",", ":")).encode() + b"\n"
    left = memoryview(line + body)
    while left:
        left = left[os.write(descriptor, left) :]
