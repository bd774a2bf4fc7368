"""A caller without a browser: speaks to our HTTP doors, plays a microphone, records what comes back.

For benches and end-to-end tests; times are those of the clock it is given.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

import av
import httpx
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from avatar.clock import Clock, MonotonicClock
from avatar.media import Int16Array, UInt8Array

from ..errors import TransportError
from .ice import bound_gathering
from .jitter import hear_directly
from .measure import StreamLog
from .played_microphone import PlayedMicrophone
from .tap import tap

Door = Literal["native", "pipecat"]
Exchange = Callable[[str], Awaitable[str]]
CHANNEL_LABELS: dict[str, str] = {"native": "visavis", "pipecat": "chat"}


@dataclass(frozen=True, slots=True)
class HeardSound:
    """20 ms of decoded sound."""

    samples: Int16Array
    """int16[960], mono, 48 kHz."""
    rtp: int
    """RTP time of the first sample."""
    arrived_s: float
    """When its packet came."""


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """One decoded picture."""

    frame: av.VideoFrame
    rtp: int
    arrived_s: float
    """When its last packet came."""

    def luma(self, top: int = 0, bottom: int | None = None, left: int = 0, right: int | None = None) -> UInt8Array:
        """uint8[h, w] copy of a region of the Y plane, pixels."""
        width, height = self.frame.width, self.frame.height
        plane = np.frombuffer(memoryview(self.frame.planes[0]), np.uint8)
        rows = plane.reshape(-1, self.frame.planes[0].line_size)[:height, :width]
        region: UInt8Array = rows[top:bottom, left:right].copy()
        return region


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One JSON message of the server."""

    body: dict[str, Any]
    arrived_s: float


@dataclass(slots=True)
class CallMarks:
    """Moments of the call's beginning, seconds of the caller's clock; None = not yet."""

    offered_s: float | None = None
    """The offer was posted."""
    answered_s: float | None = None
    connected_s: float | None = None
    first_sound_s: float | None = None
    """First audio packet."""
    first_picture_s: float | None = None
    """First decoded picture."""


