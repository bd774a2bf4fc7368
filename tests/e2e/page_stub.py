"""A stand-in for the server that the call page talks to: its doors, a moving picture, a tone, and events on demand.

The test says what goes wrong and what is said; nothing happens by itself, so the page is tested without guessing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import uvicorn
from aiortc import MediaStreamTrack, RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, VideoFrame
from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from agent import events
from agent.server.static import SECURITY_HEADERS
from avatar.clock import MonotonicClock

DIST = Path(__file__).parents[2] / "agent" / "web" / "dist"
WIDTH_PX, HEIGHT_PX, FPS = 320, 180, 25
RATE_HZ = 48_000
PACKET_SAMPLES = 960
CHANNEL_LIMIT_S = 5

ENGINES: dict[str, dict[str, Any]] = {
    "stt": {
        "name": "pocketsphinx",
        "state": "embedded",
        "why": "no Whisper model is on disk",
        "notice": "Understands what this persona's story expects, not free speech.",
    },
    "brain": {
        "name": "script",
        "state": "embedded",
        "why": "no language model was found",
        "notice": "Mira knows her story and says so. Connect a language model and she talks freely.",
    },
    "tts": {
        "name": "flite",
        "state": "downloading",
        "why": "no Piper voice is on disk",
        "notice": "A small voice made from a real speaker.",
        "percent": 42,
        "next": "Piper",
    },
}
PERSONAS = [
    {
        "id": "mira",
        "name": "Mira",
        "description": "A curious host who shows you around and likes good questions.",
        "language": "en",
        "face": {"poster_url": "/v1/personas/mira/portrait.png"},
    },
    {
        "id": "dana-buyer",
        "name": "Dana",
        "description": "A buyer who has heard every pitch. Convince her.",
        "language": "en",
        "face": {"poster_url": "/v1/personas/dana-buyer/portrait.png"},
    },
]
_T = TypeVar("_T")


@dataclass
class Refusal:
    """How a door says no: an HTTP status with an error body, for so many requests (None: always)."""

    status: int
    code: str
    message: str
    times: int | None = None
    retry_after_s: float | None = None

    def to_response(self) -> Response:
        error = {
            "type": "error",
            "code": self.code,
            "message": self.message,
            "retryable": self.status >= 429,
            "retry_after_s": self.retry_after_s,
        }
        return JSONResponse({"error": error}, self.status)


@dataclass
class Wishes:
    """What the test wants to go wrong."""

    session: Refusal | None = None
    offer: Refusal | None = None
    answer: str | None = None
    """Sent instead of an answer."""
    on_disconnect_s: float = 30
    has_portrait: bool = True
    picture: np.ndarray | None = None
    """uint8[h, w, 3] RGB to send instead of the synthetic picture."""


@dataclass
class Seen:
    """What the page did."""

    sessions: list[dict[str, Any]] = field(default_factory=list)
    offers: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    user_peaks: deque[int] = field(default_factory=lambda: deque(maxlen=25))
    """Loudest sample of each of the last 25 packets (half a second) from the page's microphone."""


class _Tone(MediaStreamTrack):
    kind = "audio"

    def __init__(self, wire: _Wire) -> None:
        super().__init__()
        self._wire = wire
        self._pts = 0

    async def recv(self) -> AudioFrame:
        await self._wire.wait_until(self._pts / RATE_HZ)
        moments = (self._pts + np.arange(PACKET_SAMPLES)) / RATE_HZ
        samples = (2_000 * np.sin(2 * np.pi * 220 * moments)).astype(np.int16)
        frame = AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, self._pts, Fraction(1, RATE_HZ)
        self._pts += PACKET_SAMPLES
        return frame


