"""Messages of pipecat's clients, as its small-webrtc transport sends them."""

import json

import pytest

from agent import rtvi
from agent.events import ResponseCancel, decode_client

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "text",
    [
        "ping: 1763672400000",
        '{"type":"signalling","message":{"type":"trackStatus","receiver_index":0,"enabled":true}}',
        "[]",
        "",
        "[" * 100_000,
    ],
)
def test_what_is_no_rtvi_message_is_left_out(text):
    assert rtvi.read(text) is None


def test_an_rtvi_message_is_read():
    message = {"id": "1", "label": "rtvi-ai", "type": "client-ready", "data": {"version": "2.0.0"}}
    assert rtvi.read(json.dumps(message)) == message
    assert rtvi.own_event(message) is None and not rtvi.ends_call(message)
    assert rtvi.ends_call({**message, "type": "disconnect-bot"})


def test_our_own_event_comes_out_of_a_client_message():
    data = {"t": "visavis", "d": {"type": "response.cancel", "event_id": "e1"}}
    text = rtvi.own_event({"label": "rtvi-ai", "type": "client-message", "id": "1", "data": data})
    assert decode_client(text) == ResponseCancel("e1")


@pytest.mark.parametrize("data", [None, "x", {"t": "other", "d": {}}, {}])
def test_other_client_messages_are_pipecats_own(data):
    assert rtvi.own_event({"label": "rtvi-ai", "type": "client-message", "id": "1", "data": data}) is None
