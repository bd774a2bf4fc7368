"""Our encoder settings, and the one seam by which a peer's senders use them.

aiortc's own encoders denoise a clean picture, take the machine's core count for theirs, use x264's
`medium`, and are torn down whenever the receiver's estimate moves by a tenth.
"""

from __future__ import annotations

import logging
import math
import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from time import thread_time
from typing import Any, Literal

import av
from aiortc import RTCRtpSender
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.opus import OpusEncoder
from aiortc.codecs.vpx import Vp8Encoder
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from avatar.clock import Clock
from avatar.media import GRID_TICKS, MEDIA_CLOCK_RATE, VIDEO_FPS

from .bitrate import BitratePolicy, BitrateRange

logger = logging.getLogger(__name__)

# A drawn head that talks, VP8 cpu-used -8: 0.7 Mbit/s 45.7 dB, 1.0 46.9, 1.5 48.2, 2.5 49.9, at 3.7, 4.2, 5.2, 5.8 ms a
# picture: beyond 1 Mbit/s nobody sees what it costs (PSNR of the face, luma). At 1 Mbit/s -12 gives 46.3 dB for 3.8 ms.
VP8_RANGE = BitrateRange(start_bps=1_000_000, max_bps=1_000_000)
H264_RANGE = BitrateRange(start_bps=1_000_000, max_bps=1_000_000)
OPUS_BPS = 40_000
"""Mono voice; libopus keeps its hybrid mode, and with it in-band FEC, below about 48 kbit/s."""
VIDEO_TICKS_A_PICTURE = 90_000 // VIDEO_FPS
CORES_FOR_TWO_THREADS = 8
"""libvpx threads spin while they wait: two on a busy machine of two cores took 24 to 159 ms a
picture instead of 5.7."""

KEYFRAME_GAP_S = 0.5
"""A lossy line asks for whole pictures in bursts; one each half second mends it and does not fill it."""

# Measured at 1280x720, 1.5 Mbit/s, a photographed head that talks and sways (ms of one core, dB):
# cpu-used -4 9.5/46.4, -6 5.9/46.3, -8 5.7/46.3, -10 5.5/45.1, -16 4.4/42.2; at 0.5 Mbit/s -8 4.8/42.4, -16 3.5/35.7.
_VP8_OPTIONS = {
    "cpu-used": "-12",
    "deadline": "realtime",
    "lag-in-frames": "0",
    "max-intra-rate": "750",
    "noise-sensitivity": "0",
    "overshoot-pct": "15",
    "partitions": "0",
    "static-thresh": "1",
    "undershoot-pct": "100",
}
# The same pictures: ultrafast 3.6/40.7, superfast 6.1/46.2, veryfast 10.2/46.4.
_H264_OPTIONS = {"level": "31", "preset": "superfast", "sc_threshold": "0", "tune": "zerolatency"}


@dataclass(slots=True)
class EncoderCounters:
    """What one encoder did."""

    frames: int = 0
    keyframes: int = 0
    rebuilds: int = 0
    """Encoders thrown away for another bitrate or size, each with a keyframe."""
    num_bytes: int = 0
    faults: int = 0
    """Pictures lost because the encoder failed; it is opened anew each time."""
    cpu_s: float = 0.0
    """Time of the encoding thread; helper threads of a codec are not seen."""


def num_encoder_threads() -> int:
    """Threads an encoder may use: by the cores this process may run on, not those of the machine."""
    return 2 if usable_cores() >= CORES_FOR_TWO_THREADS else 1


