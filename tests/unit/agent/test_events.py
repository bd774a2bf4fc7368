"""What a client may say, and how what it may not say is answered."""

import json

import pytest

from agent.events import (
    MAX_MESSAGE_BYTES,
    MAX_TEXT_CHARS,
    BadEvent,
    KeepAlive,
    ResponseCancel,
    ResponseCreate,
    SessionEnd,
    SessionEnded,
    decode_client,
)

pytestmark = pytest.mark.unit


def create(**response) -> str:
    return json.dumps({"type": "response.create", "event_id": "e1", "response": response})


@pytest.mark.parametrize(
    ("raw", "event"),
    [
        (create(mode="talk", text=" hello "), ResponseCreate("e1", "talk", "hello", "append")),
        (create(mode="repeat", text="hi", queue="replace"), ResponseCreate("e1", "repeat", "hi", "replace")),
        (create(mode="talk", text="x" * MAX_TEXT_CHARS), ResponseCreate("e1", "talk", "x" * MAX_TEXT_CHARS, "append")),
        (create(mode="talk", text="grüß dich \U0001f600", more=1),
         ResponseCreate("e1", "talk", "grüß dich \U0001f600", "append")),
        ('{"type":"response.cancel"}', ResponseCancel(None)),
        (b'{"type":"session.keepalive","event_id":"k"}', KeepAlive("k")),
        ('{"type":"session.end"}', SessionEnd(None)),
        ('{"type":"session.sing","song":1}', None),
    ],
)  # fmt: skip
def test_what_a_client_may_say(raw, event):
    assert decode_client(raw) == event


@pytest.mark.parametrize(
    ("raw", "param", "event_id"),
    [
        ("", "", None),
        ("hello", "", None),
        ("\ud83d", "", None),
        (b"\xff\xfe", "", None),
        ("[" * 10_000, "", None),
        ("9" * 5_000, "", None),
        (" " * (MAX_MESSAGE_BYTES + 1), "", None),
        ("ü" * (MAX_MESSAGE_BYTES // 2 + 1), "", None),
        (b" " * (MAX_MESSAGE_BYTES + 1), "", None),
        ("[]", "/type", None),
        ("null", "/type", None),
        ("{}", "/type", None),
        ('{"type":7}', "/type", None),
        ('{"type":"session.end","event_id":7}', "/event_id", None),
        ('{"type":"response.create","event_id":"e1"}', "/response", "e1"),
        ('{"type":"response.create","event_id":"e1","response":[]}', "/response", "e1"),
        (create(mode="talk"), "/response/text", "e1"),
        (create(mode="talk", text=7), "/response/text", "e1"),
        (create(mode="talk", text="  "), "/response/text", "e1"),
        (create(mode="talk", text="x" * (MAX_TEXT_CHARS + 1)), "/response/text", "e1"),
        (create(mode="sing", text="la"), "/response/mode", "e1"),
        (create(mode=["talk"], text="la"), "/response/mode", "e1"),
        (create(text="la"), "/response/mode", "e1"),
        (create(mode="talk", text="la", queue="first"), "/response/queue", "e1"),
        (create(mode="talk", text="half \ud83d a sign"), "", None),
        ('{"type":"session.end","event_id":"\\ud83d"}', "", None),
    ],
)
def test_what_it_may_not_say_is_told_where_the_fault_is(raw, param, event_id):
    with pytest.raises(BadEvent) as caught:
        decode_client(raw)
    assert (caught.value.param, caught.value.event_id) == (param, event_id)
    assert str(caught.value)


def test_absent_fields_do_not_travel():
    assert SessionEnded("client", 1.5).to_wire() == {
        "type": "session.ended", "reason": "client", "seconds": 1.5, "resumable": False,
    }  # fmt: skip
