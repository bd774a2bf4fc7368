"""The second look at a persona: what no single field shows, such as a `goto` to nowhere.

It walks the raw values and always runs, so that one wrong field does not hide the next fault.
Every check therefore tolerates values of any type.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .condition import ConditionError, parse_condition
from .expressions import EMOTIONS, EXPRESSIONS, GESTURES
from .problem import Location, Problem, did_you_mean
from .source import Document
from .template import PLAIN_NAMES, names_in

EXAMPLES_ADVISED = 5
"""Ways to say an intent; with fewer the embedded recogniser misses paraphrases (0.89 right with five)."""


@dataclass(frozen=True, slots=True)
class _Intent:
    location: Location
    values: dict[str, Any]
    scope: str
    """State name, or "" for every state."""

    @property
    def id(self) -> str:
        return str(self.values.get("id", ""))


def lint(document: Document, folder: Path | None) -> list[Problem]:
    """Every fault across fields; `folder` is where files named in the persona are looked for."""
    values = document.values
    intents = list(_intents(values))
    return [
        *_check_states(document, intents),
        *_check_intent_ids(document, intents),
        *_check_intents(document, intents),
        *_check_templates(document, intents),
        *_check_voices(document),
        *_check_files(document, folder),
    ]


def _map(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _states(values: Any) -> dict[Any, Any]:
    return _map(_map(_map(_map(values).get("brain")).get("drill")).get("states"))


def _intents(values: Any) -> Iterator[_Intent]:
    for index, intent in enumerate(_list(_map(_map(values).get("brain")).get("intents"))):
        yield _Intent(("brain", "intents", index), _map(intent), "")
    for name, state in _states(values).items():
        for index, intent in enumerate(_list(_map(state).get("intents"))):
            yield _Intent(("brain", "drill", "states", name, "intents", index), _map(intent), str(name))


def _check_states(document: Document, intents: list[_Intent]) -> Iterator[Problem]:
    states = _states(document.values)
    drill = _map(_map(document.values.get("brain")).get("drill"))
    targets: list[tuple[Location, Any, str | None]] = []
    """Place, state named there, state it is named in (None = reachable from anywhere)."""
    if "start" in drill:
        targets.append((("brain", "drill", "start"), drill["start"], None))
    for intent in intents:
        if intent.values.get("goto") is not None:
            targets.append(((*intent.location, "goto"), intent.values["goto"], intent.scope or None))
    for name, state in states.items():
        after = _map(_map(state).get("after_fallbacks"))
        if "goto" in after:
            targets.append((("brain", "drill", "states", name, "after_fallbacks", "goto"), after["goto"], str(name)))
    for location, target, _ in targets:
        if target not in states:
            known = ", ".join(map(str, states)) or "none, there is no drill"
            hint = did_you_mean(str(target), map(str, states)) or f"states: {known}"
            yield document.problem(location, "unknown-state", f"'{target}' is not a state", hint=hint)
    reached = _reached([(source, str(target)) for _, target, source in targets])
    # A wrong `goto` makes its target look unreachable; one fault is told once.
    is_sound = all(target in states for _, target, _ in targets)
    for name in states:
        if is_sound and str(name) not in reached:
            yield document.problem(
                ("brain", "drill", "states", name),
                "unreachable-state",
                f"nothing leads to '{name}'",
                level="warning",
                at_key=True,
            )


def _reached(edges: list[tuple[str | None, str]]) -> set[str]:
    reached = {target for source, target in edges if source is None}
    while True:
        more = {target for source, target in edges if source in reached} - reached
        if not more:
            return reached
        reached |= more


def _check_intent_ids(document: Document, intents: list[_Intent]) -> Iterator[Problem]:
    seen: dict[tuple[str, str], _Intent] = {}
    said: dict[tuple[str, str], _Intent] = {}
    for intent in intents:
        first = seen.setdefault((intent.scope, intent.id), intent)
        if intent.id and first is not intent:
            where = f"in state '{intent.scope}'" if intent.scope else "in brain.intents"
            yield document.problem(
                (*intent.location, "id"), "duplicate-intent", f"'{intent.id}' is there twice {where}"
            )
        for index, example in enumerate(_list(intent.values.get("examples"))):
            key = " ".join("".join(c if c.isalnum() else " " for c in str(example).casefold()).split())
            other = said.setdefault((intent.scope, key), intent)
            if other is not intent:
                yield document.problem(
                    (*intent.location, "examples", index),
                    "ambiguous-example",
                    f"'{other.id}' has this example too, so neither can be told from the other",
                    level="warning",
                )


def _check_intents(document: Document, intents: list[_Intent]) -> Iterator[Problem]:
    own = _map(_map(document.values.get("face")).get("emotions"))
    emotions = [*EMOTIONS, *EXPRESSIONS, *map(str, own)]
    slots = set(_map(_map(document.values.get("brain")).get("slots")))
    ids = {intent.id for intent in intents}
    for intent in intents:
        emotion, gesture = intent.values.get("emotion"), intent.values.get("gesture")
        if isinstance(emotion, str) and emotion not in emotions:
            hint = did_you_mean(emotion, emotions) or "one of " + ", ".join(EMOTIONS) + ", or add it to face.emotions"
            text = f"'{emotion}' is not an emotion of this face"
            yield document.problem((*intent.location, "emotion"), "unknown-emotion", text, hint=hint)
        if isinstance(gesture, str) and gesture not in GESTURES:
            hint = did_you_mean(gesture, GESTURES) or "one of " + ", ".join(GESTURES)
            yield document.problem(
                (*intent.location, "gesture"), "unknown-gesture", f"'{gesture}' is not a gesture", hint=hint
            )
        yield from _check_condition(document, intent, slots, ids)
        for name in _map(intent.values.get("slots")):
            if name not in slots:
                yield document.problem(
                    (*intent.location, "slots", name),
                    "unknown-slot",
                    f"'{name}' is not in brain.slots",
                    hint=did_you_mean(str(name), map(str, slots)),
                    at_key=True,
                )
        count = len(_list(intent.values.get("examples")))
        if 0 < count < EXAMPLES_ADVISED:
            yield document.problem(
                (*intent.location, "examples"),
                "few-examples",
                f"{count} way{'s' if count > 1 else ''} to say it; {EXAMPLES_ADVISED} are understood much better",
                level="info",
                at_key=True,
            )


def _check_condition(document: Document, intent: _Intent, slots: set[Any], ids: set[str]) -> Iterator[Problem]:
    when = intent.values.get("when")
    if not isinstance(when, str):
        return
    location = (*intent.location, "when")
    try:
        names = list(parse_condition(when).names())
    except ConditionError as exc:
        yield document.problem(location, "bad-condition", str(exc))
        return
    for group, name in names:
        known = {str(slot) for slot in slots} if group == "slot" else ids
        if name not in known:
            what = "slot" if group == "slot" else "intent"
            text = f"there is no {what} '{name}'"
            yield document.problem(location, f"unknown-{what}", text, hint=did_you_mean(name, known))


def _check_templates(document: Document, intents: list[_Intent]) -> Iterator[Problem]:
    values = document.values
    brain = _map(values.get("brain"))
    known = {*PLAIN_NAMES, *(f"vars.{name}" for name in _map(values.get("vars")))}
    known |= {f"slot.{name}" for name in _map(brain.get("slots"))}
    for location, text in _strings(values, ()):
        if location[:1] == ("extensions",):
            continue
        for name in names_in(text):
            if name in known or (name == "original" and location == ("system",)):
                continue
            hint = did_you_mean(name, known) or "known: " + ", ".join(sorted(known))
            yield document.problem(location, "undefined-name", f"'{{{{{name}}}}}' is not defined", hint=hint)


def _strings(node: Any, location: Location) -> Iterator[tuple[Location, str]]:
    if isinstance(node, str):
        yield location, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _strings(value, (*location, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _strings(value, (*location, index))


def _check_voices(document: Document) -> Iterator[Problem]:
    languages = _list(document.values.get("languages"))
    voices = _map(document.values.get("voices"))
    for index, language in enumerate(languages):
        # The first language speaks with `voice`; a second one needs a voice that can.
        if index > 0 and str(language) not in voices and str(language).split("-")[0] not in voices:
            yield document.problem(
                ("languages", index), "no-voice", f"'{language}' has no voice", hint=f"add voices.{language}"
            )


def _check_files(document: Document, folder: Path | None) -> Iterator[Problem]:
    if folder is None:
        return
    name = document.values.get("id")
    if isinstance(name, str) and Path(document.file).name == "persona.yaml" and name != folder.name:
        text = f"'{name}' is not the folder's name '{folder.name}'"
        yield document.problem(("id",), "id-mismatch", text, hint="rename one of them")
    image = _map(document.values.get("face")).get("image")
    if isinstance(image, str):
        inside = (folder / image).resolve()
        if not inside.is_relative_to(folder.resolve()):
            yield document.problem(("face", "image"), "outside-folder", f"'{image}' lies outside the persona's folder")
        elif not inside.is_file():
            hint = did_you_mean(image, (entry.name for entry in folder.iterdir()))
            yield document.problem(("face", "image"), "missing-file", f"there is no file '{image}'", hint=hint)
