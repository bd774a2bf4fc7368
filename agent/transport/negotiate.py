"""Builds the aiortc connection that answers an offer, with our tracks, encoders and clock in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpTransceiver, RTCSessionDescription
from aiortc.sdp import SessionDescription

from avatar.clock import Clock

from ..errors import TransportError
from .bitrate import BitrateRange
from .encoders import TunedEncoder, TunedOpusEncoder, install, make_encoder
from .ice import IceServer, bound_gathering
from .jitter import DirectBuffer, hear_directly
from .offer import MediaWish, Offer
from .rtcp_clock import NtpAnchor, follow_media_clock
from .tracks import MediaPair

VideoCodec = Literal["VP8", "H264"]
Listen = Callable[[RTCPeerConnection], None]


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """What a peer may be told."""

    ice_servers: tuple[IceServer, ...] = ()
    gather_timeout_s: float = 2.0
    """STUN and TURN servers that do not answer in time are left out of the answer."""
    video_codec: VideoCodec | None = None
    """Only this codec; None takes the caller's first."""
    video_bitrate: BitrateRange | None = None
    """Where the encoder begins and its ceiling; None takes the codec's own (2.5 Mbit/s at most)."""


@dataclass(slots=True)
class Connection:
    """An answered connection and what was put into it."""

    pc: RTCPeerConnection
    encoders: dict[str, TunedEncoder] = field(default_factory=dict)
    """By kind, where ours are used."""
    microphone: DirectBuffer | None = None
    has_media_clock: bool = True
    """Sender reports tell media time; False: aiortc's own."""

    @property
    def answer_sdp(self) -> str:
        return str(self.pc.localDescription.sdp)

    def free_encoders(self) -> None:
        """Give back the memory and threads of the video encoder; the connection is closed."""
        for encoder in self.encoders.values():
            if not isinstance(encoder, TunedOpusEncoder):
                encoder.core.close()


async def negotiate(
    offer: Offer, pair: MediaPair, *, clock: Clock, settings: PeerSettings, listen: Listen
) -> Connection:
    """Build the connection and its answer.

    Args:
        offer: what was read of the caller's SDP.
        pair: the tracks to send.
        clock: times the encoders and the sender reports.
        settings: servers, their time limit, codec.
        listen: sets event handlers on the connection before it is used.

    Raises:
        TransportError: the offer cannot be answered.
    """
    servers = [server.to_aiortc() for server in settings.ice_servers]
    connection = Connection(RTCPeerConnection(RTCConfiguration(iceServers=servers)))
    pc = connection.pc
    try:
        listen(pc)
        _add_tracks(pc, offer, pair, settings)
        await pc.setRemoteDescription(RTCSessionDescription(offer.text, "offer"))
        _refuse_extra_sections(pc)
        answer = await pc.createAnswer()
        _tune(connection, offer, answer.sdp, pair, clock, settings)
        bound_gathering(pc, settings.gather_timeout_s)
        await pc.setLocalDescription(answer)
    except BaseException as exc:
        await pc.close()
        if isinstance(exc, TransportError) or not isinstance(exc, Exception):
            raise
        raise TransportError(f"the offer cannot be answered: {exc}") from exc
    return connection


def _add_tracks(pc: RTCPeerConnection, offer: Offer, pair: MediaPair, settings: PeerSettings) -> None:
    audio, video = offer.first("audio"), offer.first("video")
    pair.negotiated(audio=audio is not None and audio.wants_media, video=video is not None and video.wants_media)
    # aiortc matches sections to transceivers by kind, so whichever the caller offers first is fine.
    for wish in offer.media:
        if wish is audio:
            pc.addTransceiver(pair.audio if wish.wants_media else "audio", direction=_direction(wish))
        elif wish is video:
            transceiver = pc.addTransceiver(pair.video if wish.wants_media else "video", direction="sendonly")
            _prefer(transceiver, wish, settings.video_codec)


def _direction(wish: MediaWish) -> str:
    """Our side of a section (RFC 9429 section 5.3.1)."""
    if wish.wants_media:
        return "sendrecv" if wish.sends_media else "sendonly"
    return "recvonly" if wish.sends_media else "inactive"


def _prefer(transceiver: RTCRtpTransceiver, wish: MediaWish, wanted: VideoCodec | None) -> None:
    if wanted is None:
        return
    if wanted not in wish.codecs:
        raise TransportError(f"the offer has no {wanted}, the only video codec this server is set to send")
    names = (f"video/{wanted}".lower(), "video/rtx")
    capabilities = transceiver.sender.getCapabilities("video").codecs
    transceiver.setCodecPreferences([codec for codec in capabilities if codec.mimeType.lower() in names])


def _refuse_extra_sections(pc: RTCPeerConnection) -> None:
    """A second camera or a shared screen is answered, and not received."""
    seen: set[str] = set()
    for transceiver in pc.getTransceivers():
        if transceiver.kind in seen:
            transceiver.direction = "inactive"
        seen.add(transceiver.kind)


def _tune(
    connection: Connection, offer: Offer, answer_sdp: str, pair: MediaPair, clock: Clock, settings: PeerSettings
) -> None:
    """Give the senders our encoders and clock, and the microphone its direct way."""
    anchor = NtpAnchor(clock, pair.pacer)
    audio = offer.first("audio")
    takes_fec = audio is not None and audio.takes_opus_fec
    sections = {str(section.rtp.muxId): section for section in SessionDescription.parse(answer_sdp).media}
    for transceiver in connection.pc.getTransceivers():
        section = sections[str(transceiver.mid)]
        if section.direction in ("sendonly", "sendrecv"):
            codec = section.rtp.codecs[0].name
            encoder = make_encoder(codec, clock, takes_opus_fec=takes_fec, video=settings.video_bitrate)
            if encoder is not None:
                install(transceiver.sender, encoder)
                connection.encoders[transceiver.kind] = encoder
            connection.has_media_clock &= follow_media_clock(transceiver.sender, anchor)
        if transceiver.kind == "audio" and section.direction in ("recvonly", "sendrecv"):
            connection.microphone = hear_directly(transceiver.receiver)
