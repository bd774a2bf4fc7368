"""pipecat talks through loguru; we pass its warnings on and keep its chatter out of people's terminals."""

from __future__ import annotations

import sys

from loguru import logger


def quiet_pipecat(is_verbose: bool = False) -> None:
    """Show pipecat's warnings only, or everything."""
    logger.remove()
    logger.add(sys.stderr, level="DEBUG" if is_verbose else "WARNING", format="{level} {message}")