class _Picture(MediaStreamTrack):
    kind = "video"

    def __init__(self, wire: _Wire, still: np.ndarray | None) -> None:
        super().__init__()
        self._wire = wire
        self._still = still
        self._count = 0

    async def recv(self) -> VideoFrame:
        await self._wire.wait_until(self._count / FPS)
        frame = VideoFrame.from_ndarray(self._draw(), format="rgb24")
        frame.pts, frame.time_base = self._count * 90_000 // FPS, Fraction(1, 90_000)
        self._count += 1
        return frame

    def _draw(self) -> np.ndarray:
        if self._still is not None:
            return self._still
        image = _still()
        left = (self._count * 8) % (WIDTH_PX - 40)
        image[70:110, left : left + 40] = (240, 200, 120)
        return image


def _still() -> np.ndarray:
    return np.full((HEIGHT_PX, WIDTH_PX, 3), (70, 110, 100), np.uint8)


class _Wire:
    """One peer connection: paces its tracks, and can go silent as a torn cable does."""

    def __init__(self) -> None:
        self.pc = RTCPeerConnection()
        self.channel: asyncio.Future[RTCDataChannel] = asyncio.get_running_loop().create_future()
        self.is_whole = asyncio.Event()
        self.is_whole.set()
        self.listener: asyncio.Task[None] | None = None
        self._clock = MonotonicClock()
        self._start_s = self._clock.now_s()

    async def wait_until(self, media_s: float) -> None:
        await asyncio.sleep(max(0.0, self._start_s + media_s - self._clock.now_s()))
        await self.is_whole.wait()


