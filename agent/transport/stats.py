"""Figures of one connection, for `/metrics`, the page's panel and benches."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aiortc import RTCPeerConnection

from .channels import ChannelCounters
from .encoders import EncoderCounters, TunedOpusEncoder
from .microphone import MicrophoneCounters
from .negotiate import Connection
from .tracks import PairCounters


@dataclass(frozen=True, slots=True)
class PeerStats:
    """Since the connection began; rates are the mean of the time between two calls of `stats`."""

    rtt_ms: float | None
    """None until the caller's first report."""
    lost_packets: int
    """As the caller reports, both tracks."""
    loss_share: float
    """0..1, worst track, the caller's last report."""
    video_bps: float
    video_fps: float
    video_target_bps: int | None
    estimate_bps: int | None
    """The caller's last estimate of its line."""
    encoder_rebuilds: int
    encoder_faults: int
    keyframes: int
    encode_video_cpu_s: float
    encode_audio_cpu_s: float
    pair: PairCounters
    microphone: MicrophoneCounters
    microphone_late_packets: int
    channels: ChannelCounters
    has_media_clock: bool


class RateMeter:
    """Differences between two looks at growing counts."""

    def __init__(self) -> None:
        self._seen: tuple[float, int, int] | None = None

    def rates(self, now_s: float, num_frames: int, num_bytes: int) -> tuple[float, float]:
        """(frames a second, bits a second) since the last look; zeros at the first."""
        seen, self._seen = self._seen, (now_s, num_frames, num_bytes)
        if seen is None or now_s <= seen[0]:
            return 0.0, 0.0
        seconds = now_s - seen[0]
        return (num_frames - seen[1]) / seconds, (num_bytes - seen[2]) * 8 / seconds


class Pulse:
    """How long a count has stood still."""

    def __init__(self, now_s: float) -> None:
        self._count = -1
        self._moved_s = now_s

    def quiet_s(self, count: int, now_s: float) -> float:
        """Seconds since the count last changed, as far as it was looked at."""
        if count != self._count:
            self._count, self._moved_s = count, now_s
        return now_s - self._moved_s


async def packets_received(pc: RTCPeerConnection) -> int:
    """All that came from the caller, reports and messages too."""
    report = await pc.getStats()
    return sum(entry.packetsReceived for entry in report.values() if entry.type == "transport")


async def collect(
    connection: Connection,
    meter: RateMeter,
    now_s: float,
    *,
    pair: PairCounters,
    microphone: MicrophoneCounters,
    channels: ChannelCounters,
) -> PeerStats:
    """Look at everything once."""
    report = await connection.pc.getStats()
    remote = [entry for entry in report.values() if entry.type == "remote-inbound-rtp"]
    rtts_s = [entry.roundTripTime for entry in remote if entry.roundTripTime is not None]
    video, audio = connection.encoders.get("video"), connection.encoders.get("audio")
    core = None if video is None or isinstance(video, TunedOpusEncoder) else video.core
    seen = core.counters if core is not None else EncoderCounters()
    fps, bps = meter.rates(now_s, seen.frames, seen.num_bytes)
    return PeerStats(
        rtt_ms=max(rtts_s) * 1000 if rtts_s else None,
        lost_packets=sum(entry.packetsLost for entry in remote),
        loss_share=max((entry.fractionLost / 256 for entry in remote), default=0.0),
        video_bps=bps,
        video_fps=fps,
        video_target_bps=core.policy.target_bps if core is not None else None,
        estimate_bps=core.policy.estimate_bps if core is not None else None,
        encoder_rebuilds=seen.rebuilds,
        encoder_faults=seen.faults,
        keyframes=seen.keyframes,
        encode_video_cpu_s=seen.cpu_s,
        encode_audio_cpu_s=audio.counters.cpu_s if isinstance(audio, TunedOpusEncoder) else 0.0,
        pair=replace(pair),
        microphone=replace(microphone),
        microphone_late_packets=connection.microphone.num_late if connection.microphone is not None else 0,
        channels=replace(channels),
        has_media_clock=connection.has_media_clock,
    )
