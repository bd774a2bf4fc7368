"""The worker's pipe: whole messages, ten seconds ahead at most, nothing of a cancelled utterance."""

import io
import os
import select
from collections.abc import Iterator
from typing import BinaryIO

import pytest
from outbox import MAX_UNACKED_S, Outbox
from wire import WireError, read_message, write_message

pytestmark = pytest.mark.unit


@pytest.fixture
def pipe() -> Iterator[tuple[Outbox, BinaryIO]]:
    reader, writer = os.pipe()
    outbox = Outbox(writer)
    outbox.start()
    with open(reader, "rb", buffering=0) as stream:
        yield outbox, stream
        os.close(writer)


def is_quiet(stream: BinaryIO) -> bool:
    return not select.select([stream], [], [], 0.02)[0]


def message_type(stream: BinaryIO) -> str:
    message = read_message(stream)
    assert message is not None
    return str(message[0]["type"])


def test_a_message_survives_the_wire():
    reader, writer = os.pipe()
    write_message(writer, {"type": "chunk", "id": "ä\n"}, b"\x00\n\xff")
    os.close(writer)
    with open(reader, "rb") as stream:
        assert read_message(stream) == ({"type": "chunk", "id": "ä\n", "bytes": 3}, b"\x00\n\xff")
        assert read_message(stream) is None


@pytest.mark.parametrize(
    "line", [b"hello\n", b"[]\n", b'{"bytes":-1}\n', b'{"bytes":99999999999}\n', b'{"bytes":"x"}\n']
)
def test_what_is_no_message_is_refused(line: bytes):
    with pytest.raises(WireError):
        read_message(io.BytesIO(line))


def test_a_cut_message_is_the_end():
    assert read_message(io.BytesIO(b'{"bytes":5}\nabc')) is None
    assert read_message(io.BytesIO(b'{"bytes":5')) is None


def test_ten_seconds_wait_for_a_word_from_the_other_side(pipe: tuple[Outbox, BinaryIO]):
    outbox, stream = pipe
    outbox.open("a")
    for _ in range(3):
        assert outbox.put("a", {"type": "chunk"}, b"", MAX_UNACKED_S / 2)
    assert [message_type(stream), message_type(stream)] == ["chunk", "chunk"]
    assert is_quiet(stream)
    outbox.acknowledge("a", MAX_UNACKED_S / 2)
    assert message_type(stream) == "chunk"


def test_a_waiting_utterance_blocks_no_other(pipe: tuple[Outbox, BinaryIO]):
    outbox, stream = pipe
    for lane in ("a", "b"):
        outbox.open(lane)
    for _ in range(2):
        outbox.put("a", {"type": "chunk"}, b"", MAX_UNACKED_S)
    assert message_type(stream) == "chunk"
    outbox.put("b", {"type": "done"})
    assert message_type(stream) == "done"


def test_a_dropped_utterance_is_gone(pipe: tuple[Outbox, BinaryIO]):
    outbox, stream = pipe
    outbox.open("a")
    outbox.put("a", {"type": "chunk"}, b"", MAX_UNACKED_S)
    assert message_type(stream) == "chunk"
    outbox.put("a", {"type": "late"}, b"", 1.0)
    outbox.drop("a")
    assert not outbox.is_open("a") and not outbox.put("a", {"type": "later"})
    outbox.acknowledge("a", MAX_UNACKED_S)
    assert is_quiet(stream)
    outbox.say({"type": "pong"})
    assert message_type(stream) == "pong"