class PageStub:
    """The server, running in a thread of its own; every method may be called from the test's thread."""

    def __init__(self) -> None:
        self.wishes = Wishes()
        self.seen = Seen()
        self.engines = json.loads(json.dumps(ENGINES))
        self.personas = list(PERSONAS)
        self._wires: list[_Wire] = []
        self._live_sessions: set[str] = set()
        self._seq = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Serve on the port used before, or on a free one; returns when the port answers."""
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True)
        self._thread.start()
        if not ready.wait(10):
            raise RuntimeError("the stub did not start within 10 s")

    def stop(self) -> None:
        """Close every peer and the port; sessions are forgotten, as by a server that is restarted."""
        if self._server is None or self._thread is None:
            return
        self.close_wires()
        self._live_sessions.clear()
        self._server.should_exit = True
        self._thread.join(10)
        self._server = None

    def emit(self, event: events.ServerEvent, turn: int = 1) -> None:
        """Send one event on the newest data channel."""
        self._seq += 1
        envelope = {"event_id": f"evt_{self._seq}", "seq": self._seq, "t_ms": self._seq * 10, "turn": turn}
        self.send_raw(json.dumps({**event.to_wire(), **envelope}))

    def send_raw(self, text: str) -> None:
        """Send any text on the newest data channel."""

        async def send() -> None:
            # The page's end opens first; ours when its message has come.
            channel = await asyncio.wait_for(asyncio.shield(self._wires[-1].channel), CHANNEL_LIMIT_S)
            channel.send(text)

        self._run(send())

    def close_wires(self) -> None:
        """Close every peer properly, as a server does that is being stopped."""

        async def close() -> None:
            await asyncio.gather(*(wire.pc.close() for wire in self._wires))

        self._run(close())

    def silence_wires(self) -> None:
        """Send nothing more on any peer without closing it."""

        async def silence() -> None:
            for wire in self._wires:
                wire.is_whole.clear()

        self._run(silence())

    def forget_sessions(self) -> None:
        self._live_sessions.clear()

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = uvicorn.Server(uvicorn.Config(self._app(), log_level="error", lifespan="off"))
        with socket.create_server(("127.0.0.1", self.port)) as listener:
            self.port = listener.getsockname()[1]
            # From here on the kernel takes connections, which wait for the server.
            ready.set()
            await self._server.serve(sockets=[listener])

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        if self._loop is None:
            raise RuntimeError("the stub is not running")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def _app(self) -> FastAPI:
        app = FastAPI(openapi_url=None)

        @app.middleware("http")
        async def guard(request: Request, call_next: Callable[[Request], Any]) -> Response:
            response: Response = await call_next(request)
            response.headers.update(SECURITY_HEADERS)
            return response

        app.get("/")(lambda: FileResponse(DIST / "index.html"))
        app.get("/assets/{name}")(self._asset)
        app.get("/v1/personas")(lambda: {"data": self.personas})
        app.get("/v1/personas/{persona_id}/portrait.png")(self._portrait)
        app.get("/v1/engines")(lambda: {"engines": self.engines})
        app.post("/v1/sessions")(self._create)
        app.post("/v1/sessions/{session_id}/webrtc")(self._offer)
        app.delete("/v1/sessions/{session_id}")(self._delete)
        return app

    def _asset(self, name: str) -> Response:
        path = DIST / name
        return FileResponse(path) if path.is_file() else Response(status_code=404)

    def _portrait(self, persona_id: str) -> Response:
        if not self.wishes.has_portrait:
            return Refusal(503, "not_ready", "the server is warming up").to_response()
        picture = self.wishes.picture if self.wishes.picture is not None else _still()
        _, png = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        return Response(png.tobytes(), media_type="image/png")

    async def _create(self, request: Request) -> Response:
        if (refusal := self._refusal("session")) is not None:
            return refusal
        body = await request.json()
        self.seen.sessions.append(body)
        session_id = f"ses_{len(self.seen.sessions)}"
        self._live_sessions.add(session_id)
        grant = {
            "id": session_id,
            "status": "created",
            "token": "vst_stub",
            "webrtc_url": f"{self.url}v1/sessions/{session_id}/webrtc",
            "ice_servers": [],
            "granted": {"limits": {"on_disconnect_s": self.wishes.on_disconnect_s}},
        }
        return JSONResponse(grant, 201)

    async def _offer(self, session_id: str, request: Request) -> Response:
        if (refusal := self._refusal("offer")) is not None:
            return refusal
        if session_id not in self._live_sessions:
            return Refusal(404, "session_not_found", "no such session").to_response()
        if request.headers.get("authorization") != "Bearer vst_stub":
            return Refusal(401, "token_invalid", "the token is not of this session").to_response()
        offer = (await request.body()).decode()
        self.seen.offers.append(offer)
        answer = self.wishes.answer or await self._answer(offer)
        location = {"Location": f"/v1/sessions/{session_id}/webrtc/{len(self.seen.offers)}"}
        return Response(answer, 201, location, media_type="application/sdp")

    async def _answer(self, offer: str) -> str:
        wire = _Wire()
        self._wires.append(wire)

        @wire.pc.on("datachannel")
        def open_channel(channel: RTCDataChannel) -> None:
            wire.channel.set_result(channel)
            channel.on("message", lambda text: self.seen.messages.append(json.loads(text)))

        @wire.pc.on("track")
        def take(track: MediaStreamTrack) -> None:
            if track.kind == "audio":
                wire.listener = asyncio.create_task(self._listen(track))

        await wire.pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        wire.pc.addTrack(_Tone(wire))
        wire.pc.addTrack(_Picture(wire, self.wishes.picture))
        await wire.pc.setLocalDescription(await wire.pc.createAnswer())
        return wire.pc.localDescription.sdp

    async def _listen(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                self.seen.user_peaks.append(int(np.abs(frame.to_ndarray().astype(np.int32)).max()))

    async def _delete(self, session_id: str) -> Response:
        self.seen.deleted.append(session_id)
        self._live_sessions.discard(session_id)
        return JSONResponse({"id": session_id, "status": "ended", "end_reason": "client"})

    def _refusal(self, door: str) -> Response | None:
        refusal: Refusal | None = getattr(self.wishes, door)
        if refusal is None:
            return None
        if refusal.times is not None:
            refusal.times -= 1
            if refusal.times <= 0:
                setattr(self.wishes, door, None)
        return refusal.to_response()
