"""Visavis, the conversation: personas, calls, the server. What is listed here is public."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["Caller", "Persona", "Session", "load_persona", "serve"]

_HOMES = {
    "Caller": ("agent.transport.client", "Caller"),
    "Persona": ("agent.persona.schema", "Persona"),
    "Session": ("agent.session", "Session"),
    "load_persona": ("agent.persona.load", "load"),
    "serve": ("agent.server.serve", "serve"),
}


def __getattr__(name: str) -> Any:
    """Import what is asked for: `visavis --help` must not load a neural net."""
    if name not in _HOMES:
        raise AttributeError(f"module 'agent' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)
