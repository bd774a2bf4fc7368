"""The real server as a program of its own, as a stranger would start it: no key, no model, no network."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
START_LIMIT_S = 120


class LiveServer:
    """`visavis serve` on a free port.

    Args:
        home: an empty folder for its models.
        options: further options of `serve`.
        env: further environment.
    """

    def __init__(self, home: Path, *options: str, env: dict[str, str] | None = None) -> None:
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "VISAVIS_"))}
        self._env = {**keep, "VISAVIS_HOME": str(home), "VISAVIS_OFFLINE": "1", **(env or {})}
        self._command = [sys.executable, "-m", "agent", "serve", "--port", "0", *options]
        self.lines: list[str] = []
        self.url = ""
        self._ready = threading.Event()

    def __enter__(self) -> LiveServer:
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, env=self._env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._ready.wait(START_LIMIT_S) or not self.url:
            self._process.kill()
            raise AssertionError("the server did not start:\n" + "\n".join(self.lines[-20:]))
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> int:
        """Ctrl-C; returns the exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reader.join(5)
        return self._process.returncode

    @property
    def pid(self) -> int:
        return self._process.pid

    def worker_pid(self) -> int:
        """The speech program's process."""
        for path in Path(f"/proc/{self.pid}/task").glob("*/children"):
            for child in path.read_text().split():
                if "worker/main.py" in Path(f"/proc/{child}/cmdline").read_text().replace("\0", " "):
                    return int(child)
        raise AssertionError("no speech program runs")

    def num_threads(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    def num_files(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def memory_kb(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.rstrip())
            if found := re.search(r"ready: open (http://\S+)", line):
                self.url = found[1]
                self._ready.set()
        self._ready.set()
