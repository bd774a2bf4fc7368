"""Which models are known: cards read from `catalog.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from .errors import UnknownModelError

Kind = Literal["whisper", "piper"]
CATALOG_PATH = Path(__file__).with_name("catalog.toml")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model."""

    name: str
    """Name in the model's folder on disk."""
    path: str
    """Path in the hub's repository."""
    num_bytes: int | None = None
    sha256: str | None = None
    """None: what the hub states is trusted, see `download`."""

    def __post_init__(self) -> None:
        if PurePosixPath(self.name).name != self.name or self.name in ("", ".", ".."):
            raise ValueError(f"a model's file must have a plain name, not {self.name!r}")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is to be known of a model before it is fetched."""

    name: str
    kind: Kind
    languages: tuple[str, ...]
    """ISO 639-1; ("*",) = many."""
    repo: str
    """Owner and name on the hub."""
    licence: str
    source: str
    megabytes: int
    """About what is downloaded."""
    files: tuple[ModelFile, ...]
    revision: str = "main"

    @property
    def main_file(self) -> str:
        """The file an engine opens: the voice's .onnx, or Whisper's model.bin."""
        return next(f.name for f in self.files if f.name.endswith((".onnx", ".bin")))


def read_catalog(path: Path) -> dict[str, ModelCard]:
    """Read cards by name. Raises ValueError (tomllib.TOMLDecodeError, KeyError) for a broken catalog."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))["model"]
    cards = [_card(table) for table in tables]
    if len({card.name for card in cards}) != len(cards):
        raise ValueError(f"{path}: two models have the same name")
    return {card.name: card for card in cards}


def _card(table: Mapping[str, Any]) -> ModelCard:
    folder = table.get("folder", "")
    return ModelCard(
        name=table["name"],
        kind=table["kind"],
        languages=tuple(table["languages"]),
        repo=table["repo"],
        licence=table["licence"],
        source=table["source"],
        megabytes=table["megabytes"],
        files=tuple(_file(entry, folder) for entry in table["files"]),
        revision=table.get("revision", "main"),
    )


def _file(entry: str | Mapping[str, Any], folder: str) -> ModelFile:
    fields: Mapping[str, Any] = {"name": entry} if isinstance(entry, str) else entry
    name = fields["name"]
    path = fields.get("path", f"{folder}/{name}" if folder else name)
    return ModelFile(name, path, fields.get("bytes"), fields.get("sha256"))


@cache
def catalog() -> Mapping[str, ModelCard]:
    """The cards that ship with the program."""
    return read_catalog(CATALOG_PATH)


def card(name: str) -> ModelCard:
    """One card. Raises UnknownModelError naming those that are known."""
    cards = catalog()
    if name not in cards:
        raise UnknownModelError(f"no model is called {name!r}; known are: {', '.join(cards)}")
    return cards[name]


def best_whisper(language: str) -> str:
    """The Whisper model to fetch for a language (BCP 47)."""
    return "whisper-base.en" if language.lower().split("-")[0] == "en" else "whisper-base"


def best_voice(language: str) -> str | None:
    """The Piper voice to fetch for a language (BCP 47), or None."""
    spoken = language.lower().split("-")[0]
    return next((c.name for c in catalog().values() if c.kind == "piper" and spoken in c.languages), None)
