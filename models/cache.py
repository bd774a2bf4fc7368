"""Where models are kept, and what is there.

    <root>/<model>/              an installed model: all files, and manifest.json
    <root>/.partial/<model>/     one that is being fetched; never opened by an engine
    <root>/.partial/<model>.lock held by the process that fetches it

A model is moved from one to the other by a single rename, so what is installed is always whole.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import CacheError
from .registry import Kind, ModelCard, catalog

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model on disk."""

    name: str
    kind: str
    folder: Path
    num_bytes: int
    manifest: Mapping[str, Any]
    """{name, kind, repo, commit, files: {name: {bytes, digest, digest_from}}, has_alignments?}"""


def default_root(environment: Mapping[str, str] | None = None) -> Path:
    """The cache folder: $VISAVIS_HOME/models, else $XDG_CACHE_HOME/visavis/models, else ~/.cache/visavis/models."""
    env = os.environ if environment is None else environment
    if home := env.get("VISAVIS_HOME"):
        return Path(home).expanduser() / "models"
    return Path(env.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "visavis" / "models"


class ModelCache:
    """The models of one folder. Looks at the disk only, and at each call: another process may install."""

    def __init__(self, root: Path | None = None, *, cards: Mapping[str, ModelCard] | None = None) -> None:
        self.root = root or default_root()
        self.cards = catalog() if cards is None else cards

    def installed(self) -> list[InstalledModel]:
        """All models on disk, in the order of the catalog, then by name."""
        order = list(self.cards)
        try:
            names = sorted(entry.name for entry in self.root.iterdir() if not entry.name.startswith("."))
        except OSError:
            return []
        found = [model for name in names if (model := self.find(name)) is not None]
        return sorted(found, key=lambda m: order.index(m.name) if m.name in order else len(order))

    def find(self, name: str) -> InstalledModel | None:
        """One model, or None when it is not on disk as a whole."""
        if not _is_plain(name):
            return None
        folder = self.root / name
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            sizes = {file: (folder / file).stat().st_size for file in manifest["files"]}
            is_whole = all(manifest["files"][file]["bytes"] == size for file, size in sizes.items())
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if not is_whole:
            return None
        return InstalledModel(name, str(manifest.get("kind", "")), folder, sum(sizes.values()), manifest)

    def folders(self, kind: Kind) -> dict[str, Path]:
        """Name to folder of the installed models of a kind, best first (the catalog's order)."""
        return {model.name: model.folder for model in self.installed() if model.kind == kind}

    def files(self, kind: Kind) -> dict[str, Path]:
        """Name to the file an engine opens (.onnx, .bin) of the installed models of a kind, best first."""
        found = {
            name: sorted((*folder.glob("*.onnx"), *folder.glob("*.bin"))) for name, folder in self.folders(kind).items()
        }
        return {name: paths[0] for name, paths in found.items() if paths}

    def remove(self, name: str) -> bool:
        """Delete a model and what was fetched of it; False when there was neither. Raises CacheError."""
        if not _is_plain(name):
            return False
        paths = [path for path in (self.root / name, self.partial_folder(name)) if path.exists()]
        try:
            with self.lock(name):
                for path in paths:
                    shutil.rmtree(path)
        except BlockingIOError:
            raise CacheError(f"{name} is being fetched now, by this or another program; stop that first") from None
        except OSError as exc:
            raise CacheError(f"cannot remove {name} from {self.root} ({exc}); check the folder's owner") from exc
        return bool(paths)

    def partial_folder(self, name: str) -> Path:
        """Where a model lies while it is fetched."""
        return self.root / ".partial" / name

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold a model against other processes.

        Raises:
            BlockingIOError: another one holds it.
            CacheError: the folder cannot be written.
        """
        path = self.partial_folder(name).with_name(name + ".lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as exc:
            raise CacheError(f"cannot write to {self.root} ({exc}); set VISAVIS_HOME to a folder of yours") from exc
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            os.close(descriptor)

    def install(self, name: str, manifest: Mapping[str, Any]) -> Path:
        """Turn a fetched folder into an installed one, at once; the caller holds its lock.

        Raises:
            OSError: no room, or no right.
        """
        partial, target = self.partial_folder(name), self.root / name
        with (partial / MANIFEST).open("w", encoding="utf-8") as out:
            json.dump(manifest, out, indent=1)
            out.flush()
            os.fsync(out.fileno())
        if target.exists():
            shutil.rmtree(target)
        os.rename(partial, target)
        _sync_folder(self.root)
        return target


def _is_plain(name: str) -> bool:
    """Whether a name stays inside the cache folder."""
    return name == Path(name).name and not name.startswith(".") and name != ""


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
