"""Reads a caller's offer before anything is built for it, and says plainly what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass

from aiortc import sdp

from ..errors import TransportError

MAX_SDP_BYTES = 65_536
_KNOWN_CODECS = {"audio": ("opus", "PCMU", "PCMA", "G722"), "video": ("VP8", "H264")}


@dataclass(frozen=True, slots=True)
class MediaWish:
    """One audio or video section of an offer."""

    kind: str
    mid: str
    wants_media: bool
    """The caller wants to receive it."""
    sends_media: bool
    codecs: tuple[str, ...]
    """Names in the caller's order, without retransmission and comfort formats."""
    takes_opus_fec: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that can be answered."""

    text: str
    """SDP without mDNS candidates: looking each one up would hold the answer for a second."""
    media: tuple[MediaWish, ...]
    mids: tuple[str, ...]
    """All sections, data included, in order."""
    mdns_candidates: tuple[str, ...]
    """`candidate:...` lines taken out of `text`."""
    has_end_of_candidates: bool
    is_bundled: bool

    def first(self, kind: str) -> MediaWish | None:
        """The section our track of this kind answers."""
        return next((wish for wish in self.media if wish.kind == kind), None)


def read_offer(text: str) -> Offer:
    """Check an offer.

    Raises:
        TransportError: too large, not SDP, no media to send, or no codec we speak.
    """
    num_bytes = len(text.encode("utf-8", "replace"))
    if num_bytes > MAX_SDP_BYTES:
        raise TransportError(f"the offer has {num_bytes} bytes; at most {MAX_SDP_BYTES} are taken")
    if not text.lstrip().startswith("v=0"):
        raise TransportError('the offer is not SDP: it must begin with "v=0"')
    kept, mdns = _without_mdns(text.strip())
    try:
        description = sdp.SessionDescription.parse(kept)
    except Exception as exc:  # the parser raises whatever its lines trip over: ValueError, KeyError, AssertionError
        raise TransportError(f"the offer is not valid SDP ({type(exc).__name__})") from exc
    media = tuple(_wish(section) for section in description.media if section.kind in ("audio", "video"))
    _check(media, description)
    bundle = next((group for group in description.group if group.semantic == "BUNDLE"), None)
    return Offer(
        text=kept,
        media=media,
        mids=tuple(str(section.rtp.muxId) for section in description.media),
        mdns_candidates=mdns,
        has_end_of_candidates=any(section.ice_candidates_complete for section in description.media),
        is_bundled=bundle is not None and len(bundle.items) > 1,
    )


def _without_mdns(text: str) -> tuple[str, tuple[str, ...]]:
    kept, mdns = [], []
    for line in text.splitlines():
        fields = line.split()
        if line.startswith("a=candidate:") and len(fields) > 4 and fields[4].endswith(".local"):
            mdns.append(line[2:].strip())
        else:
            kept.append(line)
    return "\r\n".join(kept) + "\r\n", tuple(mdns)


def _wish(section: sdp.MediaDescription) -> MediaWish:
    direction = section.direction or "sendrecv"
    known = {name.lower(): name for name in _KNOWN_CODECS[section.kind]}
    names = [codec.mimeType.partition("/")[2].lower() for codec in section.rtp.codecs]
    opus = next((c for c in section.rtp.codecs if c.mimeType.lower() == "audio/opus"), None)
    return MediaWish(
        kind=section.kind,
        mid=str(section.rtp.muxId),
        wants_media=direction in ("recvonly", "sendrecv") and section.port != 0,
        sends_media=direction in ("sendonly", "sendrecv") and section.port != 0,
        codecs=tuple(dict.fromkeys(known[name] for name in names if name in known)),
        takes_opus_fec=opus is not None and str(opus.parameters.get("useinbandfec", 0)) == "1",
    )


def _check(media: tuple[MediaWish, ...], description: sdp.SessionDescription) -> None:
    if not media:
        raise TransportError("the offer has no audio or video section")
    if not any(wish.wants_media for wish in media):
        raise TransportError("the offer takes no media: no section is recvonly or sendrecv")
    for wish in media:
        if not wish.codecs:
            names = ", ".join(_KNOWN_CODECS[wish.kind])
            raise TransportError(f"the offer has no {wish.kind} codec we speak ({names})")
    for section in description.media:
        if section.ice is None or not section.ice.usernameFragment or not section.ice.password:
            raise TransportError("the offer has a section without ice-ufrag and ice-pwd")
        if section.dtls is None or not section.dtls.fingerprints:
            raise TransportError("the offer has a section without a DTLS fingerprint")
