# Part of the Visavis speech worker, a program of its own. Copyright (C) 2026 the Visavis authors.
# SPDX-License-Identifier: GPL-3.0-or-later
"""The speech worker: reads commands from stdin, writes sound and its times to stdout.

Started by file path, one per server process. Commands (one JSON line each): `speak`, `cancel`,
`ack`, `voices`, `load`, `ping`. Replies: `ready`, `chunk`, `done`, `error`, `voices`, `loaded`,
`pong`. It ends when stdin closes.
"""

from __future__ import annotations

import importlib
import logging
import os
import queue
import signal
import sys
import threading
import time
from typing import Any

from outbox import Outbox
from polish import Polish
from request import Engine, Request, SpeakError
from utterance import Event, Int16Array, Utterance
from wire import Header, WireError, read_message

ENGINES = {
    "espeak": ("espeak_voice", "EspeakVoice"),
    "flite": ("flite_voice", "FliteVoice"),
    "piper": ("piper_voice", "PiperEngine"),
}
"""Imported when first asked for: onnxruntime alone would cost the others a third of a second."""
REMEDIES = {
    "espeak": "pip install 'visavis[voices]'",
    "flite": "install the system's flite library (Debian, Ubuntu: apt install libflite1)",
    "piper": "pip install 'visavis[voices]'",
}
_log = logging.getLogger("speech-worker")


class SpeechProgram:
    """Two threads: this one speaks, another listens for commands."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._jobs: queue.SimpleQueue[Header] = queue.SimpleQueue()
        self._engines: dict[str, Engine] = {}

    def run(self) -> None:
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        self._outbox.start()
        self._outbox.say({"type": "ready", "pid": os.getpid()})
        while True:
            self._work(self._jobs.get())

    def _listen(self) -> None:
        commands = os.fdopen(0, "rb", buffering=1 << 16)
        try:
            while (message := read_message(commands)) is not None:
                self._take(message[0])
        except WireError as error:
            _log.error("%s", error)
        # The main thread may be deep in a library: nothing but this ends it at once.
        os._exit(0)

    def _take(self, command: Header) -> None:
        """What must not wait behind a sentence is done here."""
        job_id = str(command.get("id", ""))
        match command.get("type"):
            case "cancel":
                self._outbox.drop(job_id or None)
            case "ack":
                self._outbox.acknowledge(job_id, float(command.get("seconds", 0.0)))
            case "ping":
                self._outbox.say({"type": "pong", "id": job_id})
            case "speak":
                self._outbox.open(job_id)
                self._jobs.put(command)
            case _:
                self._jobs.put(command)

    def _work(self, command: Header) -> None:
        job_id, kind = str(command.get("id", "")), command.get("type")
        if kind == "speak" and not self._outbox.is_open(job_id):
            return
        try:
            engine = self._engine(str(command.get("engine", "")))
            if kind == "speak":
                self._speak(job_id, engine, Request.from_header(command))
            elif kind == "voices":
                self._outbox.say({"type": "voices", "id": job_id, "voices": engine.voices()})
            elif kind == "load":
                engine.load(str(command.get("voice", "")))
                self._outbox.say({"type": "loaded", "id": job_id})
            else:
                raise SpeakError("tts-bad-command", f"unknown command {kind!r}")
        except SpeakError as error:
            self._fail(job_id, kind, error.code, str(error))
        except Exception as error:  # A library's own failure: the next sentence may well work.
            _log.exception("%s failed", kind)
            self._fail(job_id, kind, "tts-engine-failed", f"{type(error).__name__}: {error}")

    def _fail(self, job_id: str, kind: Any, code: str, text: str) -> None:
        reply = {"type": "error", "id": job_id, "code": code, "text": text}
        if kind == "speak":
            self._outbox.put(job_id, reply)
        else:
            self._outbox.say(reply)

    def _engine(self, name: str) -> Engine:
        if name not in ENGINES:
            raise SpeakError("tts-engine-unknown", f"no engine {name!r}; there are {', '.join(ENGINES)}")
        if name not in self._engines:
            module, maker = ENGINES[name]
            try:
                self._engines[name] = getattr(importlib.import_module(module), maker)()
            except (ImportError, OSError) as error:
                raise SpeakError("tts-engine-missing", f"{name} is not here ({error}): {REMEDIES[name]}") from error
        return self._engines[name]

    def _speak(self, job_id: str, engine: Engine, request: Request) -> None:
        seconds = 0.0
        started = time.perf_counter()

        def begin(rate_hz: int, alphabet: str, polish: Polish) -> Utterance:
            def emit(sample: int, samples: Int16Array, events: list[Event]) -> bool:
                nonlocal seconds
                seconds += len(samples) / rate_hz
                header = {
                    "type": "chunk", "id": job_id, "sample": sample, "num_samples": len(samples),
                    "sample_rate_hz": rate_hz, "alphabet": alphabet, "events": events,
                }  # fmt: skip
                return self._outbox.put(job_id, header, samples.tobytes(), len(samples) / rate_hz)

            return Utterance(rate_hz, polish, emit, lambda: self._outbox.is_open(job_id))

        num_samples = engine.speak(request, begin)
        rtf = (time.perf_counter() - started) / seconds if seconds else 0.0
        self._outbox.put(job_id, {"type": "done", "id": job_id, "num_samples": num_samples, "rtf": round(rtf, 4)})


def main() -> None:
    """Keep the real stdout for the wire: a library that prints must not break it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(message)s")
    wire = os.dup(1)
    os.dup2(2, 1)
    SpeechProgram(Outbox(wire)).run()


if __name__ == "__main__":
    main()
