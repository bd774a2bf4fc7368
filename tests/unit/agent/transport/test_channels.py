"""Messages: bounded both ways, and a faulty handler harms nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agent.transport.channels import MAX_BUFFERED_BYTES, MAX_CHANNELS, MAX_DROPPED_IN_A_ROW, Channels

pytestmark = pytest.mark.unit


class FakeChannel:
    """A data channel whose reader may be slow."""

    def __init__(self, label: str, *, is_open: bool = True) -> None:
        self.label = label
        self.readyState = "open" if is_open else "connecting"
        self.bufferedAmount = 0
        self.sent: list[str] = []
        self._handlers: dict[str, Callable[..., None]] = {}

    def on(self, event: str, handler: Callable[..., None]) -> None:
        self._handlers[event] = handler

    def fire(self, event: str, *args: Any) -> None:
        self._handlers[event](*args)

    def send(self, text: str) -> None:
        self.sent.append(text)

    def close(self) -> None:
        self.readyState = "closed"


def _channels() -> tuple[Channels, list[tuple[str, str]], list[str]]:
    messages: list[tuple[str, str]] = []
    opened: list[str] = []
    return Channels(lambda label, text: messages.append((label, text)), opened.append), messages, opened


def _add(channels: Channels, label: str = "visavis", **kwargs: bool) -> FakeChannel:
    channel = FakeChannel(label, **kwargs)
    channels.add(channel)  # type: ignore[arg-type]
    return channel


def test_each_label_is_its_own_channel() -> None:
    channels, messages, opened = _channels()
    ours, chat = _add(channels), _add(channels, "chat")
    ours.fire("message", "a")
    chat.fire("message", "b")
    assert messages == [("visavis", "a"), ("chat", "b")] and opened == ["visavis", "chat"] == list(channels.labels)
    assert channels.send("chat", "hi") and chat.sent == ["hi"] and ours.sent == []


def test_a_channel_is_written_to_only_when_open() -> None:
    channels, _, opened = _channels()
    channel = _add(channels, is_open=False)
    assert not channels.send("visavis", "early") and not channels.send("none", "x") and opened == []
    channel.readyState = "open"
    channel.fire("open")
    assert opened == ["visavis"] and channels.send("visavis", "now")


def test_a_full_channel_drops_and_one_nobody_reads_is_closed() -> None:
    channels, _, _ = _channels()
    channel = _add(channels)
    channel.bufferedAmount = MAX_BUFFERED_BYTES
    assert not any(channels.send("visavis", "x") for _ in range(MAX_DROPPED_IN_A_ROW - 1))
    assert channel.readyState == "open"
    channels.send("visavis", "x")
    assert channel.readyState == "closed" and channels.counters.dropped_full == MAX_DROPPED_IN_A_ROW


def test_large_messages_are_refused_both_ways() -> None:
    channels, messages, _ = _channels()
    channel = _add(channels)
    assert not channels.send("visavis", "ä" * 32_769) and channels.send("visavis", "a" * 65_536)
    channel.fire("message", "a" * 65_537)
    channel.fire("message", b"\xff\xfe")
    channel.fire("message", b"bytes")
    assert messages == [("visavis", "bytes")] and channels.counters.refused_in == 2


def test_a_faulty_handler_does_not_reach_the_wire() -> None:
    def fail(label: str, text: str) -> None:
        raise RuntimeError(label + text)

    channels = Channels(fail, lambda label: None)
    _add(channels).fire("message", "x")
    assert channels.counters.received == 1


def test_no_caller_opens_channels_without_end() -> None:
    channels, _, _ = _channels()
    added = [_add(channels, str(index)) for index in range(MAX_CHANNELS + 1)]
    assert [channel.readyState for channel in added] == ["open"] * MAX_CHANNELS + ["closed"]
