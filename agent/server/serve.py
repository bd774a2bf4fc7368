"""`visavis serve`: says what it does, serves until Ctrl-C, leaves nothing behind."""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Mapping
from typing import Any

import uvicorn

from ..config import ServerConfig, load_config
from ..engines import Engines
from ..errors import AgentError, ConfigError
from ..persona.load import find_personas
from ..pipeline.log import quiet_pipecat
from .app import Start, create_app

BACKLOG = 128
OPTION_NAMES = frozenset(ServerConfig.model_fields)
SLOT_NAMES = {"stt": "hears with", "brain": "thinks with", "tts": "speaks with"}


def serve(options: Mapping[str, Any]) -> int:
    """Serve until interrupted.

    Args:
        options: command-line options by name; None means not given.

    Returns:
        0: Ctrl-C is how a server is stopped.

    Raises:
        ConfigError: an option is wrong, or the port is taken.
        AgentError: an engine cannot be had.
    """
    config = load_config({k: v for k, v in options.items() if k in OPTION_NAMES})
    is_verbose = bool(options.get("verbose"))
    logging.basicConfig(level=logging.DEBUG if is_verbose else logging.WARNING, format="%(levelname)s %(message)s")
    if not is_verbose:
        logging.getLogger("models").setLevel(logging.ERROR)  # what the fetch has to say is said in plain words
    quiet_pipecat(is_verbose)
    check_persona(config)
    listener = _listen(config)
    host, port = listener.getsockname()[:2]
    start = Start(_say, lambda engines: _tell_ready(engines, host, port), port=port)
    app = create_app(config, start)
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=5, ws="none")
    )
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        pass  # uvicorn has shut down by then and raises it again
    finally:
        listener.close()
    if isinstance(app.state.failure, AgentError):
        raise app.state.failure
    if app.state.failure is not None:
        raise AgentError(f"cannot start ({type(app.state.failure).__name__}: {app.state.failure}); see above")
    _say("bye")
    return 0


def _listen(config: ServerConfig) -> socket.socket:
    """Take the port before anything is loaded, so that a taken one is told at once."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.host, config.port))
        listener.listen(BACKLOG)  # or a second server could take the port while this one warms up
    except OSError as error:
        listener.close()
        taken = "another program has it" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
        raise ConfigError(f"--port {config.port}: {taken}; choose another with --port, 0 takes a free one") from None
    return listener


def check_persona(config: ServerConfig) -> None:
    """Tell a wrong name before anything is loaded.

    Raises:
        ConfigError: there is no such persona.
    """
    paths = find_personas(config.personas_dir)
    if not paths:
        raise ConfigError(f"--personas-dir '{config.personas_dir}': there is no persona; it needs NAME/persona.yaml")
    if config.persona not in paths:
        raise ConfigError(
            f"--persona {config.persona!r}: there is none of that name; found: {', '.join(sorted(paths))}"
        )


def _say(text: str) -> None:
    print(f"visavis: {text}", flush=True)


def _tell_ready(engines: Engines, host: str, port: int) -> None:
    for slot, state in engines.describe().items():
        _say(f"{SLOT_NAMES[slot]} {state['name']}: {state['why']}")
        if problem := state.get("problem"):
            _say(f"  {problem}")
    shown = f"[{host}]" if ":" in host else host
    _say(f"ready: open http://{shown}:{port} and talk (Ctrl-C stops)")
