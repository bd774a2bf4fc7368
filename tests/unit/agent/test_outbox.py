"""What is said before the caller listens is kept, in order; what no channel takes holds up nothing."""

import json

import pytest

from agent import rtvi
from agent.events import MAX_MESSAGE_BYTES, AvatarState, SessionResumed, SessionState, Warning
from agent.outbox import MAX_KEPT, Outbox, newest
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


def test_half_a_sign_of_a_language_model_is_replaced_and_goes_out():
    caller = Caller()
    caller.outbox.open()
    caller.outbox.emit(Warning("w", "half \ud83d a sign"))
    assert json.loads(caller.texts[0].encode())["message"] == "half ? a sign"


def test_a_first_event_that_is_too_large_holds_up_nothing():
    caller = Caller()
    caller.outbox.emit(AvatarState("idle"))
    caller.outbox.open(Warning("w", "x" * MAX_MESSAGE_BYTES))
    assert caller.types == ["session.avatar.state"] and caller.outbox.num_lost == 1


def test_a_first_event_pushes_out_the_oldest_when_all_is_full():
    caller = Caller()
    for number in range(MAX_KEPT):
        caller.outbox.post(json.dumps({"type": str(number)}))
    caller.outbox.open(AvatarState("idle"))
    assert caller.types[:2] == ["session.avatar.state", "1"] and caller.types[-1] == str(MAX_KEPT - 1)
    assert caller.outbox.num_lost == 1


def test_a_long_conversation_is_resumed_with_its_newest_lines():
    lines = [{"role": "user", "text": f"line {number} " + "ü" * 400} for number in range(200)]
    kept = newest(lines)
    assert kept == tuple(lines[-len(kept) :]) and 10 < len(kept) < 200
    caller = Caller()
    caller.outbox.open(SessionResumed(kept))
    assert caller.types == ["session.resumed"]
    assert newest(lines[:3]) == tuple(lines[:3]) and newest([]) == ()
