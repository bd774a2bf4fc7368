"""The house rules that a machine can check: floors, library seams, sizes, the GPL border, credits."""

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit
ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("agent", "avatar", "models")
WORKER = "agent/tts/worker/"
MAX_LINES, MAX_FUNCTION_LINES = 400, 60

# A floor may import those after it; rooms in one group never import each other.
AGENT_FLOORS = [
    {"__main__"},
    {"cli"},
    {"bench", "doctor", "models_cli", "say"},
    {"server", "roleplay"},
    {"engine"},
    {"session", "upgrade"},
    {"engines"},
    {"call_engines"},
    {"pipeline"},
    {"stt", "tts", "brain", "turns", "transport"},
    {"limits"},
    {"persona"},
    {"outbox", "rtvi", "trouble", "web"},
    {"events", "config", "metrics"},
    {"errors"},
]
AVATAR_FLOORS = [
    {"face"},
    {"sync"},
    {"render", "motion", "registration"},
    {"identity"},
    {"media", "clock", "errors"},
]
SEAMS = {
    "pipecat": ("agent/pipeline/",),
    "loguru": ("agent/pipeline/",),
    "aiortc": ("agent/transport/",),
    "av": ("agent/transport/",),
    "openai": ("agent/brain/openai.py",),
    "rapidfuzz": ("agent/brain/",),
    "faster_whisper": ("agent/stt/whisper.py",),
    "ctranslate2": ("agent/stt/whisper.py",),
    "pocketsphinx": ("agent/stt/",),
    "ruamel": ("agent/persona/source.py",),
    "piper": (WORKER,),
    "espeakng_loader": (WORKER,),
    "onnxruntime": ("models/onnx.py", WORKER),
    "ai_edge_litert": ("models/litert.py",),
    "numba": ("avatar/render/",),
    "cv2": ("avatar/registration/", "avatar/render/"),
    "skia": ("avatar/registration/",),
    "fastapi": ("agent/server/",),
    "starlette": ("agent/server/",),
    "uvicorn": ("agent/server/", "agent/cli.py"),
    "torch": (),
    "mediapipe": (),
}


@cache
def sources() -> tuple[Path, ...]:
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.py"], cwd=ROOT, capture_output=True)
    listed = [ROOT / line for line in files.stdout.decode().splitlines()]
    return tuple(p for p in listed if p.exists()) or tuple(p for n in PACKAGES for p in (ROOT / n).rglob("*.py"))


def shipped() -> list[Path]:
    return [p for p in sources() if p.relative_to(ROOT).parts[0] in PACKAGES]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> set[str]:
    """Absolute names of all modules a file imports."""
    package = list(path.relative_to(ROOT).with_suffix("").parts[:-1])
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join(base + ([node.module] if node.module else []))
            names |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return names


def room(name: str, package: str) -> str | None:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == package else None


def floor_of(room_name: str, floors: list[set[str]]) -> int | None:
    return next((i for i, floor in enumerate(floors) if room_name in floor), None)


def floor_faults(package: str, floors: list[set[str]], files: list[Path]) -> list[str]:
    faults = []
    for path in files:
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] != package or len(parts) < 2 or parts[1] == "__init__":
            continue
        own = floor_of(parts[1], floors)
        if own is None:
            faults.append(f"{relative(path)}: room {parts[1]!r} stands on no floor")
            continue
        for name in imports(path):
            other = room(name, package)
            if other is None or other == parts[1] or (other_floor := floor_of(other, floors)) is None:
                continue
            if other_floor <= own:
                faults.append(f"{relative(path)} imports {name}")
    return faults


def test_floors_of_the_packages():
    below = {"agent": {"avatar", "models"}, "avatar": {"models"}, "models": set()}
    faults = []
    for path in shipped():
        package = path.relative_to(ROOT).parts[0]
        used = {name.split(".")[0] for name in imports(path)} & (set(PACKAGES) | {"tests", "examples"})
        faults += [f"{relative(path)} imports {u}" for u in used - below[package] - {package}]
    assert faults == []


def test_floors_of_the_agent():
    files = [p for p in shipped() if not relative(p).startswith(WORKER)]
    assert floor_faults("agent", AGENT_FLOORS, files) == []


def test_floors_of_the_avatar():
    assert floor_faults("avatar", AVATAR_FLOORS, shipped()) == []


def test_every_heavy_library_has_one_importer():
    faults = []
    for path in shipped():
        for name in {n.split(".")[0] for n in imports(path)} & SEAMS.keys():
            if not relative(path).startswith(SEAMS[name]):
                faults.append(f"{relative(path)} imports {name}")
    assert faults == []


def test_the_speech_program_and_the_project_do_not_import_each_other():
    worker = [p for p in shipped() if relative(p).startswith(WORKER)]
    assert (ROOT / WORKER / "LICENSE").read_text().lstrip().startswith("GNU GENERAL PUBLIC LICENSE")
    inside = [
        f"{relative(p)}: {n}" for p in worker for n in imports(p) if n.split(".")[0] in PACKAGES and "worker" not in n
    ]
    outside = [relative(p) for p in sources() if p not in worker and any("tts.worker" in n for n in imports(p))]
    assert (inside, outside) == ([], [])
    assert not [p for p in worker if p.name in ("piper.py", "espeak.py")]


def test_rooms_are_small():
    long_files = [f"{relative(p)}: {n}" for p in sources() if (n := len(p.read_text().splitlines())) > MAX_LINES]
    long_functions = [
        f"{relative(p)}:{node.lineno} {node.name}"
        for p in shipped()
        for node in ast.walk(ast.parse(p.read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (node.end_lineno or node.lineno) - node.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert (long_files, long_functions) == ([], [])


def test_no_room_is_a_drawer():
    assert not [relative(p) for p in sources() if p.stem in ("utils", "common", "misc", "manager", "helpers")]


def test_only_the_clock_reads_the_clock():
    pattern = re.compile(r"\btime\.(time|monotonic|perf_counter)\(|\.loop\.time\(|get_running_loop\(\)\.time\(")
    allowed = ("avatar/clock.py", WORKER, "avatar/registration/build")
    faults = [relative(p) for p in shipped() if pattern.search(p.read_text()) and not relative(p).startswith(allowed)]
    assert faults == []


def test_every_persona_says_where_it_comes_from():
    folders = [p.parent for p in (ROOT / "personas").glob("*/persona.yaml")]
    assert folders and all((folder / "CREDITS.md").is_file() for folder in folders)


def test_every_test_module_says_what_it_is():
    modules = [p for p in sources() if relative(p).startswith("tests/") and p.name.startswith("test_")]
    assert [relative(p) for p in modules if not re.search(r"^pytestmark = ", p.read_text(), re.M)] == []


def test_no_machine_paths_and_no_open_ends():
    pattern = re.compile(r"(^|[^A-Za-z0-9_.])/(work|farm)/|\b(TODO|FIXME|XXX)\b", re.M)
    here = Path(__file__)
    assert [relative(p) for p in sources() if p != here and pattern.search(p.read_text())] == []


def test_public_names_are_pinned():
    import agent
    import avatar

    assert sorted(agent.__all__) == ["Caller", "Persona", "Session", "load_persona", "serve"]
    assert all(getattr(agent, name) is not None for name in agent.__all__)
    assert sorted(avatar.__all__) == sorted(set(avatar.__all__)) and all(hasattr(avatar, n) for n in avatar.__all__)
