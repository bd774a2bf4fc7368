"""The command `visavis`: reads options, says what is wrong with them, hands over."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NoReturn, TypeAlias

from .errors import AgentError, ConfigError

# Before numpy is loaded: its threads spin while they wait, beside those that draw and encode.
for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"
EXIT_BAD_OPTION = 2
EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


VOICES = ("auto", "piper", "flite", "espeak")
ENVIRONMENT = """\
environment:
  OPENAI_API_KEY   talk through OpenAI, or with OPENAI_BASE_URL through any server that speaks its API
  OPENAI_BASE_URL  such as http://127.0.0.1:11434/v1 (Ollama; one on this machine is found without this)
  VISAVIS_MODEL    which language model to ask for
  VISAVIS_HOME     where fetched models are kept (default ~/.cache/visavis)
  VISAVIS_HUB      where models come from (default https://huggingface.co)
  VISAVIS_OFFLINE  1 = never fetch anything
"""
SERVE = """\
Serve the call page and the API to this machine. It starts with what is here and fetches better ears and
voices while you talk; the next call uses them. Ctrl-C stops.
"""
SERVE_EXAMPLES = """\
examples:
  visavis serve
  visavis serve --port 7871 --persona dana-buyer
  OPENAI_BASE_URL=http://127.0.0.1:11434/v1 VISAVIS_MODEL=llama3.2 visavis serve

"""
DOCTOR = """\
Say which engines are here, which a call would use and what would make it better, and hold a short call with
this machine itself. Exit status 1 when something must be mended.
"""
MODELS = """\
Better ears (Whisper: say anything) and voices (Piper). They are kept in $VISAVIS_HOME/models, or in
~/.cache/visavis/models, and used from the next call on.
"""
MODELS_EXAMPLES = """\
examples:
  visavis models list
  visavis models fetch whisper-base.en en_US-lessac-medium
  visavis models remove whisper-base.en
"""
SAY = """\
Let a persona say a text and write it, face and voice, to an MP4 file (1280x720, 25 pictures a second, H.264
and AAC), faster than it takes to watch.
"""
SAY_EXAMPLES = """\
examples:
  visavis say "Good morning."
  visavis say "Good morning." --persona dana-buyer -o morning.mp4
"""
BENCH_CALL = """\
Start a server, call it over loopback, ask, interrupt and look on; print one JSON object with machine facts,
what was measured and the goals. Takes --minutes, or longer when the turns do.
"""


class _Parser(argparse.ArgumentParser):
    """Argparse that keeps the lines of our texts and names the remedy."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **settings)

    def error(self, message: str) -> NoReturn:
        message = message.removeprefix("argument ")
        self.exit(EXIT_BAD_OPTION, f"visavis: {message}\n`{self.prog} --help` lists what it takes.\n")


def build_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = _Parser(
        prog="visavis",
        description="Talk face to face with a persona that lives on your own machine.",
        epilog="`visavis serve` is where to begin; `visavis COMMAND --help` tells more.",
    )
    parser.add_argument("--version", action="version", version=f"visavis {_version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    _serve_command(commands)
    doctor = commands.add_parser("doctor", help="say what works here and what to improve", description=DOCTOR)
    doctor.add_argument("--persona", metavar="NAME", help="check what this persona needs (default mira)")
    doctor.add_argument("--json", action="store_true", help="print a JSON list of {what, verdict, text, remedy}")
    _model_commands(commands)
    say = commands.add_parser(
        "say", help="let a persona say a text in a video file", description=SAY, epilog=SAY_EXAMPLES
    )
    say.add_argument("text", help="what to say, 1 to 4000 characters")
    say.add_argument("--persona", metavar="NAME", default="mira", help="who says it (default mira)")
    say.add_argument("-o", "--output", metavar="FILE", default="say.mp4", help="file to write (default say.mp4)")
    say.add_argument("--tts", choices=VOICES, default="auto", help="voice engine (default auto: the best one here)")
    _bench_commands(commands)
    return parser


def _serve_command(commands: Commands) -> None:
    serve = commands.add_parser(
        "serve", help="serve the call page", description=SERVE, epilog=SERVE_EXAMPLES + ENVIRONMENT
    )
    serve.add_argument("--host", metavar="ADDRESS", help="listen on 127.0.0.1 (default), localhost or ::1")
    serve.add_argument("--port", type=int, metavar="N", help="port (default 7860; 0 takes a free one)")
    serve.add_argument("--persona", metavar="NAME", help="who answers when the caller chooses nobody (default mira)")
    serve.add_argument("--personas-dir", metavar="FOLDER", help="folder of personas (default: the shipped ones)")
    serve.add_argument("--max-sessions", type=int, metavar="N", help="calls at once (default 4; plan 0.5 core each)")
    serve.add_argument(
        "--idle-timeout-s", type=float, metavar="S", help="end a call after so many seconds of silence (0 = never)"
    )
    serve.add_argument(
        "--on-disconnect-s", type=float, metavar="S", help="seconds a lost caller has to come back (default 30)"
    )
    _engine_options(serve)
    serve.add_argument("--verbose", action="store_true", help="log every step of the pipeline")


def _engine_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--stt", choices=("auto", "whisper", "pocketsphinx"), help="ears: auto takes Whisper when its model is here"
    )
    parser.add_argument("--tts", choices=VOICES, help="voice: auto takes the best one here, in this order")
    parser.add_argument(
        "--brain", choices=("auto", "openai", "scripted"), help="mind: auto takes a language model when one answers"
    )


def _model_commands(commands: Commands) -> None:
    models = commands.add_parser(
        "models", help="list, fetch or remove better ears and voices", description=MODELS, epilog=MODELS_EXAMPLES
    )
    verbs = models.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=_Parser)
    known = "names as `visavis models list` shows them"
    verbs.add_parser("list", help="what there is and what is on this disk", description="List all models.")
    fetch = verbs.add_parser("fetch", help="download models", description=(
        "Download models, verify and install them. A download that broke off goes on where it was."
    ), epilog=ENVIRONMENT)  # fmt: skip
    fetch.add_argument("name", nargs="+", metavar="NAME", help=known)
    remove = verbs.add_parser("remove", help="delete a model from this disk", description="Delete a model.")
    remove.add_argument("name", metavar="NAME", help=known)
    path = verbs.add_parser("path", help="print where models are kept, or one model's folder", description=(
        "Print where models are kept, or the folder of one."
    ))  # fmt: skip
    path.add_argument("name", nargs="?", metavar="NAME", help=known)


def _bench_commands(commands: Commands) -> None:
    bench = commands.add_parser("bench", help="measure calls on this machine", description="Measure, and print JSON.")
    kinds = bench.add_subparsers(dest="bench", required=True, metavar="WHAT", parser_class=_Parser)
    call = kinds.add_parser(
        "call", help="latency, cadence, lips, barge-in and cost of a call on loopback", description=BENCH_CALL
    )
    call.add_argument("--turns", type=int, metavar="N", default=8, help="spoken turns to measure (default 8)")
    call.add_argument("--interruptions", type=int, metavar="N", default=5, help="barge-ins to measure (default 5)")
    call.add_argument("--minutes", type=float, metavar="M", default=1.0, help="how long to look on (default 1)")
    call.add_argument("--codec", choices=("VP8", "H264"), default="VP8", help="of the picture (default VP8)")
    call.add_argument("--url", help="measure this server, such as http://127.0.0.1:7860, instead of starting one")
    _engine_options(call)


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
