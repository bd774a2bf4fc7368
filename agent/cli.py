"""The command `visavis`: reads options, says what is wrong with them, hands over."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import NoReturn

from .errors import AgentError, ConfigError

EXIT_BAD_OPTION = 2
EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """Argparse that names the remedy."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_BAD_OPTION, f"visavis: {message}\n`{self.prog} --help` lists what it takes.\n")


def build_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = _Parser(prog="visavis", description="Talk face to face with a persona that lives on your own machine.")
    parser.add_argument("--version", action="version", version=f"visavis {_version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)

    serve = commands.add_parser("serve", help="serve the call page", description="Serve the call page and the API.")
    serve.add_argument("--host", help="address to listen on (default 127.0.0.1: this machine only)")
    serve.add_argument("--port", type=int, help="port (default 7860; 0 takes a free one)")
    serve.add_argument("--persona", help="persona that answers when the caller chooses none (default mira)")
    serve.add_argument("--personas-dir", help="folder of personas (default: the shipped ones)")
    serve.add_argument("--max-sessions", type=int, help="calls at once (default 4; plan 0.5 core each)")
    serve.add_argument("--idle-timeout-s", type=float, help="end a call after so much silence (default 0: never)")
    serve.add_argument("--on-disconnect-s", type=float, help="how long a lost caller may come back (default 30)")
    _engine_options(serve)
    serve.add_argument("--verbose", action="store_true", help="log every step of the pipeline")

    doctor = commands.add_parser(
        "doctor", help="say what works here", description="Which engines are here, which will be used, what to improve."
    )
    doctor.add_argument("--persona", help="also check what this persona needs (default mira)")
    doctor.add_argument("--json", action="store_true", help="print JSON")

    _model_commands(commands)

    say = commands.add_parser(
        "say", help="render a sentence to a video file", description="Speak a text into an MP4 file."
    )
    say.add_argument("text", help="what to say")
    say.add_argument("--persona", default="mira", help="who says it (default mira)")
    say.add_argument("-o", "--output", default="say.mp4", help="file to write (default say.mp4)")
    say.add_argument("--tts", choices=("auto", "piper", "flite", "espeak"), default="auto", help="voice engine")

    bench = commands.add_parser("bench", help="measure", description="Drive real calls and print JSON.")
    kinds = bench.add_subparsers(dest="bench", required=True, metavar="WHAT", parser_class=_Parser)
    call = kinds.add_parser("call", help="latency, cadence, lips, barge-in and cost of a call on loopback")
    call.add_argument("--turns", type=int, default=8, help="spoken turns to measure (default 8)")
    call.add_argument("--interruptions", type=int, default=5, help="barge-ins to measure (default 5)")
    call.add_argument("--minutes", type=float, default=1.0, help="length of the cadence measurement (default 1)")
    call.add_argument("--codec", choices=("VP8", "H264"), default="VP8")
    call.add_argument("--url", help="measure this server instead of starting one")
    _engine_options(call)
    return parser


def _engine_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stt", choices=("auto", "whisper", "pocketsphinx"), help="recogniser (default auto)")
    parser.add_argument("--tts", choices=("auto", "piper", "flite", "espeak"), help="voice engine (default auto)")
    parser.add_argument("--brain", choices=("auto", "openai", "scripted"), help="mind (default auto)")


def _model_commands(commands: argparse._SubParsersAction[_Parser]) -> None:
    models = commands.add_parser("models", help="list, fetch or remove models", description="Better ears and voices.")
    verbs = models.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=_Parser)
    verbs.add_parser("list", help="what there is and what is on this disk")
    fetch = verbs.add_parser("fetch", help="download models, resumable")
    fetch.add_argument("name", nargs="+", help="names as `visavis models list` shows them")
    remove = verbs.add_parser("remove", help="delete a model from this disk")
    remove.add_argument("name")
    path = verbs.add_parser("path", help="print where models are kept, or one model's folder")
    path.add_argument("name", nargs="?")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = build_parser().parse_args(argv)
    try:
        return _run(options)
    except ConfigError as error:
        print(f"visavis: {error}", file=sys.stderr)
        return EXIT_BAD_OPTION
    except AgentError as error:
        print(f"visavis: {error}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _run(options: argparse.Namespace) -> int:
    # Each command imports its own: `visavis --help` must not load a neural net.
    match options.command:
        case "serve":
            from .server.serve import serve

            return serve(vars(options))
        case "doctor":
            from .doctor import run_doctor

            return run_doctor(persona=options.persona, as_json=options.json)
        case "models":
            from .models_cli import run_models

            return run_models(options.verb, getattr(options, "name", None))
        case "say":
            from .say import run_say

            return run_say(options.text, persona=options.persona, output=options.output, tts=options.tts)
        case _:
            from .bench import run_bench

            return run_bench(vars(options))


def _version() -> str:
    try:
        return version("visavis")
    except PackageNotFoundError:
        return "unknown"


if __name__ == "__main__":
    raise SystemExit(main())
