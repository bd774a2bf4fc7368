"""From a file to a persona, or to every fault in it at once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from .lint import lint
from .problem import Location, PersonaFileError, Problem, did_you_mean
from .schema import Persona
from .source import Document, parse, read

FILE_NAME = "persona.yaml"


def load(path: Path | str) -> Persona:
    """Read a persona from its folder or its file.

    Raises:
        PersonaFileError: a PersonaError whose text and `problems` carry every error of the file.
    """
    file = Path(path)
    file = file / FILE_NAME if file.is_dir() else file
    return _persona(read(file), file.resolve().parent)


def loads(text: str | bytes, *, file: str = FILE_NAME) -> Persona:
    """Read a persona from text; `file` is the name that problems carry.

    Raises:
        PersonaFileError: as `load`.
    """
    return _persona(parse(text.encode() if isinstance(text, str) else text, file), None)


def find_personas(folder: Path) -> dict[str, Path]:
    """The personas below a folder: id -> path of the file, sorted by id; nothing is read."""
    return {file.parent.name: file for file in sorted(folder.glob(f"*/{FILE_NAME}"))}


def check(path: Path | str) -> tuple[Problem, ...]:
    """Every problem of a file, errors, warnings and infos, in the order of its lines."""
    try:
        return load(path).problems
    except PersonaFileError as exc:
        return exc.problems


def _persona(document: Document, folder: Path | None) -> Persona:
    problems: list[Problem] = []
    persona: Persona | None = None
    try:
        persona = Persona.model_validate(document.values)
    except ValidationError as exc:
        problems = [_from_pydantic(document, dict(error)) for error in exc.errors(include_url=False)]
    problems += lint(document, folder)
    problems.sort(key=lambda problem: (problem.line, problem.column, problem.code))
    errors = [problem for problem in problems if problem.level == "error"]
    if persona is None or errors:
        raise PersonaFileError(problems)
    sha256 = hashlib.sha256("\n".join(document.lines).encode()).hexdigest()
    return persona.with_origin(folder, sha256, tuple(problems))


def _from_pydantic(document: Document, error: Mapping[str, Any]) -> Problem:
    location = _known_part(document.values, error["loc"])
    code = str(error["type"]).replace("_", "-")
    text, hint = str(error["msg"]), ""
    if error["type"] == "extra_forbidden":
        key = str(location[-1])
        known = known_keys(location[:-1])
        hint = did_you_mean(key, known) or ("known here: " + ", ".join(known) if known else "")
        return document.problem(location, "unknown-key", f"unknown key '{key}'", hint=hint, at_key=True)
    if error["type"] == "missing":
        missing = str(error["loc"][-1])
        return document.problem(location, "missing-key", f"'{missing}' is required", at_key=True)
    if error["type"] == "string_type" and isinstance(error.get("input"), int | float):
        hint = f'put it in quotes: "{error["input"]}"'
    elif error["type"] == "literal_error":
        expected = str(error.get("ctx", {}).get("expected", ""))
        hint = did_you_mean(
            str(error.get("input")), [word.strip("' ") for word in expected.replace(" or ", ",").split(",")]
        )
    elif error["type"] == "value_error":
        text = text.removeprefix("Value error, ")
    return document.problem(location, code, text, hint=hint)


def _known_part(values: Any, location: tuple[str | int, ...]) -> Location:
    """The part of pydantic's location that stands in the file (unions add names of their own)."""
    found: list[str | int] = []
    node = values
    for part in location:
        inside = dict(enumerate(node)) if isinstance(node, list) else node
        if isinstance(inside, dict) and part in inside:
            node = inside[part]
            found.append(part)
    return tuple(found)


def known_keys(location: Location) -> list[str]:
    """The keys a map at this place may have, as an author writes them."""
    kinds: list[Any] = [Persona]
    for part in location:
        kinds = [inner for kind in kinds for inner in _inside(kind, part)]
    models = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return [field.alias or name for model in models for name, field in model.model_fields.items()]


def _inside(kind: Any, part: str | int) -> list[Any]:
    """The types a value of type `kind` holds under a key or index, unions and Annotated opened."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = {field.alias or name: field.annotation for name, field in kind.model_fields.items()}
        return _opened(fields.get(str(part)))
    if get_origin(kind) is dict:
        return _opened(get_args(kind)[1])
    if get_origin(kind) in (tuple, list):
        return _opened(get_args(kind)[0])
    return []


def _opened(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Annotated:
        return _opened(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [inner for part in get_args(annotation) for inner in _opened(part)]
    return [annotation]
