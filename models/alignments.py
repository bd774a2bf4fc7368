"""Piper voices tell when each sound starts only after a small change to the file, made once.

The change is made by Piper's own tool in a process of its own (Piper is GPL-3, it is never imported here).
"""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Any

from .registry import ModelCard

log = logging.getLogger(__name__)

_TOOL = "piper.patch_voice_with_alignment"
_LIMIT_S = 120.0


async def prepare(card: ModelCard, folder: Path) -> dict[str, Any]:
    """Patch a voice; other models pass. A `download.Prepare`.

    Returns:
        {"has_alignments": bool} for a voice: without, lips follow the sound instead. Never fatal.
    """
    if card.kind != "piper":
        return {}
    return {"has_alignments": await add_alignments(folder / card.main_file)}


async def add_alignments(voice: Path, *, python: str = sys.executable, limit_s: float = _LIMIT_S) -> bool:
    """Run Piper's tool on one .onnx in place; False (and a warning) when it cannot be done."""
    process = await asyncio.create_subprocess_exec(
        python, "-m", _TOOL, str(voice),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(limit_s):
            _, complaint = await process.communicate()
    except TimeoutError:
        complaint = b"it took too long"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == 0:
        return True
    reason = complaint.decode(errors="replace").strip().splitlines()
    log.warning("%s gets no phoneme times (%s); its lips will follow the sound", voice.name, reason[-1:] or "no reason")
    return False
