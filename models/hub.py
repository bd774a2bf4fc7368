"""What a hub says of a file, and its bytes: the HTTP half of a download.

Checksums. A file whose SHA-256 stands in the catalog is held to that. For the others the hub itself states
one: for large files (git LFS) the `X-Linked-Etag` of `HEAD /<repo>/resolve/<revision>/<path>` is the
SHA-256, for small ones the `ETag` is the git blob id. It is taken over TLS at the first fetch together with
the commit (`X-Repo-Commit`), which pins all files of the model, and recorded in the manifest: trust on
first use. So a broken or mixed-up download is always found; a hub that lies from the start is not.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

import httpx

from .checksum import Digest, digest_of_etag
from .errors import ChecksumError, HubRefusedError, HubUnreachableError, ModelError
from .registry import ModelCard, ModelFile

DEFAULT_HUB = "https://huggingface.co"
TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_MAX_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the hub has it now."""

    file: ModelFile
    url: str
    """Of the commit found, so that later requests get the same bytes."""
    digest: Digest
    digest_from: str
    """catalog | hub"""
    num_bytes: int | None
    commit: str | None


def hub_url(environment: Mapping[str, str] | None = None) -> str:
    """Base URL of the hub: $VISAVIS_HUB or Hugging Face."""
    env = os.environ if environment is None else environment
    return (env.get("VISAVIS_HUB") or DEFAULT_HUB).rstrip("/")


def is_offline(environment: Mapping[str, str] | None = None) -> bool:
    """Whether VISAVIS_OFFLINE forbids all fetching."""
    env = os.environ if environment is None else environment
    return env.get("VISAVIS_OFFLINE", "").strip().lower() not in ("", "0", "false", "no")


async def look_up(client: httpx.AsyncClient, base: str, card: ModelCard, file: ModelFile, revision: str) -> RemoteFile:
    """Ask the hub about one file.

    Raises:
        HubUnreachableError: no connection.
        HubRefusedError: an error status.
        ChecksumError: neither catalog nor hub states a checksum.
    """
    url = f"{base}/{card.repo}/resolve/{quote(revision)}/{quote(file.path)}"
    response = await _head(client, url)
    etag = response.headers.get("x-linked-etag") or response.headers.get("etag") or ""
    digest = Digest("sha256", file.sha256) if file.sha256 else digest_of_etag(etag)
    if digest is None:
        raise ChecksumError(f"the hub states no checksum for {file.path}, so it is not fetched; check VISAVIS_HUB")
    commit = response.headers.get("x-repo-commit")
    pinned = f"{base}/{card.repo}/resolve/{quote(commit or revision)}/{quote(file.path)}"
    size = file.num_bytes or _size(response)
    return RemoteFile(file, pinned, digest, "catalog" if file.sha256 else "hub", size, commit)


async def _head(client: httpx.AsyncClient, url: str) -> httpx.Response:
    """HEAD; redirects within the hub are followed, the one to its storage is not: the headers are here."""
    for _ in range(_MAX_REDIRECTS):
        try:
            response = await client.head(url, headers={"accept-encoding": "identity"}, follow_redirects=False)
        except httpx.HTTPError as exc:
            raise unreachable(url, exc) from exc
        check_status(response, url)
        target = urljoin(url, response.headers.get("location", ""))
        if not response.is_redirect or "x-linked-etag" in response.headers or _host(target) != _host(url):
            return response
        url = target
    raise HubRefusedError(f"the hub sends {url} in circles; check VISAVIS_HUB")


def _size(response: httpx.Response) -> int | None:
    stated = response.headers.get("x-linked-size")
    if stated is None and not response.is_redirect:
        stated = response.headers.get("content-length")
    return int(stated) if stated and stated.isdigit() else None


def _host(url: str) -> str:
    return urlsplit(url).netloc


def unreachable(url: str, exc: httpx.HTTPError) -> ModelError:
    """The error for a connection that could not be made."""
    what = type(exc).__name__
    return HubUnreachableError(
        f"{_host(url)} cannot be reached ({what}); check the network, or set VISAVIS_HUB to a mirror, "
        "or VISAVIS_OFFLINE=1 to stop trying"
    )


def check_status(response: httpx.Response, url: str) -> None:
    """Raises HubRefusedError for an error status."""
    code = response.status_code
    if code < 400:
        return
    if code == 404:
        raise HubRefusedError(f"the hub has no {urlsplit(url).path} (404); check VISAVIS_HUB")
    if code in (401, 403):
        raise HubRefusedError(f"the hub does not hand out {urlsplit(url).path} ({code}); check VISAVIS_HUB or a proxy")
    retryable = code == 429 or code >= 500
    raise HubRefusedError(f"the hub answered {code} for {urlsplit(url).path}; try again later", retryable=retryable)
