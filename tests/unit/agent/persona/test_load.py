"""Persona files: what loads, what does not, and how the author is told."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from agent.errors import PersonaError
from agent.persona import PersonaFileError, check, find_personas, load, loads
from agent.persona.load import known_keys
from agent.persona.source import MAX_FILE_BYTES

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[4]
BROKEN = sorted((Path(__file__).parent / "broken").glob("*.yaml"))
SHIPPED = find_personas(ROOT / "personas")
MINIMAL = "{schema: persona/v1, id: a, name: A}"


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_every_fault_is_told_with_its_place(path: Path) -> None:
    told = "\n".join(str(problem) for problem in check(path)).replace(f"{path.parent}/", "")
    assert told == path.with_suffix(".txt").read_text().rstrip("\n")


@pytest.mark.parametrize("path", [path for path in BROKEN if path.stem != "attic"], ids=lambda path: path.stem)
def test_a_broken_file_raises_one_error_with_everything(path: Path) -> None:
    with pytest.raises(PersonaError) as caught:
        load(path)
    assert caught.value.code == "persona_invalid"
    assert isinstance(caught.value, PersonaFileError)
    assert all(str(problem) in str(caught.value) for problem in caught.value.problems)


def test_two_personas_are_shipped() -> None:
    assert list(SHIPPED) == ["dana-buyer", "mira"]


@pytest.mark.parametrize("path", SHIPPED.values(), ids=SHIPPED)
def test_a_shipped_persona_has_no_fault_and_has_credits(path: Path) -> None:
    persona = load(path)
    assert [str(problem) for problem in persona.problems] == []
    assert persona.id == path.parent.name
    assert (path.parent / "CREDITS.md").read_text().strip()


def test_a_folder_or_its_file_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "persona.yaml").write_text(MINIMAL)
    assert load(tmp_path / "a") == load(str(tmp_path / "a" / "persona.yaml"))
    assert load(tmp_path / "a").folder == (tmp_path / "a").resolve()


def test_the_hash_follows_the_text() -> None:
    assert loads(MINIMAL).sha256 != loads(MINIMAL + "\n# changed").sha256


def test_the_folder_must_bear_the_id(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "persona.yaml").write_text(MINIMAL)
    assert [problem.code for problem in check(tmp_path / "b")] == ["id-mismatch"]


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(PersonaError, match="cannot be read: No such file"):
        load(tmp_path / "nobody.yaml")


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "huge.yaml"
    file.write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    assert [problem.code for problem in check(file)] == ["too-large"]


def test_yaml_is_of_version_1_2() -> None:
    persona = loads("schema: persona/v1\nid: a\nname: no\nlanguages: [no]\nvars: {count: 012, is_open: on}")
    assert (persona.name, persona.languages) == ("no", ("no",))
    assert persona.vars == {"count": 12, "is_open": "on"}


def test_a_single_line_stands_for_a_list() -> None:
    persona = loads(MINIMAL.replace("}", ", greeting: Hello., style: {avoid: jargon}}"))
    assert (persona.greeting, persona.style.avoid) == (("Hello.",), ("jargon",))


def test_a_persona_does_not_change() -> None:
    persona = loads(MINIMAL)
    with pytest.raises(ValueError, match="frozen"):
        persona.name = "B"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("location", "key"),
    [
        ((), "schema"),
        (("style",), "max_sentences"),
        (("brain", "drill", "states", "x"), "after_fallbacks"),
        (("brain", "intents", 0), "examples"),
        (("knowledge", "lorebook", 3), "keys"),
        (("examples", 0, 1), "char"),
        (("voices", "de"), "pronounce"),
    ],
)
def test_known_keys_are_those_an_author_writes(location: tuple[str | int, ...], key: str) -> None:
    assert key in known_keys(location)


def test_nothing_but_a_persona_error_comes_out_of_a_mangled_file() -> None:
    source = SHIPPED["dana-buyer"].read_bytes()[:2500]
    rng = random.Random(7)
    for _ in range(12):
        mangled = bytearray(source)
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(len(mangled))
            mangled[at : at + rng.randrange(4)] = rng.choice(
                [b"", b":", b"[", b"{", b"&a ", b"*a", b"- ", b"\xff", b"!!x"]
            )
        try:
            loads(bytes(mangled))
        except PersonaError:
            continue


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "- " * 5000,
        "{a: " * 5000,
        "a: " * 400,
        "{a: &x [*x]}",
        "? [a]\n: b",
        "!!python/object:os.system x",
        "%YAML 9",
        "\0",
        "a: !!binary x",
    ],
)
def test_hostile_files_are_refused_quickly(text: str) -> None:
    with pytest.raises(PersonaError):
        loads(text)


def test_secrets_of_the_environment_stay_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "sk-secret")
    with pytest.raises(PersonaError) as caught:
        loads("{schema: persona/v1, id: a, name: '${env:SECRET}', nonsense: '${SECRET}'}")
    assert "sk-secret" not in str(caught.value)
