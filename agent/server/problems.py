"""Errors as the API says them: one envelope, one table from code to HTTP status."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ..errors import AgentError

logger = logging.getLogger(__name__)

STATUS = {
    "invalid_request": 422,
    "too_large": 413,
    "unauthorized": 401,
    "origin_not_allowed": 403,
    "session_not_found": 404,
    "persona_not_found": 404,
    "not_found": 404,
    "session_ended": 410,
    "signalling_failed": 422,
    "concurrency_limit": 429,
    "server_busy": 503,
    "not_ready": 503,
}
RETRY_AFTER_S = 5


def envelope(code: str, message: str, *, param: str | None = None, retryable: bool = False) -> dict[str, object]:
    """The one shape of every error, on REST and on the data channel."""
    error: dict[str, object] = {"type": "error", "code": code, "message": message, "retryable": retryable}
    if param is not None:
        error["param"] = param
    if retryable:
        error["retry_after_s"] = RETRY_AFTER_S
    return {"error": error}


def problem(code: str, message: str, *, param: str | None = None, retryable: bool = False) -> JSONResponse:
    """An error as an HTTP reply."""
    status = STATUS.get(code, 500)
    headers = {"Retry-After": str(RETRY_AFTER_S)} if retryable else {}
    return JSONResponse(envelope(code, message, param=param, retryable=retryable), status, headers)


def install(app: FastAPI) -> None:
    """Answer every failure with the envelope; an unforeseen one tells nothing of our inside."""

    @app.exception_handler(AgentError)
    async def _agent_error(request: Request, error: AgentError) -> JSONResponse:
        return problem(error.code, str(error), retryable=error.retryable)

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        pointer = "/" + "/".join(str(part) for part in first["loc"][1:])
        return problem("invalid_request", first["msg"], param=pointer)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        code = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(error.status_code, "invalid_request")
        return JSONResponse(envelope(code, str(error.detail)), error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
        logger.exception("unforeseen error in %s %s", request.method, request.url.path)
        return problem("internal", "something went wrong in the server; its log says what", retryable=True)
