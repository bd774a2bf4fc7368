"""Offers: what is read of good ones, and what is said of bad ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.errors import TransportError
from agent.transport.offer import read_offer

pytestmark = pytest.mark.unit

HEAD = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {mids}\r\n"
COMMON = (
    "c=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
    "a=fingerprint:sha-256 " + ":".join(["AB"] * 32) + "\r\na=setup:actpass\r\na=rtcp-mux\r\n"
)
AUDIO = (
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\na=mid:a\r\na=sendrecv\r\na=rtpmap:111 opus/48000/2\r\n"
    "a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:0 PCMU/8000\r\n" + COMMON
)
VIDEO = (
    "m=video 9 UDP/TLS/RTP/SAVPF 102 96 97\r\na=mid:v\r\na=recvonly\r\na=rtpmap:102 H264/90000\r\n"
    "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"
    "a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n" + COMMON
)
DATA = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\na=sctp-port:5000\r\n" + COMMON


def offer(*sections: str) -> str:
    """An offer as Chromium writes it, with these sections."""
    mids = " ".join(section.split("a=mid:")[1].split("\r\n")[0] for section in sections)
    return HEAD.format(mids=mids) + "".join(sections)


def test_media_is_found_by_kind_in_any_order() -> None:
    for sections in ((AUDIO, VIDEO, DATA), (VIDEO, AUDIO, DATA), (DATA, VIDEO, AUDIO)):
        read = read_offer(offer(*sections))
        audio, video = read.first("audio"), read.first("video")
        assert audio is not None and (audio.mid, audio.wants_media, audio.sends_media) == ("a", True, True)
        assert audio.codecs == ("opus", "PCMU") and audio.takes_opus_fec
        assert video is not None and (video.mid, video.wants_media, video.sends_media) == ("v", True, False)
        assert video.codecs == ("H264", "VP8") and read.is_bundled


def test_names_to_be_looked_up_are_taken_out() -> None:
    named = "a=candidate:1 1 udp 2113937151 0a1b.local 50000 typ host"
    plain = "a=candidate:2 1 udp 2113937151 192.0.2.7 50001 typ host"
    read = read_offer(offer(AUDIO + named + "\r\n" + plain + "\r\n", VIDEO))
    assert read.mdns_candidates == (named[2:],)
    assert plain in read.text and ".local" not in read.text


BAD: dict[str, tuple[Callable[[], str], str]] = {
    "empty": (lambda: "", 'must begin with "v=0"'),
    "words": (lambda: "hello there", 'must begin with "v=0"'),
    "json": (lambda: '{"sdp": "v=0"}', 'must begin with "v=0"'),
    "huge": (lambda: "v=0\r\n" + "a=x\r\n" * 20_000, "bytes; at most 65536"),
    "head only": (lambda: HEAD.format(mids=""), "no audio or video section"),
    "data only": (lambda: offer(DATA), "no audio or video section"),
    "bad m-line": (lambda: HEAD.format(mids="") + "m=audio what\r\n", "not valid SDP"),
    "bad number": (lambda: offer(AUDIO.replace("111 0", "111 x")), "not valid SDP"),
    "binary": (lambda: "v=0\r\n" + "".join(map(chr, range(1, 256))), "no audio or video section|not valid SDP"),
    "no codec": (lambda: offer(AUDIO, VIDEO.replace("VP8", "AV1").replace("H264", "H265")), "no video codec we speak"),
    "no audio codec": (lambda: offer(AUDIO.replace("opus", "speex").replace("PCMU", "GSM"), VIDEO), "no audio codec"),
    "takes nothing": (
        lambda: offer(AUDIO.replace("sendrecv", "sendonly"), VIDEO.replace("recvonly", "inactive")),
        "takes no media",
    ),
    "no ice": (lambda: offer(AUDIO.replace("a=ice-pwd:abcdefghijklmnopqrstuvwx\r\n", "")), "ice-ufrag and ice-pwd"),
    "no dtls": (lambda: offer(AUDIO.replace("a=fingerprint", "a=x")), "DTLS fingerprint"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_offer_is_refused_with_its_fault(name: str) -> None:
    make, fault = BAD[name]
    with pytest.raises(TransportError, match=fault) as refusal:
        read_offer(make())
    assert refusal.value.code == "signalling_failed"
