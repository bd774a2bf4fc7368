"""What is said before the caller listens is kept, in order; what no channel takes holds up nothing."""

import json

import pytest

from agent import rtvi
from agent.events import MAX_MESSAGE_BYTES, AvatarState, SessionState, Warning
from agent.outbox import MAX_KEPT, Outbox
from avatar.clock import VirtualClock

pytestmark = pytest.mark.unit


class Caller:
    def __init__(self, **options):
        self.is_there = True
        self.texts = []
        self.outbox = Outbox(VirtualClock(), self.take, **options)

    def take(self, text):
        if self.is_there:
            self.texts.append(text)
        return self.is_there

    @property
    def types(self):
        return [json.loads(text)["type"] for text in self.texts]


def test_what_came_before_the_channel_is_sent_in_order_after_the_first_event():
    caller = Caller()
    caller.outbox.emit(AvatarState("speaking"))
    caller.outbox.post('{"type":"foreign"}')
    assert caller.texts == []
    caller.outbox.open(SessionState("active", "connected"))
    caller.outbox.emit(Warning("w", "text"))
    assert caller.types == ["session.state", "session.avatar.state", "foreign", "warning"]


def test_a_caller_who_cannot_take_a_message_gets_it_later_and_nothing_overtakes_it():
    caller = Caller()
    caller.outbox.open()
    caller.is_there = False
    caller.outbox.emit(AvatarState("idle"))
    caller.is_there = True
    caller.outbox.emit(Warning("w", "text"))
    caller.outbox.flush()
    assert caller.types == ["session.avatar.state", "warning"]


def test_what_is_kept_is_bounded_and_the_loss_is_counted():
    caller = Caller()
    for number in range(MAX_KEPT + 3):
        caller.outbox.post(str(number))
    caller.outbox.open()
    assert caller.outbox.num_lost == 3 and caller.texts[0] == "3" and len(caller.texts) == MAX_KEPT


def test_a_message_no_channel_takes_does_not_block_those_after_it():
    caller = Caller()
    caller.outbox.post("x" * (MAX_MESSAGE_BYTES + 1))
    caller.outbox.post("y")
    caller.outbox.open()
    assert caller.texts == ["y"] and caller.outbox.num_lost == 1


def test_a_dialect_wraps_events_and_leaves_foreign_messages_alone():
    caller = Caller(wrap=rtvi.server_message)
    caller.outbox.emit(AvatarState("speaking"))
    caller.outbox.post('{"type":"bot-ready"}')
    caller.outbox.open()
    event = json.loads(caller.texts[0])
    assert event["label"] == "rtvi-ai" and event["type"] == "server-message" and event["data"]["t"] == "visavis"
    assert event["data"]["event"]["type"] == "session.avatar.state" and event["data"]["event"]["seq"] == 1
    assert caller.texts[1] == '{"type":"bot-ready"}'
