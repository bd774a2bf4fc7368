"""The data channels of one peer, by label; a caller who does not read cannot fill our memory."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from aiortc import RTCDataChannel

logger = logging.getLogger(__name__)

OnMessage = Callable[[str, str], None]
MAX_MESSAGE_BYTES = 65_536
"""What every browser takes in one message (RFC 8841 section 6.1 gives 64 KiB as the default)."""
MAX_BUFFERED_BYTES = 1_048_576
"""Waiting to be sent on one channel; beyond it messages are dropped."""
MAX_DROPPED_IN_A_ROW = 200
"""Then the channel is closed: whoever is there has stopped reading."""
MAX_CHANNELS = 8


@dataclass(slots=True)
class ChannelCounters:
    """What happened to messages."""

    received: int = 0
    sent: int = 0
    dropped_full: int = 0
    dropped_too_large: int = 0
    refused_in: int = 0
    """Messages or channels of the caller that were too large, not text, or too many."""


class Channels:
    """Channels the caller opened.

    Args:
        on_message: told the label and the text of each message.
        on_open: told the label of each channel that can now be written to.
    """

    def __init__(self, on_message: OnMessage, on_open: Callable[[str], None]) -> None:
        self._on_message = on_message
        self._on_open = on_open
        self._channels: dict[str, RTCDataChannel] = {}
        self._dropped_in_a_row: dict[str, int] = {}
        self.counters = ChannelCounters()

    def add(self, channel: RTCDataChannel) -> None:
        """Take a channel; a second one of the same label replaces the first."""
        label = channel.label
        if label not in self._channels and len(self._channels) >= MAX_CHANNELS:
            self.counters.refused_in += 1
            channel.close()
            return
        self._channels[label] = channel
        self._dropped_in_a_row[label] = 0
        channel.on("message", lambda message: self._receive(label, message))
        if channel.readyState == "open":
            self._on_open(label)
        else:
            channel.on("open", lambda: self._on_open(label))

    @property
    def labels(self) -> tuple[str, ...]:
        """Channels that can be written to."""
        return tuple(label for label, channel in self._channels.items() if channel.readyState == "open")

    def send(self, label: str, text: str) -> bool:
        """Send one message; False when there is no such channel, it is full or the text too large."""
        channel = self._channels.get(label)
        if channel is None or channel.readyState != "open":
            return False
        num_bytes = len(text.encode())
        if num_bytes > MAX_MESSAGE_BYTES:
            self.counters.dropped_too_large += 1
            return False
        if channel.bufferedAmount + num_bytes > MAX_BUFFERED_BYTES:
            self._drop(label, channel)
            return False
        self._dropped_in_a_row[label] = 0
        channel.send(text)
        self.counters.sent += 1
        return True

    def _drop(self, label: str, channel: RTCDataChannel) -> None:
        self.counters.dropped_full += 1
        self._dropped_in_a_row[label] += 1
        if self._dropped_in_a_row[label] == MAX_DROPPED_IN_A_ROW:
            logger.warning("data channel closed: its reader has stopped")
            channel.close()

    def _receive(self, label: str, message: str | bytes) -> None:
        if isinstance(message, bytes):
            try:
                message = message.decode()
            except UnicodeDecodeError:
                self.counters.refused_in += 1
                return
        if len(message.encode("utf-8", "replace")) > MAX_MESSAGE_BYTES:
            self.counters.refused_in += 1
            return
        self.counters.received += 1
        try:
            self._on_message(label, message)
        except Exception:  # the SCTP reader calls us: raising here would end the whole connection
            logger.exception("handling a data channel message failed")
