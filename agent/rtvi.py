"""The dialect of pipecat's own clients on a data channel (RTVI 2): our events inside it, and theirs. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

LABEL = "rtvi-ai"
OURS = "visavis"
"""Marks what is not RTVI's own: `server-message` {t, event} from us, `client-message` {t, d} to us."""
PEER_LEFT: dict[str, Any] = {"type": "signalling", "message": {"type": "peerLeft"}}
"""The small-webrtc transport's word for "the bot has hung up"; without it the client tries to reconnect."""


def server_message(event: Mapping[str, Any]) -> dict[str, Any]:
    """One of our own events for a client of pipecat."""
    return {"label": LABEL, "type": "server-message", "data": {"t": OURS, "event": event}}


def read(text: str) -> dict[str, Any] | None:
    """An RTVI message, or None for what is none: pings, track states, nonsense."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) and message.get("label") == LABEL else None


def own_event(message: Mapping[str, Any]) -> str | None:
    """Our own event inside a client's message, as JSON, or None when it holds none."""
    data = message.get("data")
    if message.get("type") != "client-message" or not isinstance(data, dict) or data.get("t") != OURS:
        return None
    return json.dumps(data.get("d"))


def ends_call(message: Mapping[str, Any]) -> bool:
    """Whether the client asks the bot to leave."""
    return message.get("type") == "disconnect-bot"
