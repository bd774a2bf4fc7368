"""Chromium whose microphone is a recording, and what a caller there hears and sees, measured in the page."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, Playwright

from agent.bench.recording import MouthBox
from tests.fixtures.user_voice import write_wav

OUTPUT = Path(__file__).resolve().parent.parent / "output"
"""Screenshots for people to look at."""
AUDIBLE = 0.01
"""RMS of full scale; speech has 0.05 to 0.3, a silent stream less than 0.001."""

# Each picture as it is shown: the loudness of the last 43 ms of sound, and the mouth's box, 4 px to a point.
WATCH = """(box) => {
  const video = document.querySelector("video");
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(video.srcObject).connect(analyser);
  const canvas = document.createElement("canvas");
  canvas.width = Math.round((box.right - box.left) / 4);
  canvas.height = Math.round((box.bottom - box.top) / 4);
  const drawing = canvas.getContext("2d", { willReadFrequently: true });
  const sound = new Float32Array(analyser.fftSize);
  const seen = (window.seenByTest = []);
  const look = (now, about) => {
    const scale = video.videoWidth / 1280;
    const from = [box.left, box.top, box.right - box.left, box.bottom - box.top].map((v) => v * scale);
    drawing.drawImage(video, ...from, 0, 0, canvas.width, canvas.height);
    const { data } = drawing.getImageData(0, 0, canvas.width, canvas.height);
    const luma = [];
    for (let i = 0; i < data.length; i += 4) luma.push(0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2]);
    const skin = [...luma].sort((a, b) => a - b)[luma.length >> 1];
    analyser.getFloatTimeDomainData(sound);
    seen.push({
      ms: now,
      width: video.videoWidth,
      height: video.videoHeight,
      rms: Math.sqrt(sound.reduce((sum, v) => sum + v * v, 0) / sound.length),
      open: luma.filter((v) => v < 0.45 * skin).length / luma.length,
    });
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
}"""
STATS = """async () => {
  const found = {};
  for (const report of (await window.visavis.pc.getStats()).values())
    if (report.type === "inbound-rtp") found[report.kind] = report;
  return found;
}"""


def record_voice(path: Path, lines: Sequence[str | float]) -> Path:
    """A WAV file of the user's voice; on a thread, for Playwright runs an event loop on this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(write_wav, path, lines).result()


def launch(playwright: Playwright, path: str, switches: list[str], microphone: Path | None = None) -> Browser:
    """A browser of its own, because a recorded microphone is a switch of the browser."""
    extra = [f"--use-file-for-fake-audio-capture={microphone}%noloop"] if microphone else []
    return playwright.chromium.launch(executable_path=path, args=[*switches, *extra])


@dataclass(frozen=True, slots=True)
class Seen:
    """What the page showed and sounded, picture by picture."""

    ms: np.ndarray
    rms: np.ndarray
    open: np.ndarray
    sizes: set[tuple[int, int]]

    @property
    def speaking(self) -> np.ndarray:
        """Which pictures came with sound around them: within 300 ms before or after."""
        loud = self.ms[self.rms > AUDIBLE]
        return np.array([bool(loud.size) and float(np.abs(loud - t).min()) < 300 for t in self.ms])


def watch(page: Page, box: MouthBox) -> None:
    """Begin to look and listen."""
    values = {"top": box.top, "bottom": box.bottom, "left": box.left, "right": box.right}
    page.evaluate(WATCH, values)


def arriving_fps(page: Page, over_ms: int = 4000) -> float:
    """Pictures a second that come in; how many a busy machine shows is another matter."""
    before = page.evaluate(STATS)["video"]
    page.wait_for_timeout(over_ms)
    after = page.evaluate(STATS)["video"]
    return (after["framesReceived"] - before["framesReceived"]) * 1000 / (after["timestamp"] - before["timestamp"])


def seen(page: Page) -> Seen:
    """All since `watch`."""
    rows: list[dict[str, Any]] = page.evaluate("window.seenByTest")
    columns = {key: np.array([row[key] for row in rows]) for key in ("ms", "rms", "open")}
    return Seen(**columns, sizes={(row["width"], row["height"]) for row in rows})
