"""One caller's WebRTC connection: answers the offer, carries both tracks, the microphone and messages.

Signalling is the HTTP doors' affair (they call `answer` and `add_candidate`); what is said and
shown is the unit source's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Literal

from aiortc import RTCDataChannel, RTCPeerConnection
from aiortc.mediastreams import MediaStreamTrack
from aiortc.sdp import candidate_from_sdp

from avatar.clock import Clock
from avatar.media import Int16Array

from ..errors import TransportError
from .channels import Channels, OnMessage
from .microphone import Microphone
from .negotiate import Connection, PeerSettings, negotiate
from .offer import Offer, read_offer
from .stats import PeerStats, Pulse, RateMeter, collect, packets_received
from .tracks import MediaPair, OnUnit, UnitSource

logger = logging.getLogger(__name__)

ConnectionState = Literal["connecting", "connected", "reconnecting", "disconnected", "failed"]
OnState = Callable[[ConnectionState], None]

QUIET_S = 3.0
"""No packet of the caller for this long means `reconnecting`: sound comes each 20 ms, reports each second."""
LOST_S = 20.0
"""And for this long `disconnected`; aiortc itself gives up after 30 s."""
WATCH_PERIOD_S = 1.0
CLOSE_TIMEOUT_S = 5.0
_FINAL: tuple[ConnectionState, ...] = ("disconnected", "failed")


class Peer:
    """A connection that is answered once and closed once; all of it lives on one event loop.

    Args:
        source: gives the units to send.
        clock: paces them.
        on_state: told each change of `state`; `disconnected` and `failed` are the last.
        on_message: told the label and text of each data channel message.
        on_channel: told the label of each channel that can now be written to.
        on_unit: told each unit and the clock's time at which its first sample left.
    """

    def __init__(
        self,
        source: UnitSource,
        *,
        clock: Clock,
        settings: PeerSettings | None = None,
        on_state: OnState | None = None,
        on_message: OnMessage | None = None,
        on_channel: Callable[[str], None] | None = None,
        on_unit: OnUnit | None = None,
    ) -> None:
        self._settings = settings or PeerSettings()
        self._clock = clock
        self._on_state = on_state
        self.pair = MediaPair(source, clock=clock, on_unit=on_unit)
        self._microphone = Microphone()
        self._channels = Channels(on_message or _ignore_message, on_channel or _ignore_label)
        self._connection: Connection | None = None
        self._offer: Offer | None = None
        self._meter = RateMeter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._state: ConnectionState = "connecting"
        self._has_connected = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None

    @property
    def state(self) -> ConnectionState:
        return self._state

    @property
    def channels(self) -> tuple[str, ...]:
        """Labels that can be written to."""
        return self._channels.labels

    async def answer(self, offer_sdp: str) -> str:
        """Answer an offer; the answer holds all our candidates.

        Raises:
            TransportError: the offer cannot be answered (the text says why), or this peer was used before.
        """
        if self._offer is not None or self._is_closing():
            raise TransportError("this peer has answered an offer already; make a new one")
        self._offer = offer = read_offer(offer_sdp)
        connection = await negotiate(offer, self.pair, clock=self._clock, settings=self._settings, listen=self._listen)
        if self._is_closing():
            await connection.pc.close()
            raise TransportError("the call was closed while it was answered")
        self._connection = connection
        for line in offer.mdns_candidates:
            self._own(self._take_candidate(connection, line, None))
        self._own(self._watch(connection.pc))
        return connection.answer_sdp

    async def add_candidate(self, candidate: str, *, mid: str | None = None, mline_index: int | None = None) -> None:
        """Take one trickled candidate, `candidate:...` or "" for the end of candidates.

        Raises:
            TransportError: there is no answered offer yet, or the line is not a candidate.
        """
        if self._connection is None or self._offer is None:
            raise TransportError("a candidate came before its offer was answered")
        if candidate.strip() in ("", "a=end-of-candidates", "end-of-candidates"):
            # The caller may say so once per section while others still trickle: checks end by themselves.
            return
        try:
            candidate_from_sdp(_bare(candidate))
        except Exception as exc:  # the parser raises whatever its fields trip over
            raise TransportError(f"not an ICE candidate ({type(exc).__name__})") from exc
        if mid is None and mline_index is not None and 0 <= mline_index < len(self._offer.mids):
            mid = self._offer.mids[mline_index]
        # In the background: an mDNS name takes up to a second to look up.
        self._own(self._take_candidate(self._connection, candidate, mid))

    def microphone(self) -> AsyncIterator[Int16Array]:
        """The caller's voice: int16[320] at 16 kHz; one listener; ends when the peer is closed."""
        return self._microphone.__aiter__()

    def send(self, label: str, text: str) -> bool:
        """Send on the channel of that label; False when it is not there, full, or the text over 64 KiB."""
        return self._channels.send(label, text)

    def clear(self, epoch: int) -> None:
        """Let nothing older than `epoch` leave: waiting pictures go, sound ramps out in 5 ms."""
        self.pair.clear(epoch)

    async def wait_connected(self, timeout_s: float) -> bool:
        """Whether media flows within the time given."""
        try:
            await asyncio.wait_for(self._has_connected.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def stats(self) -> PeerStats | None:
        """All figures now; None before the answer."""
        if self._connection is None:
            return None
        return await collect(
            self._connection,
            self._meter,
            self._clock.now_s(),
            pair=self.pair.counters,
            microphone=self._microphone.counters,
            channels=self._channels.counters,
        )

    async def aclose(self) -> None:
        """End the connection; afterwards no task, thread or socket of it is left. May be called again."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    def _is_closing(self) -> bool:
        return self._closing is not None

    async def _close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if self._connection is not None:
            try:
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await self._connection.pc.close()
            except TimeoutError:
                logger.warning("a connection did not close in %s s; its socket is left to the system", CLOSE_TIMEOUT_S)
            self._connection.free_encoders()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.pair.audio.stop()
        self.pair.video.stop()
        self._microphone.close()
        self._set_state("disconnected")

    def _listen(self, pc: RTCPeerConnection) -> None:
        def on_track(track: MediaStreamTrack) -> None:
            if track.kind == "audio":
                self._own(self._microphone.run(track))

        def on_datachannel(channel: RTCDataChannel) -> None:
            self._channels.add(channel)

        pc.on("track", on_track)
        pc.on("datachannel", on_datachannel)
        pc.on("connectionstatechange", lambda: self._follow(pc.connectionState))

    def _follow(self, state: str) -> None:
        match state:
            case "connected":
                self._set_state("connected")
            case "failed":
                self._set_state("failed")
            case "closed" if self._connection is not None:
                self._set_state("disconnected")

    def _set_state(self, state: ConnectionState) -> None:
        if state == self._state or self._state in _FINAL:
            return
        self._state = state
        if state == "connected":
            self._has_connected.set()
        if self._on_state is not None:
            self._on_state(state)

    async def _watch(self, pc: RTCPeerConnection) -> None:
        """Notice a caller who vanished (aiortc would take 30 s) and tracks that no longer leave."""
        clock = self._clock
        caller, tracks = Pulse(clock.now_s()), Pulse(clock.now_s())
        while self._state not in _FINAL:
            await asyncio.sleep(WATCH_PERIOD_S)
            if not self._has_connected.is_set():
                continue
            now_s = clock.now_s()
            if tracks.quiet_s(self.pair.counters.units, now_s) > LOST_S:
                logger.error("no sound or picture has left for %s s", LOST_S)
                self._set_state("failed")
                return
            quiet_s = caller.quiet_s(await packets_received(pc), now_s)
            if quiet_s > LOST_S:
                self._set_state("disconnected")
            else:
                self._set_state("reconnecting" if quiet_s > QUIET_S else "connected")

    async def _take_candidate(self, connection: Connection, line: str, mid: str | None) -> None:
        assert self._offer is not None
        candidate = candidate_from_sdp(_bare(line))
        # Bundled sections share the first one's transport (RFC 9143 section 7.2).
        candidate.sdpMid = self._offer.mids[0] if self._offer.is_bundled or mid is None else mid
        try:
            await connection.pc.addIceCandidate(candidate)
        except (ValueError, OSError) as exc:
            logger.debug("candidate not taken", extra={"pii": str(exc)})

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _bare(line: str) -> str:
    """A candidate line without its prefixes, as aiortc parses it."""
    return line.strip().removeprefix("a=").removeprefix("candidate:")


def _ignore_message(label: str, text: str) -> None:
    del label, text


def _ignore_label(label: str) -> None:
    del label