def usable_cores(quota_file: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Cores by affinity mask and cgroup quota, at least 1.

    Source: Linux Documentation/admin-guide/cgroup-v2.rst, `cpu.max` = "$MAX $PERIOD".
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    try:
        quota, period = quota_file.read_text().split()
        if quota != "max":
            cores = min(cores, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):
        pass
    return max(1, cores)


class _Tuned:
    """What aiortc asks of a video encoder, answered by a `VideoCore`; `pack` is the codec's own."""

    core: VideoCore
    pack: Any

    def encode(self, frame: Any, force_keyframe: bool = False) -> tuple[list[bytes], Any]:
        started_s = thread_time()
        payloads: list[bytes] = []
        for packet in self.core.encode(frame, force_keyframe):
            payloads += self.pack(packet)[0]
        self.core.counters.cpu_s += thread_time() - started_s
        return payloads, frame.pts

    @property
    def target_bitrate(self) -> int:
        """Bits a second; set by aiortc to the receiver's estimate."""
        return self.core.policy.target_bps

    @target_bitrate.setter
    def target_bitrate(self, bitrate: int) -> None:
        self.core.estimate(bitrate)


class TunedVp8Encoder(_Tuned, Vp8Encoder):
    """VP8 for a drawn or photographed head: one thread, no denoiser, slow bitrate changes."""

    def __init__(self, clock: Clock, limits: BitrateRange = VP8_RANGE) -> None:
        super().__init__()
        self.core = VideoCore("libvpx", _VP8_OPTIONS, limits, clock)


class TunedH264Encoder(_Tuned, H264Encoder):
    """H264 constrained baseline for the same picture."""

    def __init__(self, clock: Clock, limits: BitrateRange = H264_RANGE) -> None:
        super().__init__()
        self.core = VideoCore("libx264", _H264_OPTIONS, limits, clock)


class VideoCore:
    """A libav encoder that is rebuilt only when size or target bitrate change.

    Args:
        codec: libav's name of the encoder.
        options: its private options, without rates.
        limits: where its bitrate begins and ends.
        clock: times the receiver's estimates.
    """

    def __init__(
        self, codec: Literal["libvpx", "libx264"], options: dict[str, str], limits: BitrateRange, clock: Clock
    ) -> None:
        self._codec = codec
        self._options = options
        self._clock = clock
        self._context: VideoCodecContext | None = None
        self._context_bps = 0
        self._is_closed = False
        self._wants_keyframe = False
        self._keyframe_s: float | None = None
        self.policy = BitratePolicy(limits)
        self.counters = EncoderCounters()

    def close(self) -> None:
        """Free libav's encoder with its threads now, not when the collector comes by."""
        self._is_closed = True
        self._context = None

    def estimate(self, estimate_bps: int) -> None:
        """Take the receiver's estimate."""
        self.policy.estimate(estimate_bps, self._clock.now_s())

    def encode(self, frame: av.VideoFrame, force_keyframe: bool) -> list[av.Packet[Any]]:
        """Encode one I420 picture; `frame.pts` in 1/90000 s."""
        if self._is_closed:
            return []  # a picture that was on its way to the encoder's thread
        context = self._context
        is_other = context is not None and (
            frame.width != context.width
            or frame.height != context.height
            or self._context_bps != self.policy.target_bps
        )
        if context is None or is_other:
            self.counters.rebuilds += is_other
            context = self._context = self._open(frame.width, frame.height)
        # The rate control counts pictures; RTP time is kept by the caller.
        picture_pts = frame.pts
        frame.pts = frame.pts // VIDEO_TICKS_A_PICTURE if frame.pts is not None else None
        frame.time_base = Fraction(1, VIDEO_FPS)
        frame.pict_type = PictureType.I if self._may_force(force_keyframe) else PictureType.NONE
        try:
            packets = list(context.encode(frame))
        except av.FFmpegError:
            # aiortc would end the track: the call would go on without a picture and say nothing.
            self.counters.faults += 1
            self._context = None
            if self.counters.faults == 1:
                logger.exception("encoding a picture failed; the encoder is opened anew")
            packets = []
        frame.pts, frame.time_base = picture_pts, Fraction(1, 90_000)
        num_bytes = sum(packet.size for packet in packets)
        self.counters.frames += 1
        if any(packet.is_keyframe for packet in packets):
            self.counters.keyframes += 1
            self._keyframe_s = self._clock.now_s()
            self._wants_keyframe = False
        self.counters.num_bytes += num_bytes
        self.policy.sent(num_bytes, self._clock.now_s())
        return packets

    def _may_force(self, is_asked: bool) -> bool:
        self._wants_keyframe |= is_asked
        is_soon = self._keyframe_s is not None and self._clock.now_s() - self._keyframe_s < KEYFRAME_GAP_S
        return self._wants_keyframe and not is_soon

    def _open(self, width: int, height: int) -> VideoCodecContext:
        context = av.CodecContext.create(self._codec, "w")
        assert isinstance(context, VideoCodecContext)
        rate = self._context_bps = self.policy.target_bps
        context.width = width
        context.height = height
        context.pix_fmt = "yuv420p"
        context.bit_rate = rate
        context.framerate = Fraction(VIDEO_FPS, 1)
        context.time_base = Fraction(1, VIDEO_FPS)
        context.gop_size = 3000
        context.thread_count = num_encoder_threads()
        if self._codec == "libvpx":
            context.qmin, context.qmax = 2, 56
            # Equal rates ask libvpx for a constant bitrate; bufsize of one second as WebRTC sets it.
            rates = {"minrate": str(rate), "maxrate": str(rate), "bufsize": str(rate)}
        else:
            context.profile = "Baseline"
            rates = {"maxrate": str(rate), "bufsize": str(rate // 2)}
        context.options = self._options | rates
        return context


class TunedOpusEncoder(OpusEncoder):
    """Opus from our 48 kHz mono frames, one packet each, without a resampler in between.

    RTP time is the sample's own: the first packet carries libopus' look-ahead and is stamped before
    zero, so that what is heard stays on its picture (RFC 7845 section 4.2 calls it pre-skip).
    """

    def __init__(self, *, takes_fec: bool) -> None:
        super().__init__()
        self.counters = EncoderCounters()
        codec = av.CodecContext.create("libopus", "w")
        assert isinstance(codec, av.AudioCodecContext)
        codec.bit_rate = OPUS_BPS
        codec.format = av.AudioFormat("s16")
        codec.layout = "mono"
        codec.sample_rate = MEDIA_CLOCK_RATE
        codec.time_base = Fraction(1, MEDIA_CLOCK_RATE)
        codec.options = {"application": "voip", "frame_duration": "20"}
        if takes_fec:
            # A tenth of packets lost is what libopus plans for; it spends about a sixth of the bits.
            codec.options = codec.options | {"fec": "1", "packet_loss": "10"}
        self._voice = codec
        self._look_ahead_ticks: int | None = None

    def encode(self, frame: Any, force_keyframe: bool = False) -> tuple[list[bytes], Any]:
        del force_keyframe
        if frame.samples != GRID_TICKS or frame.layout.name != "mono":
            return super().encode(frame)
        started_s = thread_time()
        packets = list(self._voice.encode(frame))
        self.counters.cpu_s += thread_time() - started_s
        self.counters.frames += 1
        if not packets:
            return [], None
        self.counters.num_bytes += sum(packet.size for packet in packets)
        if self._look_ahead_ticks is None:
            self._look_ahead_ticks = frame.pts - (packets[0].pts or 0)
        return [bytes(packet) for packet in packets], frame.pts - self._look_ahead_ticks


TunedEncoder = TunedVp8Encoder | TunedH264Encoder | TunedOpusEncoder


def make_encoder(
    codec_name: str, clock: Clock, *, takes_opus_fec: bool, video: BitrateRange | None = None
) -> TunedEncoder | None:
    """Our encoder for a negotiated codec; None leaves aiortc's (telephone codecs)."""
    match codec_name.lower():
        case "vp8":
            return TunedVp8Encoder(clock, video or VP8_RANGE)
        case "h264":
            return TunedH264Encoder(clock, video or H264_RANGE)
        case "opus":
            return TunedOpusEncoder(takes_fec=takes_opus_fec)
    return None


def install(sender: RTCRtpSender, encoder: TunedEncoder) -> None:
    """Give a sender our encoder before it makes its own, which it does with its first frame.

    The name is private to aiortc; were it to change, the sender would use aiortc's encoder and the
    call would go on (tests/contracts/test_aiortc_names.py fails first).
    """
    sender._RTCRtpSender__encoder = encoder  # type: ignore[attr-defined]
