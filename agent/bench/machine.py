"""What machine a figure was taken on, and what a process costs on it (Linux: /proc)."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("visavis", "pipecat-ai", "aiortc", "av", "numba", "onnxruntime", "numpy")


def machine_facts() -> dict[str, Any]:
    """Processor, cores, load, versions."""
    models = [line for line in _read("/proc/cpuinfo").splitlines() if line.startswith("model name")]
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cpu": models[0].split(":", 1)[1].strip() if models else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mb": _kilobytes("/proc/meminfo", "MemTotal") // 1024,
        "load_1min": round(os.getloadavg()[0], 2),
        "versions": {name: version(name) for name in PACKAGES},
    }


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and those of its children that live."""
    total = _own_cpu_seconds(Path(f"/proc/{pid}/stat"))
    return total + sum(cpu_seconds(child) for child in children(pid))


def thread_cpu_seconds(pid: int, tid: int) -> float:
    """User and system time of one thread."""
    return _own_cpu_seconds(Path(f"/proc/{pid}/task/{tid}/stat"))


def memory_mb(pid: int) -> float:
    """Resident memory of a process and its children."""
    own = _kilobytes(f"/proc/{pid}/status", "VmRSS") / 1024
    return own + sum(memory_mb(child) for child in children(pid))


def children(pid: int) -> list[int]:
    """Direct children of all threads of a process."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(child) for child in _read(path).split()]
    return found


def _own_cpu_seconds(path: Path) -> float:
    fields = _read(path).rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if len(fields) > 12 else 0.0


def _kilobytes(path: str, key: str) -> int:
    for line in _read(path).splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1])
    return 0


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