class Caller:
    """One call, made once and closed once.

    Args:
        clock: where all times come from.
        on_sound: told each decoded 20 ms.
        on_picture: told each decoded picture.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        on_sound: Callable[[HeardSound], None] | None = None,
        on_picture: Callable[[SeenPicture], None] | None = None,
    ) -> None:
        self.clock: Clock = clock or MonotonicClock()
        self.audio = StreamLog("audio")
        self.video = StreamLog("video")
        self.marks = CallMarks()
        self.events: list[ReceivedEvent] = []
        self.session: dict[str, Any] = {}
        """The reply of POST /v1/sessions, empty with the other door."""
        self._on_sound = on_sound
        self._on_picture = on_picture
        self._microphone = PlayedMicrophone(self.clock)
        self._has_event = asyncio.Condition()
        self._is_connected = asyncio.Event()
        self._is_open = asyncio.Event()
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        """The connection itself, for tests that break it."""
        self._channel: Any = None
        self._http: httpx.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def connect(
        self,
        base_url: str,
        *,
        persona: str | None = None,
        codec: Literal["VP8", "H264"] | None = None,
        offer_door: Door = "native",
        timeout_s: float = 15.0,
    ) -> None:
        """Call a server.

        Raises:
            TransportError: refused (the text holds the server's words), or no media in time.
        """
        self._http = httpx.AsyncClient(base_url=base_url, timeout=timeout_s)

        async def native(offer: str) -> str:
            body: dict[str, Any] = {"persona": {"id": persona}} if persona is not None else {}
            self.session = (await self._post("/v1/sessions", json=body)).json()
            headers = {"content-type": "application/sdp"}
            if self.session.get("token"):
                headers["authorization"] = f"Bearer {self.session['token']}"
            self.marks.offered_s = self.clock.now_s()
            return (await self._post(self.session["webrtc_url"], content=offer, headers=headers)).text

        async def pipecat(offer: str) -> str:
            body: dict[str, Any] = {"sdp": offer, "type": "offer", "pc_id": None, "restart_pc": False}
            if persona is not None:
                body["requestData"] = {"persona": {"id": persona}}
            return str((await self._post("/api/offer", json=body)).json()["sdp"])

        exchange = native if offer_door == "native" else pipecat
        await self.connect_by(exchange, codec=codec, label=CHANNEL_LABELS[offer_door], timeout_s=timeout_s)

    async def connect_by(
        self,
        exchange: Exchange,
        *,
        codec: Literal["VP8", "H264"] | None = None,
        label: str = "visavis",
        kinds: tuple[str, ...] = ("audio", "video"),
        timeout_s: float = 15.0,
    ) -> None:
        """Call whoever turns an offer into an answer; `kinds` in the order of the offer.

        Raises:
            TransportError: no media in time; what `exchange` raises goes through.
        """
        self._channel = self.pc.createDataChannel(label)
        self._channel.on("message", self._take_message)
        self._channel.on("open", self._is_open.set)
        self.pc.on("track", self._take_track)
        self.pc.on("connectionstatechange", self._follow)
        for kind in kinds:
            if kind == "audio":
                self.pc.addTransceiver(self._microphone, direction="sendrecv")
            else:
                self._add_video(codec)
        offer = await self.pc.createOffer()
        bound_gathering(self.pc, timeout_s)
        await self.pc.setLocalDescription(offer)
        for transceiver in self.pc.getTransceivers():
            log = self.audio if transceiver.kind == "audio" else self.video
            tap(transceiver.receiver, log, self.clock)
            if transceiver.kind == "audio":
                hear_directly(transceiver.receiver)
        self.marks.offered_s = self.clock.now_s()
        answer = await exchange(self.pc.localDescription.sdp)
        self.marks.answered_s = self.clock.now_s()
        await self.pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        try:
            async with asyncio.timeout(timeout_s):
                await self._is_connected.wait()
                await self._is_open.wait()
        except TimeoutError:
            raise TransportError(f"no connection within {timeout_s} s (state {self.pc.connectionState})") from None

    def play(self, samples: Int16Array) -> asyncio.Future[float]:
        """Queue int16 mono 48 kHz for the microphone; gives the time at which its first sample was sent."""
        return self._microphone.play(samples)

    def hush(self) -> None:
        """Drop what is queued for the microphone."""
        self._microphone.hush()

    def send(self, event: dict[str, Any]) -> None:
        """Send one JSON event."""
        self._channel.send(json.dumps(event))

    def send_text(self, text: str) -> None:
        """Send anything, JSON or not."""
        self._channel.send(text)

    async def wait_for(self, event_type: str, timeout_s: float, *, after: int = 0) -> ReceivedEvent:
        """The first event of that type at or after index `after` of `events`.

        Raises:
            TimeoutError: none came.
        """

        def found() -> ReceivedEvent | None:
            return next((event for event in self.events[after:] if event.body.get("type") == event_type), None)

        async with asyncio.timeout(timeout_s), self._has_event:
            while (event := found()) is None:
                await self._has_event.wait()
        return event

    async def aclose(self) -> None:
        """Hang up; ends the session too where we made one."""
        if self._http is not None and self.session.get("id"):
            try:
                token = self.session.get("token")
                headers = {"authorization": f"Bearer {token}"} if token else {}
                await self._http.delete(f"/v1/sessions/{self.session['id']}", headers=headers)
            except httpx.HTTPError:
                pass
        await self.pc.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.aclose()
        self._microphone.stop()

    async def _post(self, url: str, **kwargs: Any) -> httpx.Response:
        assert self._http is not None
        try:
            response = await self._http.post(url, **kwargs)
        except httpx.HTTPError as exc:
            raise TransportError(f"{url} cannot be reached ({type(exc).__name__})") from exc
        if response.status_code not in (200, 201):
            raise TransportError(f"{url} answered {response.status_code}: {response.text[:500]}")
        return response

    def _add_video(self, codec: str | None) -> None:
        transceiver = self.pc.addTransceiver("video", direction="recvonly")
        if codec is not None:
            capabilities = RTCRtpReceiver.getCapabilities("video")
            assert capabilities is not None
            names = (f"video/{codec}".lower(), "video/rtx")
            transceiver.setCodecPreferences([c for c in capabilities.codecs if c.mimeType.lower() in names])

    def _follow(self) -> None:
        if self.pc.connectionState == "connected" and self.marks.connected_s is None:
            self.marks.connected_s = self.clock.now_s()
            self._is_connected.set()

    def _take_track(self, track: MediaStreamTrack) -> None:
        self._own(self._read(track))

    async def _read(self, track: MediaStreamTrack) -> None:
        log = self.audio if track.kind == "audio" else self.video
        try:
            while True:
                frame = await track.recv()
                # aiortc counts frames from the first packet's RTP time.
                rtp = (log.packets[0].rtp + (frame.pts or 0)) % 2**32
                if isinstance(frame, av.AudioFrame):
                    self._hear(frame, rtp)
                elif isinstance(frame, av.VideoFrame):
                    self._see(frame, rtp)
        except MediaStreamError:
            return

    def _hear(self, frame: av.AudioFrame, rtp: int) -> None:
        if self.marks.first_sound_s is None:
            self.marks.first_sound_s = self.audio.packets[0].arrived_s
        if self._on_sound is not None:
            samples = frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0].astype(np.int16)
            self._on_sound(HeardSound(samples, rtp, _last_arrival(self.audio, rtp, self.clock)))

    def _see(self, frame: av.VideoFrame, rtp: int) -> None:
        if self.marks.first_picture_s is None:
            self.marks.first_picture_s = self.clock.now_s()
        if self._on_picture is not None:
            self._on_picture(SeenPicture(frame, rtp, _last_arrival(self.video, rtp, self.clock)))

    def _take_message(self, message: str | bytes) -> None:
        try:
            body = json.loads(message)
        except ValueError:
            body = {"type": "", "text": str(message)}
        self.events.append(ReceivedEvent(body, self.clock.now_s()))
        self._own(self._tell())

    async def _tell(self) -> None:
        async with self._has_event:
            self._has_event.notify_all()

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _last_arrival(log: StreamLog, rtp: int, clock: Clock) -> float:
    """When the last packet of that RTP time came; it is among the newest."""
    for packet in reversed(log.packets[-600:]):
        if packet.rtp == rtp:
            return packet.arrived_s
    return clock.now_s()
