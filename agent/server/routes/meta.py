"""What the server is and how it fares: health, readiness, engines, personas, Prometheus."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response

from ...errors import PersonaError
from ...persona.schema import Persona
from ...persona.template import fill
from ..calls import CallBook
from ..prometheus import CallMeters


def meta_router(book: CallBook, meters: CallMeters) -> APIRouter:
    """Everything that is not a session."""
    router = APIRouter(tags=["meta"])

    @router.get("/healthz", response_class=PlainTextResponse)
    async def healthz() -> str:
        return "ok\n"

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        is_ready = book.engines is not None and not book.is_closing
        checks = {"engines": book.engines is not None, "accepting": not book.is_closing}
        body = {
            "ready": is_ready,
            "checks": checks,
            "active_sessions": book.num_active,
            "max_sessions": book.config.max_sessions,
        }
        return JSONResponse(body, 200 if is_ready else 503)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        return Response(meters.expose(), media_type=meters.content_type)

    @router.get("/v1/engines")
    async def engines() -> dict[str, Any]:
        return {"engines": book.engines.describe() if book.engines is not None else {}}

    @router.get("/v1/personas")
    async def personas() -> dict[str, Any]:
        # In a thread, as wherever a persona is read: 40 to 80 ms a file, in which no call's sound would leave.
        data = await asyncio.to_thread(_all_to_wire, book)
        data.sort(key=lambda p: p["id"] != book.config.persona)
        return {"data": data, "next_cursor": None}

    @router.get("/v1/personas/{persona_id}")
    async def persona(persona_id: str) -> dict[str, Any]:
        return _to_wire(await asyncio.to_thread(book.persona, persona_id))

    @router.get("/v1/personas/{persona_id}/portrait.png", response_class=FileResponse)
    async def portrait(persona_id: str) -> FileResponse:
        if book.engines is None:
            raise PersonaError("the server is warming up", code="not_ready", retryable=True)
        persona = await asyncio.to_thread(book.persona, persona_id)
        path = book.engines.portrait(persona)
        return FileResponse(path, media_type="image/png", headers={"Cache-Control": "max-age=300"})

    return router


def _all_to_wire(book: CallBook) -> list[dict[str, Any]]:
    data = []
    for persona_id in sorted(book.personas()):
        try:
            data.append(_to_wire(book.persona(persona_id)))
        except PersonaError:
            continue  # a broken file is shown by `visavis persona lint`, not to callers
    return data


def _to_wire(persona: Persona) -> dict[str, Any]:
    return {
        "id": persona.id,
        "name": persona.name,
        "description": described(persona),
        "language": persona.languages[0],
        "languages": list(persona.languages),
        "face": {"poster_url": f"/v1/personas/{persona.id}/portrait.png"},
    }


def described(persona: Persona) -> str:
    """The persona in its author's words, with the values filled in."""
    values = {f"vars.{name}": value for name, value in persona.vars.items()}
    return fill(persona.description, {**values, "char": persona.name})
