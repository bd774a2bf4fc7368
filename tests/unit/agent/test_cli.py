"""The command line as a stranger meets it: every help is enough, every wrong value is named with its remedy."""

import socket
from argparse import _SubParsersAction
from pathlib import Path

import pytest

from agent import cli
from agent.cli import build_parser, main

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def plain_machine(tmp_path, monkeypatch):
    """No model, no key, nothing set."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "VISAVIS_MODEL", "VISAVIS_HUB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VISAVIS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VISAVIS_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)


def run(capsys, *argv: str) -> tuple[int, str, str]:
    """Exit status, output, errors."""
    try:
        status = main(argv)
    except SystemExit as end:
        status = end.code
    out, err = capsys.readouterr()
    return status, out, err


def parsers(parser, path=()):
    """Every command with its words."""
    yield path, parser
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for word, sub in action.choices.items():
                yield from parsers(sub, (*path, word))


COMMANDS = dict(parsers(build_parser()))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_explains_the_command_and_every_option(capsys, path):
    status, out, err = run(capsys, *path, "--help")
    assert status == 0 and err == "" and out.startswith("usage: visavis")
    parser = COMMANDS[path]
    assert len(parser.description) > 10
    for action in parser._actions:
        assert action.help or action.choices, f"{action.dest} is not explained"
    assert all(len(line) <= 120 for line in out.splitlines())


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ((), ("serve", "doctor", "models", "say", "bench", "--version")),
        (("serve",), ("--port", "default 7860", "OPENAI_BASE_URL", "VISAVIS_OFFLINE", "examples:", "Ctrl-C")),
        (("say",), ("-o FILE", "default say.mp4", "examples:", "1280x720")),
        (("models",), ("list", "fetch", "remove", "path", "VISAVIS_HOME")),
        (("models", "fetch"), ("visavis models list", "goes on where it was")),
        (("doctor",), ("--json", "verdict", "Exit status 1")),
        (("bench", "call"), ("JSON", "default 8", "http://127.0.0.1:7860")),
    ],
)
def test_help_has_what_a_stranger_needs(capsys, path, words):
    _, out, _ = run(capsys, *path, "--help")
    assert [word for word in words if word not in out] == []


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ((), ("COMMAND", "visavis --help")),
        (("dance",), ("dance", "serve")),
        (("serve", "--port", "abc"), ("--port", "abc", "visavis serve --help")),
        (("serve", "--port", "99999"), ("--port", "99999", "65535")),
        (("serve", "--max-sessions", "0"), ("--max-sessions", "0", "greater than or equal to 1")),
        (("serve", "--idle-timeout-s", "nan"), ("--idle-timeout-s", "nan", "--help")),
        (("serve", "--host", "0.0.0.0"), ("--host", "0.0.0.0", "only this machine", "--host 127.0.0.1")),
        (("serve", "--persona", "nobody"), ("--persona", "nobody", "mira")),
        (("serve", "--personas-dir", "/nowhere"), ("--personas-dir", "/nowhere", "persona.yaml")),
        (("serve", "--stt", "ears"), ("--stt", "ears", "whisper")),
        (("say", ""), ("text", "1 to 4000")),
        (("say", "   "), ("text", "1 to 4000")),
        (("say", "a" * 4001), ("4001 characters", "1 to 4000")),
        (("say", "hi", "-o", "/nowhere/x.mp4"), ("--output", "/nowhere/x.mp4", "folder that exists")),
        (("say", "hi", "-o", "x.avi"), ("--output", "x.avi", ".mp4")),
        (("say", "hi", "--persona", "nobody"), ("--persona", "nobody", "mira")),
        (("doctor", "--persona", "nobody"), ("--persona", "nobody", "mira")),
        (("models", "fetch", "nothing"), ("nothing", "whisper-base.en")),
        (("models", "remove", "../x"), ("../x", "whisper-base.en")),
        (("models", "path", "nothing"), ("nothing", "whisper-base.en")),
        (("bench", "call", "--minutes", "0"), ("--minutes", "0.0", "0.1 to 120")),
        (("bench", "call", "--minutes", "nan"), ("--minutes", "nan", "0.1 to 120")),
        (("bench", "call", "--turns", "-1"), ("--turns", "-1", "0 to 200")),
    ],
)
def test_a_bad_value_names_option_value_and_remedy(capsys, argv, words):
    status, out, err = run(capsys, *argv)
    assert status == 2 and out == ""
    assert err.startswith("visavis: ") and "Traceback" not in err
    assert [word for word in words if word not in err] == []


def test_a_taken_port_is_told_before_anything_is_loaded(capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        status, out, err = run(capsys, "serve", "--port", str(port))
    assert (status, out) == (2, "")
    assert f"--port {port}: another program has it" in err and "0 takes a free one" in err


@pytest.mark.parametrize("command", [("doctor",), ("say", "hello"), ("bench", "call"), ("models", "list"), ("serve",)])
def test_ctrl_c_is_no_failure_to_explain(capsys, monkeypatch, command):
    def interrupted(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_run", interrupted)
    assert run(capsys, *command) == (130, "", "")


def test_models_are_listed_with_where_they_are(capsys, tmp_path):
    status, out, _ = run(capsys, "models", "list")
    assert status == 0 and "whisper-base.en" in out and str(tmp_path / "home" / "models") in out
    assert run(capsys, "models", "path")[1].strip() == str(tmp_path / "home" / "models")


def test_a_model_that_is_not_here_is_no_path_and_nothing_to_remove(capsys):
    status, out, err = run(capsys, "models", "path", "whisper-tiny.en")
    assert (status, out) == (1, "") and "visavis models fetch whisper-tiny.en" in err
    assert run(capsys, "models", "remove", "whisper-tiny.en")[:2] == (0, "whisper-tiny.en: was not on this disk\n")


def test_fetching_offline_says_why_not(capsys):
    status, out, err = run(capsys, "models", "fetch", "whisper-tiny.en")
    assert status == 1 and out.strip() == "" and "VISAVIS_OFFLINE forbids" in err


def test_a_model_copied_in_by_hand_is_listed_found_and_removed(capsys, tmp_path):
    folder = tmp_path / "home" / "models" / "en_US-mine-low"
    folder.mkdir(parents=True)
    (folder / "en_US-mine-low.onnx").write_bytes(b"1234")
    (folder / "manifest.json").write_text('{"kind": "piper", "files": {"en_US-mine-low.onnx": {"bytes": 4}}}')
    assert "en_US-mine-low" in run(capsys, "models", "list")[1]
    assert run(capsys, "models", "path", "en_US-mine-low")[1].strip() == str(folder)
    assert run(capsys, "models", "remove", "en_US-mine-low")[0] == 0
    assert not Path(folder).exists()
