"""One caller's WebRTC connection: answers the offer, carries both tracks, the microphone and messages.

Signalling is the caller's affair (HTTP doors call `answer` and `add_candidate`); what is said and
shown is the unit source's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCRtpTransceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from aiortc.sdp import SessionDescription, candidate_from_sdp

from avatar.clock import Clock
from avatar.media import Int16Array

from ..errors import TransportError
from .channels import Channels, OnMessage
from .encoders import TunedEncoder, install, make_encoder
from .ice import IceServer
from .jitter import DirectBuffer, hear_directly
from .microphone import Microphone
from .offer import MediaWish, Offer, read_offer
from .rtcp_clock import NtpAnchor, follow_media_clock
from .tracks import MediaPair, OnUnit, UnitSource

logger = logging.getLogger(__name__)

ConnectionState = Literal["connecting", "connected", "reconnecting", "disconnected", "failed"]
OnState = Callable[[ConnectionState], None]
VideoCodec = Literal["VP8", "H264"]

QUIET_S = 3.0
"""No packet of the caller for this long means `reconnecting`: sound comes each 20 ms, reports each second."""
LOST_S = 20.0
"""And for this long `disconnected`; aiortc itself gives up after 30 s."""
WATCH_PERIOD_S = 1.0


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """What a peer may be told."""

    ice_servers: tuple[IceServer, ...] = ()
    gather_timeout_s: float = 2.0
    """STUN and TURN servers that do not answer in time are left out of the answer."""
    video_codec: VideoCodec | None = None
    """Only this codec; None takes the caller's first."""


