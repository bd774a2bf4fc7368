"""Sessions: make one, connect to it, end it (api.md B)."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ...errors import SessionError, TransportError
from ...metrics import thread_cpu_s
from ...session import Session
from ..calls import CallBook

MAX_SDP_BYTES = 65_536


class PersonaChoice(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)


class SessionRequest(BaseModel):
    """What a caller may ask of a new session; everything has a default."""

    model_config = ConfigDict(extra="forbid")

    persona: PersonaChoice | None = None
    mode: Literal["agent"] = "agent"
    metadata: dict[str, Any] = Field(default_factory=dict)


class Candidate(BaseModel):
    model_config = ConfigDict(extra="ignore")

    candidate: str = ""
    sdpMid: str | None = None
    sdpMLineIndex: int | None = None


class Candidates(BaseModel):
    model_config = ConfigDict(extra="forbid")

    candidates: list[Candidate] = Field(max_length=64)


def session_router(book: CallBook) -> APIRouter:
    """`/v1/sessions` and what hangs below it."""
    router = APIRouter(prefix="/v1/sessions", tags=["sessions"])

    @router.post("", status_code=201)
    async def create(body: SessionRequest, request: Request) -> dict[str, Any]:
        session = await book.create(body.persona.id if body.persona else None)
        base = str(request.base_url).rstrip("/")
        return {
            **session.to_wire(),
            "token": session.token,
            "webrtc_url": f"{base}/v1/sessions/{session.id}/webrtc",
            "ice_servers": [],
            "granted": granted(book),
        }

    @router.get("/{session_id}")
    async def show(session_id: str) -> dict[str, Any]:
        return book.find_ended(session_id) or book.get(session_id).to_wire()

    @router.get("/{session_id}/metrics")
    async def metrics(session_id: str) -> dict[str, Any]:
        return {**book.get(session_id).metrics(), "cpu_s": thread_cpu_s()}

    @router.delete("/{session_id}")
    async def end(session_id: str, authorization: Annotated[str | None, Header()] = None) -> dict[str, Any]:
        if ended := book.find_ended(session_id):
            return ended
        session = _authorised(book.get(session_id), authorization)
        await session.aclose("client")
        return session.to_wire()

    @router.post("/{session_id}/webrtc", status_code=201)
    async def webrtc(
        session_id: str, request: Request, authorization: Annotated[str | None, Header()] = None
    ) -> Response:
        session = _authorised(book.get(session_id), authorization)
        answer = await session.answer(await read_sdp(request))
        headers = {"Location": f"/v1/sessions/{session_id}/webrtc", "ETag": f'"{session_id}"'}
        return Response(answer, 201, headers, media_type="application/sdp")

    @router.patch("/{session_id}/webrtc", status_code=204)
    async def trickle(
        session_id: str, body: Candidates, authorization: Annotated[str | None, Header()] = None
    ) -> Response:
        session = _authorised(book.get(session_id), authorization)
        for c in body.candidates:
            await session.add_candidate(c.candidate, mid=c.sdpMid, mline_index=c.sdpMLineIndex)
        return Response(status_code=204)

    return router


def granted(book: CallBook) -> dict[str, Any]:
    """What a session gets."""
    video = book.config.video
    return {
        "video": {"width": video.width_px, "height": video.height_px, "fps": 25, "codec": video.codec},
        "limits": {
            "idle_timeout_s": book.config.idle_timeout_s,
            "on_disconnect_s": book.config.on_disconnect_s,
        },
    }


async def read_sdp(request: Request) -> str:
    """The offer in a request's body, 64 KiB at most.

    Raises:
        TransportError: too large, or no text.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_SDP_BYTES:
            raise TransportError(f"an offer may have {MAX_SDP_BYTES} bytes", code="too_large")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise TransportError("the offer is not text") from None


def _authorised(session: Session, authorization: str | None) -> Session:
    """The session, if the credential is its token; without one, dev mode's guard has let the caller pass."""
    if authorization is None:
        return session
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not secrets.compare_digest(token.encode(), session.token.encode()):
        raise SessionError("this token does not belong to the session", code="unauthorized")
    return session
