"""One call of one caller with one persona: owns its pipeline, its face, its wire and its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from avatar.clock import Clock
from avatar.media import Activity, AVUnit

from . import rtvi
from .call_engines import CallEngines, Slots
from .config import ServerConfig
from .errors import SessionError
from .events import (
    BadEvent,
    ClientEvent,
    EnginesChanged,
    Error,
    KeepAlive,
    ResponseCancel,
    ResponseCreate,
    SessionCreated,
    SessionEnd,
    SessionEnded,
    SessionMetrics,
    SessionResumed,
    SessionState,
    Warning,
    decode_client,
)
from .limits import CallLimits
from .metrics import CallCounters
from .outbox import Outbox, newest
from .persona.schema import Persona
from .pipeline.build import CallParts, CallPipeline
from .pipeline.call import Call
from .transport import PeerSettings
from .transport.peer import ConnectionState, Peer
from .trouble import Troubles

NATIVE_CHANNEL = "visavis"
METRICS_EVERY_S = 5
WATCH_EVERY_S = 1.0
Door = Literal["native", "pipecat"]
Status = Literal["created", "active", "ending", "ended"]


@dataclass(frozen=True, slots=True)
class SessionIdentity:
    """What a session is known by."""

    id: str
    token: str


class Session:
    """One call, from its creation to its end.

    Args:
        identity: id and token.
        persona: who speaks.
        engines: everything this call hears, thinks, speaks and shows itself with; closed with the call.
        config: limits.
        clock: paces the call.
        on_ended: told once, with this session, when it is over.
        door: the dialect its caller speaks.
    """

    def __init__(
        self,
        identity: SessionIdentity,
        persona: Persona,
        engines: CallEngines,
        *,
        config: ServerConfig,
        clock: Clock,
        on_ended: Callable[[Session], None],
        door: Door = "native",
    ) -> None:
        self.id, self.token = identity.id, identity.token
        self.persona = persona
        self.status: Status = "created"
        self.connection: ConnectionState = "connecting"
        self.end_reason: str | None = None
        self._engines = engines
        self._config = config
        self._clock = clock
        self._on_ended = on_ended
        self._door = door
        self._limits = CallLimits(
            config, persona.guardrails.max_minutes, created_s=clock.now_s(), quiet_s=clock.now_s()
        )
        self._peer: Peer | None = None
        self._channel: str | None = None
        self._was_open = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = asyncio.Event()
        counters = CallCounters()
        wrap = rtvi.server_message if door == "pipecat" else None
        self.outbox = Outbox(clock, self._send, wrap=wrap, turn=lambda: counters.turns)
        troubles = Troubles(
            self.id,
            clock=clock,
            emit=self.outbox.emit,
            counters=counters,
            give_up=lambda: self.end_soon("error"),
        )
        self._report = troubles.report
        self.call = Call(clock, self.outbox.emit, self._report, counters=counters)
        engines.watch(self._report, lambda slots: self.outbox.emit(EnginesChanged(slots)))
        self._pipeline = CallPipeline(
            CallParts(
                call=self.call,
                hearing=engines.hearing,
                turn_model=engines.turn_model,
                brain=engines.brain,
                tts=engines.tts,
                voice=engines.voice,
                face=engines.face,
                send_message=self.outbox.post,
                on_hang_up=lambda: self.end_soon("agent"),
                hush=self._hush,
                speaks_rtvi=door == "pipecat",
            )
        )

    def start(self) -> None:
        """Run the call's pipeline; the first caller may connect at once."""
        self.outbox.emit(SessionCreated({**self.to_wire(), "engines": self._engines.describe()}))
        self._own(self._run_pipeline(), "pipeline")
        self._own(self._watch(), "watch")

    async def answer(self, offer_sdp: str) -> str:
        """Connect the caller, in place of an earlier connection.

        Raises:
            TransportError: the offer cannot be answered.
            SessionError: the call is over.
        """
        self._must_live()
        peer = Peer(
            self._engines.face,
            clock=self._clock,
            settings=self._peer_settings(),
            on_state=lambda state: self._on_state(peer, state),
            on_message=lambda label, text: self._on_message(peer, label, text),
            on_channel=lambda label: self._on_channel(peer, label),
            on_unit=self._on_unit,
        )
        try:
            sdp = await peer.answer(offer_sdp)
        except BaseException:
            await peer.aclose()
            raise
        before, self._peer, self._channel = self._peer, peer, None
        self.outbox.close()
        if before is not None:
            self._own(before.aclose(), "old peer")
        self._own(self._listen(peer), "microphone")
        return sdp

    async def add_candidate(self, candidate: str, *, mid: str | None, mline_index: int | None) -> None:
        """Take a trickled ICE candidate."""
        self._must_live()
        if self._peer is None:
            raise SessionError("a candidate came before its offer", code="signalling_failed")
        await self._peer.add_candidate(candidate, mid=mid, mline_index=mline_index)

    def end_soon(self, reason: str) -> None:
        """End the call from inside one of its own stages."""
        if self.status not in ("ending", "ended"):
            self._own(self.aclose(reason), "end")

    async def aclose(self, reason: str = "client") -> None:
        """End the call; afterwards no task, socket or buffer of it is left. May be called again."""
        if self.status in ("ending", "ended"):
            await self._closed.wait()
            return
        self.status, self.end_reason = "ending", reason
        self.outbox.emit(SessionEnded(reason, round(self.seconds, 3)))
        if self._door == "pipecat":
            self.outbox.post(json.dumps(rtvi.PEER_LEFT))
        try:
            await asyncio.shield(self._tear_down())
        finally:
            self.status = "ended"
            self._closed.set()
            self._on_ended(self)

    @property
    def seconds(self) -> float:
        """How long the call has been active."""
        return self._limits.seconds(self._clock.now_s())

    def to_wire(self) -> dict[str, Any]:
        """The session as the API shows it."""
        return {
            "id": self.id,
            "status": self.status,
            "connection": self.connection,
            "persona": {"id": self.persona.id, "name": self.persona.name},
            "end_reason": self.end_reason,
            "usage": {"seconds": round(self.seconds, 3), "remaining_s": None},
        }

    def metrics(self) -> dict[str, Any]:
        """Live measures of the call's media."""
        counters = self.call.counters
        values: dict[str, Any] = {
            "turns": counters.turns,
            "held": counters.held,
            "interruptions": counters.interruptions,
            "errors": dict(counters.errors),
            "active_s": round(self.seconds, 3),
            "face": asdict(self._engines.face.stats),
        }
        if self._peer is not None:
            values["media"] = asdict(self._peer.pair.counters)
        return values

    async def _tear_down(self) -> None:
        current = asyncio.current_task()
        if self._peer is not None:
            await self._peer.aclose()
            self._peer = None
        await self._pipeline.stop()
        others = [t for t in self._tasks if t is not current]
        for task in others:
            if task.get_name() not in ("pipeline", "end"):
                task.cancel()
        pipeline = [t for t in others if t.get_name() == "pipeline"]
        if pipeline:
            await asyncio.wait(pipeline, timeout=5)
        for task in pipeline:
            task.cancel()
        await asyncio.gather(*(t for t in others if t.get_name() != "end"), return_exceptions=True)
        await self._engines.aclose()

    async def _run_pipeline(self) -> None:
        try:
            await self._pipeline.run()
        except Exception as error:  # the caller must hear of it, whatever it is
            self._report(error, "pipeline")
        self.end_soon("error")

    async def _listen(self, peer: Peer) -> None:
        async for samples in peer.microphone():
            await self._pipeline.hear(samples)

    async def _watch(self) -> None:
        """Once a second: is the caller gone, is the time over, is it too quiet?"""
        ticks = 0
        while self.status not in ("ending", "ended"):
            await asyncio.sleep(WATCH_EVERY_S)
            ticks += 1
            self.outbox.flush()
            now_s = self._clock.now_s()
            if self.call.activity is not Activity.IDLE:
                self._limits.quiet_s = now_s
            if reason := self._limits.end_reason(now_s):
                self.end_soon(reason)
            elif self.status == "active":
                if line := self._limits.silence_breaker(self.persona.idle, now_s):
                    await self._pipeline.say(line)
                if ticks % METRICS_EVERY_S == 0:
                    self.outbox.emit(SessionMetrics(self.metrics()))

    def _on_unit(self, unit: AVUnit, sent_s: float) -> None:
        self._pipeline.on_unit(unit, sent_s)

    def _hush(self) -> None:
        """Let nothing of the sound that is on its way out leave."""
        if self._peer is not None:
            self._peer.pair.hush(self._engines.face.epoch)

    def _on_state(self, peer: Peer, state: ConnectionState) -> None:
        if peer is not self._peer:
            return
        self.connection = state
        if state == "connected":
            self._limits.connected(self._clock.now_s())
            if self.status == "created":
                self.status = "active"
                self._own(self._greet(), "greet")
                self._own(self._engines.warm_up(), "warm-up")
        elif state in ("disconnected", "failed"):
            self._limits.lost(self._clock.now_s())
        self.outbox.emit(SessionState(self.status, state))

    async def _greet(self) -> None:
        greeting = self._engines.brain.greeting()
        if greeting:
            await self._pipeline.say(greeting, mode="greeting")

    def _on_channel(self, peer: Peer, label: str) -> None:
        wanted = NATIVE_CHANNEL if self._door == "native" else self._channel or label
        if peer is not self._peer or label != wanted:
            return
        is_first, self._was_open, self._channel = not self._was_open, True, label
        self.outbox.open(None if is_first else SessionResumed(newest(self._pipeline.transcript)))

    def engines_changed(self, latest: Slots) -> None:
        """A better engine is being fetched, or waits for the next call."""
        self._engines.follow(latest)

    def _on_message(self, peer: Peer, label: str, text: str) -> None:
        if peer is not self._peer or label != self._channel:
            return
        if self._door == "pipecat":
            self._on_rtvi(text)
        else:
            self._on_event(text)

    def _on_rtvi(self, text: str) -> None:
        message = rtvi.read(text)
        if message is None:
            return
        if (event := rtvi.own_event(message)) is not None:
            self._on_event(event)
        elif rtvi.ends_call(message):
            self.end_soon("client")
        else:
            self._own(self._pipeline.message(message), "message")

    def _on_event(self, text: str) -> None:
        try:
            event = decode_client(text)
        except BadEvent as bad:
            self._refuse(bad)
            return
        if event is None:
            self.outbox.emit(Warning("unknown_event", "an event of a type this server does not know was ignored"))
            return
        self._own(self._take(event), "message")

    async def _take(self, event: ClientEvent) -> None:
        self._limits.quiet_s = self._clock.now_s()
        match event:
            case ResponseCreate(mode="talk"):
                await self._pipeline.type_text(event.text)
            case ResponseCreate():
                if event.queue == "replace":
                    await self._pipeline.interrupt()
                await self._pipeline.say(event.text)
            case ResponseCancel():
                await self._pipeline.interrupt()
            case SessionEnd():
                self.end_soon("client")
            case KeepAlive():
                pass

    def _send(self, text: str) -> bool:
        return self._peer is not None and self._channel is not None and self._peer.send(self._channel, text)

    def _refuse(self, bad: BadEvent) -> None:
        error = {
            "type": "error",
            "code": "invalid_request",
            "message": str(bad),
            "param": bad.param,
            "event_id": bad.event_id,
            "retryable": False,
        }
        self.outbox.emit(Error(error))

    def _peer_settings(self) -> PeerSettings:
        codec = self._config.video.codec
        return PeerSettings(video_codec=None if codec == "auto" else codec)

    def _must_live(self) -> None:
        if self.status in ("ending", "ended"):
            raise SessionError(f"the call {self.id} is over ({self.end_reason})", code="session_ended")

    def _own(self, work: Any, name: str) -> None:
        task = asyncio.ensure_future(work)
        task.set_name(name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