class Peer:
    """A connection that is answered once and closed once.

    Args:
        source: gives the units to send.
        clock: paces them.
        on_state: told each change of `state`.
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
        self.encoders: dict[str, TunedEncoder] = {}
        self._mic_buffer: DirectBuffer | None = None
        self._microphone = Microphone()
        self._channels = Channels(on_message or _ignore_message, on_channel or _ignore_label)
        self._pc: RTCPeerConnection | None = None
        self._offer: Offer | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._state: ConnectionState = "connecting"
        self._has_connected = asyncio.Event()
        self._is_closing = False
        self._closed = asyncio.Event()

    @property
    def state(self) -> ConnectionState:
        return self._state

    async def answer(self, offer_sdp: str) -> str:
        """Answer an offer; the answer holds all our candidates.

        Raises:
            TransportError: the offer cannot be answered (the text says why), or this peer was used before.
        """
        if self._pc is not None or self._is_closing:
            raise TransportError("this peer has answered an offer already; make a new one")
        offer = read_offer(offer_sdp)
        pc = await self._negotiate(offer)
        self._offer = offer
        for line in offer.mdns_candidates:
            self._own(self._add_line(line, None))
        self._own(self._watch(pc))
        return str(pc.localDescription.sdp)

    async def add_candidate(self, candidate: str, *, mid: str | None = None, mline_index: int | None = None) -> None:
        """Take one trickled candidate, `candidate:...` or "" for the end of candidates.

        Raises:
            TransportError: there is no offer yet, or the line is not a candidate.
        """
        if self._pc is None or self._offer is None:
            raise TransportError("a candidate came before its offer")
        if mid is None and mline_index is not None and 0 <= mline_index < len(self._offer.mids):
            mid = self._offer.mids[mline_index]
        if candidate.strip() in ("", "a=end-of-candidates"):
            # The caller may say so per section; checks go on either way until its own timeout.
            return
        try:
            candidate_from_sdp(_bare(candidate))
        except Exception as exc:  # the parser raises whatever its fields trip over
            raise TransportError(f"not an ICE candidate ({type(exc).__name__})") from exc
        if ".local" in candidate:
            self._own(self._add_line(candidate, mid))
        else:
            await self._add_line(candidate, mid)

    def microphone(self) -> AsyncIterator[Int16Array]:
        """The caller's voice: int16[320] at 16 kHz; one listener; ends when the peer is closed."""
        return self._microphone.__aiter__()

    def send(self, label: str, text: str) -> bool:
        """Send on the channel of that label; False when it is not there, full, or the text over 64 KiB."""
        return self._channels.send(label, text)

    @property
    def channels(self) -> tuple[str, ...]:
        """Labels that can be written to."""
        return self._channels.labels

    async def wait_connected(self, timeout_s: float) -> bool:
        """Whether media flows within the time given."""
        try:
            await asyncio.wait_for(self._has_connected.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def aclose(self) -> None:
        """End the connection; afterwards no task, thread or socket of it is left. May be called again."""
        if self._is_closing:
            await self._closed.wait()
            return
        self._is_closing = True
        try:
            for task in self._tasks:
                task.cancel()
            if self._pc is not None:
                await self._pc.close()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self.pair.audio.stop()
            self.pair.video.stop()
            self._microphone.close()
            self._set_state("disconnected")
        finally:
            self._closed.set()

    async def _negotiate(self, offer: Offer) -> RTCPeerConnection:
        """Answer with STUN and TURN if they are quick, else without."""
        if self._settings.ice_servers:
            try:
                async with asyncio.timeout(self._settings.gather_timeout_s):
                    return await self._try_negotiate(offer, self._settings.ice_servers)
            except TimeoutError:
                logger.warning("STUN or TURN did not answer in time; the answer holds host candidates only")
        return await self._try_negotiate(offer, ())

    async def _try_negotiate(self, offer: Offer, servers: tuple[IceServer, ...]) -> RTCPeerConnection:
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[server.to_aiortc() for server in servers]))
        try:
            self._listen(pc)
            self._add_tracks(pc, offer)
            await pc.setRemoteDescription(RTCSessionDescription(offer.text, "offer"))
            _refuse_extra_sections(pc)
            answer = await pc.createAnswer()
            self._tune(pc, offer, answer.sdp)
            await pc.setLocalDescription(answer)
        except BaseException as exc:
            await pc.close()
            if isinstance(exc, Exception):
                raise TransportError(f"the offer cannot be answered: {exc}") from exc
            raise
        self._pc = pc
        return pc

    def _add_tracks(self, pc: RTCPeerConnection, offer: Offer) -> None:
        audio, video = offer.first("audio"), offer.first("video")
        self.pair.negotiated(
            audio=audio is not None and audio.wants_media, video=video is not None and video.wants_media
        )
        # One transceiver per section and in its order, so that m-lines match by kind, whichever comes first.
        for wish in offer.media:
            if wish is audio:
                pc.addTransceiver(self.pair.audio if wish.wants_media else "audio", direction=_direction(wish))
            elif wish is video:
                transceiver = pc.addTransceiver(self.pair.video if wish.wants_media else "video", direction="sendonly")
                self._prefer(transceiver, wish)

    def _prefer(self, transceiver: RTCRtpTransceiver, wish: MediaWish) -> None:
        wanted = self._settings.video_codec
        if wanted is None:
            return
        if wanted not in wish.codecs:
            raise TransportError(f"the offer has no {wanted}, which this server is set to send")
        capabilities = transceiver.sender.getCapabilities("video").codecs
        names = (f"video/{wanted}".lower(), "video/rtx")
        transceiver.setCodecPreferences([codec for codec in capabilities if codec.mimeType.lower() in names])

    def _tune(self, pc: RTCPeerConnection, offer: Offer, answer_sdp: str) -> None:
        """Give the senders our encoders and clock, and the microphone its direct way."""
        anchor = NtpAnchor(self._clock, self.pair.pacer)
        audio = offer.first("audio")
        takes_fec = audio is not None and audio.takes_opus_fec
        sections = {str(section.rtp.muxId): section for section in SessionDescription.parse(answer_sdp).media}
        self.encoders = {}
        for transceiver in pc.getTransceivers():
            section = sections[transceiver.mid]
            if section.direction in ("sendonly", "sendrecv") and transceiver.sender.track is not None:
                encoder = make_encoder(section.rtp.codecs[0].name, self._clock, takes_opus_fec=takes_fec)
                if encoder is not None:
                    install(transceiver.sender, encoder)
                    self.encoders[transceiver.kind] = encoder
                follow_media_clock(transceiver.sender, anchor)
            if transceiver.kind == "audio" and section.direction in ("recvonly", "sendrecv"):
                self._mic_buffer = hear_directly(transceiver.receiver)

    def _listen(self, pc: RTCPeerConnection) -> None:
        def on_track(track: MediaStreamTrack) -> None:
            if track.kind == "audio":
                self._own(self._microphone.run(track))

        def on_datachannel(channel: RTCDataChannel) -> None:
            self._channels.add(channel)

        pc.on("track", on_track)
        pc.on("datachannel", on_datachannel)
        pc.on("connectionstatechange", lambda: self._follow(pc))

    def _follow(self, pc: RTCPeerConnection) -> None:
        states: dict[str, ConnectionState] = {"connected": "connected", "failed": "failed", "closed": "disconnected"}
        state = states.get(pc.connectionState)
        # A peer connection given up for its slow servers may still speak; only ours counts.
        if state is not None and self._pc in (None, pc):
            self._set_state(state)

    def _set_state(self, state: ConnectionState) -> None:
        is_over = self._state in ("disconnected", "failed")
        if state == self._state or is_over:
            return
        self._state = state
        if state == "connected":
            self._has_connected.set()
        if self._on_state is not None:
            self._on_state(state)

    async def _watch(self, pc: RTCPeerConnection) -> None:
        """Notice a caller who vanished: aiortc would take 30 s."""
        num_seen, seen_s = -1, self._clock.now_s()
        while self._state not in ("disconnected", "failed"):
            await asyncio.sleep(WATCH_PERIOD_S)
            num_received = await _packets_received(pc)
            now_s = self._clock.now_s()
            if num_received != num_seen or not self._has_connected.is_set():
                num_seen, seen_s = num_received, now_s
                if self._state == "reconnecting":
                    self._set_state("connected")
            elif now_s - seen_s > LOST_S:
                self._set_state("disconnected")
            elif now_s - seen_s > QUIET_S:
                self._set_state("reconnecting")

    async def _add_line(self, line: str, mid: str | None) -> None:
        if self._pc is None or self._offer is None:
            return
        candidate = candidate_from_sdp(_bare(line))
        # Bundled sections share the first one's transport (RFC 9143 section 7.2).
        candidate.sdpMid = self._offer.mids[0] if self._offer.is_bundled or mid is None else mid
        try:
            await self._pc.addIceCandidate(candidate)
        except (ValueError, OSError) as exc:
            logger.debug("candidate not taken", extra={"pii": str(exc)})

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _direction(wish: MediaWish) -> str:
    """Our side of a section (RFC 9429 section 5.3.1)."""
    if wish.wants_media:
        return "sendrecv" if wish.sends_media else "sendonly"
    return "recvonly" if wish.sends_media else "inactive"


def _refuse_extra_sections(pc: RTCPeerConnection) -> None:
    """A second camera or a shared screen is answered, and not received."""
    seen: set[str] = set()
    for transceiver in pc.getTransceivers():
        if transceiver.kind in seen:
            transceiver.direction = "inactive"
        seen.add(transceiver.kind)


async def _packets_received(pc: RTCPeerConnection) -> int:
    report = await pc.getStats()
    return sum(getattr(entry, "packetsReceived", 0) for entry in report.values() if entry.type == "transport")


def _bare(line: str) -> str:
    """A candidate line without its prefixes, as aiortc parses it."""
    return line.strip().removeprefix("a=").removeprefix("candidate:")


def _ignore_message(label: str, text: str) -> None:
    del label, text


def _ignore_label(label: str) -> None:
    del label
