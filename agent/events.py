"""Every event of the wire, both ways: the one source of names and fields.

A server event goes out as JSON `{"type", "event_id", "seq", "t_ms", "turn", ...fields}`; fields that
are None are left out. Client events come in as JSON with a `type`. Unknown types are ignored with
one warning, malformed ones are answered with an `error` event. See `decode_client`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

PROTOCOL_VERSION = 1
MAX_MESSAGE_BYTES = 65_536
MAX_TEXT_CHARS = 4_000


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """Base of what the server says."""

    type: ClassVar[str] = ""

    def to_wire(self) -> dict[str, Any]:
        """The event as a JSON object, without the envelope (event_id, seq, t_ms, turn)."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {"type": self.type, **{k: v for k, v in values.items() if v is not None}}


@dataclass(frozen=True, slots=True)
class SessionCreated(ServerEvent):
    """First event on a new data channel: who answers and with what."""

    type: ClassVar[str] = "session.created"
    session: Mapping[str, Any]
    """{id, status, connection, persona: {id, name}, engines: see `EnginesChanged.engines`, usage}"""


@dataclass(frozen=True, slots=True)
class SessionResumed(ServerEvent):
    """The caller came back on a new connection; `transcript` holds the lines so far."""

    type: ClassVar[str] = "session.resumed"
    transcript: tuple[Mapping[str, Any], ...]
    """({role: "user"|"agent", text, cut: bool}, ...)"""


@dataclass(frozen=True, slots=True)
class SessionState(ServerEvent):
    """Life of the call and of its wire."""

    type: ClassVar[str] = "session.state"
    status: str
    """created | queued | active | ending | ended"""
    connection: str
    """connecting | connected | reconnecting | disconnected | failed"""


@dataclass(frozen=True, slots=True)
class SessionEnded(ServerEvent):
    type: ClassVar[str] = "session.ended"
    reason: str
    """client idle_timeout max_duration connect_timeout disconnected server_shutdown error"""
    seconds: float
    resumable: bool = False


@dataclass(frozen=True, slots=True)
class EnginesChanged(ServerEvent):
    """Which engines talk, and what that means for the caller."""

    type: ClassVar[str] = "session.engines"
    engines: Mapping[str, Mapping[str, Any]]
    """{stt|brain|tts: {name, state: "embedded"|"downloading"|"ready"|"failed", why, notice,
    percent?, next?, problem?}}; `next` names a better engine that the next call will use, `problem` says
    why it could not be fetched. "failed" is said of an engine in use that stopped working."""


@dataclass(frozen=True, slots=True)
class AvatarState(ServerEvent):
    type: ClassVar[str] = "session.avatar.state"
    state: str
    """idle | listening | thinking | speaking | paused"""


@dataclass(frozen=True, slots=True)
class SessionMetrics(ServerEvent):
    """Every 5 s."""

    type: ClassVar[str] = "session.metrics"
    metrics: Mapping[str, Any]
    """{active_s, turns, held, interruptions, errors: {code: count}, face: `avatar.face.FaceStats`,
    media: `transport.tracks.PairCounters`}: counts since the call began, and what was dropped by reason."""


@dataclass(frozen=True, slots=True)
class ResponseCreated(ServerEvent):
    type: ClassVar[str] = "response.created"
    response_id: str
    ordinal: int
    mode: str
    """talk | repeat | greeting"""


@dataclass(frozen=True, slots=True)
class ResponseTextDelta(ServerEvent):
    """Words of the brain as they are made; what was heard is `AgentTranscriptDelta`."""

    type: ClassVar[str] = "response.output_text.delta"
    response_id: str
    delta: str


@dataclass(frozen=True, slots=True)
class AgentTranscriptDelta(ServerEvent):
    """A word that is being heard now."""

    type: ClassVar[str] = "response.output_audio_transcript.delta"
    response_id: str
    delta: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class AgentTranscriptDone(ServerEvent):
    """All that was heard of a response, and what was cut off."""

    type: ClassVar[str] = "response.output_audio_transcript.done"
    response_id: str
    transcript: str
    unheard: str
    """What was to come and was cut off by the caller; "" when all was heard."""


@dataclass(frozen=True, slots=True)
class PlayoutStarted(ServerEvent):
    type: ClassVar[str] = "output_audio_buffer.started"
    response_id: str


@dataclass(frozen=True, slots=True)
class PlayoutStopped(ServerEvent):
    type: ClassVar[str] = "output_audio_buffer.stopped"
    response_id: str
    played_ms: int


@dataclass(frozen=True, slots=True)
class PlayoutCleared(ServerEvent):
    type: ClassVar[str] = "output_audio_buffer.cleared"
    response_id: str
    played_ms: int


