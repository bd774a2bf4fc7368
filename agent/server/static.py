"""The call page: built files, served from this machine only, under a strict content security policy."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from .problems import problem

DIST = Path(__file__).resolve().parent.parent / "web" / "dist"
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
    "Cache-Control": "no-cache",
}
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".map": "application/json",
    ".webmanifest": "application/manifest+json",
}


def page_router(dist: Path = DIST) -> APIRouter:
    """The page at `/` and its files under `/assets/`."""
    router = APIRouter()
    files = {path.name: path for path in dist.iterdir() if path.suffix in MEDIA_TYPES} if dist.is_dir() else {}

    @router.get("/", include_in_schema=False)
    async def page() -> Response:
        return _file("index.html")

    @router.get("/assets/{name}", include_in_schema=False)
    async def asset(name: str) -> Response:
        return _file(name)

    def _file(name: str) -> Response:
        path = files.get(name)
        if path is None:
            return problem("not_found", f"there is no file {name!r}")
        return FileResponse(path, media_type=MEDIA_TYPES[path.suffix], headers=SECURITY_HEADERS)

    return router
