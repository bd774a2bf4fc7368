"""The door of pipecat's own client (SmallWebRTC convention): `POST /start`, `POST` and `PATCH /api/offer`."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from ...session import Session
from ..calls import CallBook
from .sessions import MAX_SDP_BYTES


class OfferRequest(BaseModel):
    """As pipecat's small-webrtc transport sends it."""

    model_config = ConfigDict(extra="ignore")

    sdp: str = Field(max_length=MAX_SDP_BYTES)
    type: Literal["offer"]
    pc_id: str | None = None
    restart_pc: bool | None = None
    requestData: dict[str, Any] | None = None
    request_data: dict[str, Any] | None = None


class TrickledCandidate(BaseModel):
    model_config = ConfigDict(extra="ignore")

    candidate: str = ""
    sdp_mid: str | None = None
    sdp_mline_index: int | None = None


class TrickleRequest(BaseModel):
    model_config = ConfigDict(extra="ignore")

    pc_id: str
    candidates: list[TrickledCandidate] = Field(max_length=64)


class StartRequest(BaseModel):
    model_config = ConfigDict(extra="ignore")

    body: dict[str, Any] | None = None


def offer_router(book: CallBook) -> APIRouter:
    """pipecat's paths, with and without a session made before by `/start`."""
    router = APIRouter(tags=["pipecat"])

    @router.post("/start")
    async def start(request: StartRequest) -> dict[str, Any]:
        session = await book.create(_persona_id(request.body), door="pipecat")
        return {"sessionId": session.id, "iceConfig": {"iceServers": []}}

    @router.post("/api/offer")
    async def offer(request: OfferRequest) -> dict[str, str]:
        if request.pc_id is not None:
            return await _answer(book.get(request.pc_id), request)
        session = await book.create(_persona_id(request.requestData or request.request_data), door="pipecat")
        try:
            return await _answer(session, request)
        except BaseException:
            await session.aclose("error")
            raise

    @router.patch("/api/offer")
    async def trickle(request: TrickleRequest) -> dict[str, str]:
        return await _trickle(book.get(request.pc_id), request)

    @router.post("/sessions/{session_id}/api/offer")
    async def session_offer(session_id: str, request: OfferRequest) -> dict[str, str]:
        return await _answer(book.get(session_id), request)

    @router.patch("/sessions/{session_id}/api/offer")
    async def session_trickle(session_id: str, request: TrickleRequest) -> dict[str, str]:
        return await _trickle(book.get(session_id), request)

    return router


async def _answer(session: Session, request: OfferRequest) -> dict[str, str]:
    return {"sdp": await session.answer(request.sdp), "type": "answer", "pc_id": session.id}


async def _trickle(session: Session, request: TrickleRequest) -> dict[str, str]:
    for c in request.candidates:
        await session.add_candidate(c.candidate, mid=c.sdp_mid, mline_index=c.sdp_mline_index)
    return {"status": "success"}


def _persona_id(data: dict[str, Any] | None) -> str | None:
    persona = (data or {}).get("persona")
    name = persona.get("id") if isinstance(persona, dict) else persona
    return name if isinstance(name, str) else None