@dataclass(frozen=True, slots=True)
class ResponseDone(ServerEvent):
    type: ClassVar[str] = "response.done"
    response_id: str
    status: str
    """completed | cancelled | failed"""
    played_ms: int
    heard_text: str
    metrics: Mapping[str, Any]
    """Milliseconds, null when not measured: {endpoint_ms, stt_ms, ttft_ms, ttfb_ms, ttfa_ms,
    ttff_ms, voice_to_voice_ms, interrupt_ms}"""
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class UserSpeechStarted(ServerEvent):
    type: ClassVar[str] = "input_audio_buffer.speech_started"
    audio_ms: int


@dataclass(frozen=True, slots=True)
class UserSpeechStopped(ServerEvent):
    type: ClassVar[str] = "input_audio_buffer.speech_stopped"
    audio_ms: int


@dataclass(frozen=True, slots=True)
class UserTranscriptDelta(ServerEvent):
    """The words so far; replaces the one before of the same item."""

    type: ClassVar[str] = "conversation.item.input_audio_transcription.delta"
    item_id: str
    delta: str


@dataclass(frozen=True, slots=True)
class UserTranscriptCompleted(ServerEvent):
    type: ClassVar[str] = "conversation.item.input_audio_transcription.completed"
    item_id: str
    transcript: str
    confidence: float
    typed: bool = False


@dataclass(frozen=True, slots=True)
class Warning(ServerEvent):
    """Something was worse than asked, and the call goes on."""

    type: ClassVar[str] = "warning"
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Error(ServerEvent):
    type: ClassVar[str] = "error"
    error: Mapping[str, Any]
    """{type, code, message, param, event_id, retryable, retry_after_s}"""


@dataclass(frozen=True, slots=True)
class ClientEvent:
    """Base of what a client says."""

    event_id: str | None


@dataclass(frozen=True, slots=True)
class ResponseCreate(ClientEvent):
    """`{"type":"response.create","response":{"mode":"talk"|"repeat","text":"...","queue":"append"|"replace"}}`"""

    mode: str
    text: str
    queue: str


@dataclass(frozen=True, slots=True)
class ResponseCancel(ClientEvent):
    """`{"type":"response.cancel"}`: silence and a closed mouth within 100 ms."""


@dataclass(frozen=True, slots=True)
class KeepAlive(ClientEvent):
    """`{"type":"session.keepalive"}`"""


@dataclass(frozen=True, slots=True)
class SessionEnd(ClientEvent):
    """`{"type":"session.end"}`"""


class BadEvent(ValueError):
    """A client event that cannot be taken; `param` is a JSON pointer to the fault."""

    def __init__(self, text: str, *, param: str = "", event_id: str | None = None) -> None:
        super().__init__(text)
        self.param = param
        self.event_id = event_id


def decode_client(raw: str | bytes) -> ClientEvent | None:
    """Read one client event.

    Returns:
        The event, or None when its type is not known (a later client may say more than we know).

    Raises:
        BadEvent: not JSON, not an object, too large, or a field is wrong.
    """
    try:
        num_bytes = len(raw if isinstance(raw, bytes) else raw.encode())
        if num_bytes > MAX_MESSAGE_BYTES:
            raise BadEvent(f"a message may have {MAX_MESSAGE_BYTES} bytes, this one has {num_bytes}")
        message = json.loads(raw)
        # Half a surrogate pair passes as an escape, and nothing could be done with it later.
        json.dumps(message, ensure_ascii=False).encode()
    except BadEvent:
        raise
    except (ValueError, RecursionError):
        raise BadEvent("a message must be one JSON object in valid Unicode") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise BadEvent('a message must be a JSON object with a string "type"', param="/type")
    event_id = message.get("event_id")
    if event_id is not None and not isinstance(event_id, str):
        raise BadEvent("event_id must be a string", param="/event_id")
    match message["type"]:
        case "response.create":
            return _response_create(message, event_id)
        case "response.cancel":
            return ResponseCancel(event_id)
        case "session.keepalive":
            return KeepAlive(event_id)
        case "session.end":
            return SessionEnd(event_id)
    return None


def _response_create(message: Mapping[str, Any], event_id: str | None) -> ResponseCreate:
    response = message.get("response")
    if not isinstance(response, dict):
        raise BadEvent("response must be an object", param="/response", event_id=event_id)
    text = response.get("text")
    if not isinstance(text, str) or not 1 <= len(text.strip()) <= MAX_TEXT_CHARS:
        raise BadEvent(
            f"response.text must have 1 to {MAX_TEXT_CHARS} characters", param="/response/text", event_id=event_id
        )
    mode, queue = response.get("mode"), response.get("queue", "append")
    if mode not in ("talk", "repeat"):
        raise BadEvent('response.mode must be "talk" or "repeat"', param="/response/mode", event_id=event_id)
    if queue not in ("append", "replace"):
        raise BadEvent('response.queue must be "append" or "replace"', param="/response/queue", event_id=event_id)
    return ResponseCreate(event_id, mode, text.strip(), queue)
