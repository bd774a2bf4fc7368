"""`visavis bench`: starts what it measures, tells what it does, prints one JSON object."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import Any

import httpx
import numpy as np

from avatar.clock import MonotonicClock

from ..engines import DEFAULT_AVATAR, identity
from ..errors import ConfigError
from ..transport.client import Caller
from ..transport.measure import spread
from ..tts.process import WorkerTts
from .call import CallBench, cadence_figures, offset_figures, start_figures
from .machine import cpu_seconds, machine_facts, memory_mb
from .recording import MouthBox, Recording
from .server_process import ServerProcess

GOALS = {
    "first_frame_ms": 600,
    "interval_p99_ms": 60,
    "offset_ms": 5,
    "drift_ms_per_min": 0.1,
    "voice_to_voice_p50_ms": 500,
    "voice_to_voice_p95_ms": 900,
    "onset_to_silence_ms": 350,
    "stale_ms_after_decision": 10,
    "cores_per_call": 0.45,
}

BARGE_IN_KEYS = (
    "onset_to_silence_ms",
    "onset_to_still_mouth_ms",
    "onset_to_hold_ms",
    "stale_ms_after_hold",
    "stale_ms_after_decision",
)


def run_bench(options: Mapping[str, Any]) -> int:
    """Run one bench and print its JSON; steps go to standard error."""
    if not 0 < options["minutes"] <= 120:
        raise ConfigError(f"--minutes {options['minutes']}: give 0.1 to 120")
    for name in ("turns", "interruptions"):
        if not 0 <= options[name] <= 200:
            raise ConfigError(f"--{name} {options[name]}: give 0 to 200")
    result = asyncio.run(_bench_call(options))
    print(json.dumps(result, indent=2))
    return 0


async def _bench_call(options: Mapping[str, Any]) -> dict[str, Any]:
    clock = MonotonicClock()
    facts = machine_facts()
    async with AsyncExitStack() as stack:
        url, server = options["url"], None
        if url is None:
            _step("starting a server")
            serve_options = [f"--{name}={options[name]}" for name in ("stt", "tts", "brain") if options[name]]
            server = await stack.enter_async_context(ServerProcess(serve_options, clock))
            url = server.url
        voice = WorkerTts()
        await voice.start()
        stack.push_async_callback(voice.aclose)
        recording = Recording(mouth_box(DEFAULT_AVATAR))
        caller = Caller(clock=clock, on_sound=recording.on_sound, on_picture=recording.on_picture)
        stack.push_async_callback(caller.aclose)
        before_mb = memory_mb(server.pid) if server else 0.0
        await caller.connect(url, codec=options["codec"])
        bench = CallBench(caller, recording, voice, clock, _step)
        await bench.quiet(1.0)
        start_s, start_cpu_s = clock.now_s(), cpu_seconds(server.pid) if server else 0.0
        lips = await bench.lips()
        turns = await bench.turns(options["turns"])
        interruptions = await bench.interruptions(options["interruptions"])
        await _look_on(options["minutes"] * 60 - (clock.now_s() - start_s))
        end_s = clock.now_s()
        result = {
            "bench": "call",
            "machine": facts,
            "codec": options["codec"],
            "start": {**start_figures(caller), "server_ready_s": round(server.ready_s, 2) if server else None},
            "cadence": cadence_figures(caller, start_s, end_s),
            "av": {**offset_figures(caller.audio, caller.video), "lips": lips},
            "turns": _summary(turns, ("voice_to_voice_ms", "voice_to_mouth_ms")),
            "barge_in": _summary(interruptions, BARGE_IN_KEYS),
            "goals": GOALS,
        }
        if server is not None:
            cores = (cpu_seconds(server.pid) - start_cpu_s) / (end_s - start_s)
            result |= await _cost(server, caller, cores, before_mb)
        return result


async def _cost(server: ServerProcess, caller: Caller, cores: float, before_mb: float) -> dict[str, Any]:
    """What the call took of the machine, and the server's own counts."""
    async with httpx.AsyncClient(base_url=server.url) as http:
        metrics = (await http.get(f"/v1/sessions/{caller.session['id']}/metrics")).json()
    cost = {
        "cores_per_call": round(cores, 3),
        "memory_mb": round(memory_mb(server.pid)),
        "memory_mb_per_call": round(memory_mb(server.pid) - before_mb),
        "by_thread": _shares(metrics.get("cpu_s", {}), metrics.get("active_s", 0.0)),
    }
    return {"cost": cost, "server_metrics": metrics}


def mouth_box(avatar: str) -> MouthBox:
    """Where a prepared face has its lips, with room for the jaw below them, px."""
    face = identity(avatar)
    lips = face.vertices[np.concatenate([face.lips_upper, face.lips_lower])]
    left, right = lips[:, 0].min(), lips[:, 0].max()
    width = right - left
    return MouthBox(
        top=round(lips[:, 1].min() - 0.25 * width),
        bottom=round(lips[:, 1].max() + 0.75 * width),
        left=round(left - 0.05 * width),
        right=round(right + 0.05 * width),
    )


async def _look_on(seconds: float) -> None:
    if seconds > 0:
        _step(f"looking on for {seconds:.0f} s")
        await asyncio.sleep(seconds)


def _summary(rows: list[dict[str, Any]], keys: tuple[str, ...]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for key in keys:
        values = spread([row[key] for row in rows if row[key] is not None])
        figures[key] = {k: round(v, 1) for k, v in asdict(values).items()} if values else None
    return {**figures, "rows": rows}


def _shares(cpu_s: Mapping[str, float], seconds: float) -> dict[str, float]:
    return {name: round(value / seconds, 3) for name, value in cpu_s.items()} if seconds else {}


def _step(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
