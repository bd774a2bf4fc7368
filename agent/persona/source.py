"""YAML 1.2 with positions: what stands in the file and where. The only importer of ruamel.yaml.

YAML 1.2 and not 1.1, where `no` is False (and Norwegian is lost) and 012 is ten.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from .problem import Location, PersonaFileError, Problem

MAX_FILE_BYTES = 1_000_000
# A file of 1 MB cannot hold more values than this unless aliases multiply them.
MAX_VALUES = 20_000
MAX_DEPTH = 32


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file: its values as plain Python, and the place of each."""

    file: str
    lines: tuple[str, ...]
    values: Mapping[str, Any]
    marks: CommentedMap

    def problem(
        self,
        location: Location,
        code: str,
        text: str,
        *,
        level: str = "error",
        hint: str = "",
        at_key: bool = False,
    ) -> Problem:
        """A fault at a location; `at_key` points at the key and not at its value."""
        line, column = self._place(location, at_key)
        return _problem(self.file, self.lines, line, column, code, text, location=location, level=level, hint=hint)

    def _place(self, location: Location, at_key: bool) -> tuple[int, int]:
        node: Any = self.marks
        place = (0, 0)
        for depth, part in enumerate(location):
            is_last = depth == len(location) - 1
            if isinstance(node, CommentedMap) and part in node:
                key_place = node.lc.data.get(part) if node.lc.data else None
                if key_place is None:  # a key that came in by a merge has no place of its own
                    break
                use_key = at_key if is_last else True
                place = (key_place[0], key_place[1]) if use_key else (key_place[2], key_place[3])
            elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
                item_place = node.lc.data.get(part) if node.lc.data else None
                if item_place is None:
                    break
                place = (item_place[0], item_place[1])
            else:
                break
            node = node[part]
        return place[0] + 1, place[1] + 1


def read(path: Path) -> Document:
    """Read and parse a file.

    Raises:
        PersonaFileError: it cannot be read, is over 1 MB, not UTF-8, not YAML, or not a map.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise _fail(str(path), (), 1, 1, "too-large", f"a persona file may have 1 MB, this one has {size} bytes")
        raw = path.read_bytes()
    except OSError as exc:
        raise _fail(str(path), (), 1, 1, "unreadable", f"cannot be read: {exc.strerror}") from exc
    return parse(raw, str(path))


def parse(raw: bytes, file: str) -> Document:
    """Parse the bytes of a file; `file` is the name that problems carry.

    Raises:
        PersonaFileError: as `read`.
    """
    if len(raw) > MAX_FILE_BYTES:
        raise _fail(file, (), 1, 1, "too-large", f"a persona file may have 1 MB, this one has {len(raw)} bytes")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        raise _fail(file, (), line, 1, "not-utf8", "the file must be UTF-8", hint="save it as UTF-8") from exc
    lines = tuple(text.splitlines())
    marks = _load(text, file, lines)
    if not isinstance(marks, CommentedMap):
        raise _fail(file, lines, 1, 1, "not-a-map", "a persona is a map of keys and values, such as `name: Mira`")
    budget = [MAX_VALUES]
    try:
        values = _plain(marks, budget, MAX_DEPTH)
    except _TooMuch as exc:
        raise _fail(file, lines, 1, 1, "too-deep", str(exc)) from exc
    return Document(file, lines, values, marks)


def _nesting(text: str) -> int:
    """How deep brackets nest at most, those in quotes included; the parser takes 4 s for 5000 of them."""
    depth = deepest = 0
    for bracket in re.finditer(r"[\[\]{}]|^(?:[ ]*[-?:] )+", text, re.MULTILINE):
        if bracket[0] in "]}":
            depth -= 1
        elif bracket[0] in "[{":
            depth += 1
        else:
            deepest = max(deepest, len(bracket[0].split()))
        deepest = max(deepest, depth)
    return deepest


def _load(text: str, file: str, lines: tuple[str, ...]) -> Any:
    if _nesting(text) > 2 * MAX_DEPTH:
        raise _fail(file, lines, 1, 1, "too-deep", f"a file may nest {MAX_DEPTH} deep")
    yaml = YAML(typ="rt")
    yaml.allow_duplicate_keys = False
    try:
        return yaml.load(text)
    except MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        code, what = "yaml", (exc.problem or "not YAML").strip()
        if isinstance(exc, DuplicateKeyError):
            code, what = "duplicate-key", what.split(" with value")[0]
        hint = ""
        # For an unclosed quote the parser only notices at the end of the file.
        if exc.context_mark and exc.problem_mark and exc.context_mark.line != exc.problem_mark.line:
            hint = f"{(exc.context or 'it began').strip()} at line {exc.context_mark.line + 1}"
        raise _fail(file, lines, line, column, code, what, hint=hint) from exc
    except (YAMLError, ValueError, RecursionError) as exc:
        what = "nested too deeply" if isinstance(exc, RecursionError) else str(exc).split("\n")[0] or "not YAML"
        raise _fail(file, lines, 1, 1, "yaml", what) from exc


class _TooMuch(Exception):
    pass


def _plain(node: Any, budget: list[int], depth: int) -> Any:
    """Plain dict, list, str, int, float, bool, None; aliases may not blow it up."""
    budget[0] -= 1
    if budget[0] < 0 or depth < 0:
        raise _TooMuch(f"a file may nest {MAX_DEPTH} deep and hold {MAX_VALUES} values, aliases counted")
    if isinstance(node, Mapping):
        return {_plain_key(key): _plain(value, budget, depth - 1) for key, value in node.items()}
    if isinstance(node, list | tuple | set):
        return [_plain(value, budget, depth - 1) for value in node]
    if node is None or isinstance(node, bool):
        return node
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    if isinstance(node, datetime.date):
        return node.isoformat()
    return str(node)


def _plain_key(key: Any) -> Any:
    return str(key) if isinstance(key, str) else key if isinstance(key, int | float | bool) else str(key)


def _problem(
    file: str,
    lines: tuple[str, ...],
    line: int,
    column: int,
    code: str,
    text: str,
    *,
    location: Location = (),
    level: str = "error",
    hint: str = "",
) -> Problem:
    shown = lines[line - 1] if 0 < line <= len(lines) else ""
    path = ".".join(str(part) for part in location)
    return Problem(file, line, column, level, code, path, text, hint, shown)  # type: ignore[arg-type]


def _fail(
    file: str, lines: tuple[str, ...], line: int, column: int, code: str, text: str, *, hint: str = ""
) -> PersonaFileError:
    return PersonaFileError([_problem(file, lines, line, column, code, text, hint=hint)])
