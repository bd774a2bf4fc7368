"""`visavis bench call`: a caller talks to a real server over loopback, interrupts it, and looks on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import soxr

from avatar.clock import Clock
from avatar.media import MEDIA_CLOCK_RATE, UNIT_TICKS, Int16Array

from ..transport.client import Caller
from ..transport.measure import (
    RTP_RATES,
    StreamLog,
    drift_ms_per_min,
    intervals,
    num_lost,
    rate_hz,
    rtp_difference,
    sender_time_s,
    spread,
)
from ..tts.base import TtsEngine, VoiceSpec
from .recording import MouthBox, Recording

QUESTIONS = ("Who are you?", "How does this work?", "Tell me a joke.", "What can you do?", "How are you today?")
LONG_QUESTION = "How does this work?"
BARGE_IN = "Wait, stop please, I have a question."
ROOM_NOISE_RMS = 12
REPLY_S = 12.0
OPUS_LOOK_AHEAD_TICKS = 312
"""libopus looks 6.5 ms ahead: the first packet begins that much before the first sample (RFC 7587 section 4.2)."""
SPEAK_BEFORE_BARGE_IN_S = 1.2
STALE_WATCH_S = 0.5
"""Old sound may be looked for so long: no reply begins sooner after the decision."""
LIP_TEXT = "Papa. Mama. Baba. Papa, mama, baba. Pam, Bob, mop, Pop. Papa. Mama. Baba. Mapa. Bama."
"""Lips shut and open with the sound in it, so that a lag shows."""
OnStep = Callable[[str], None]


class CallBench:
    """One measured call.

    Args:
        caller: connected, recording into `recording`.
        recording: its traces.
        voice: makes the user's voice.
        clock: the caller's.
        on_step: told what is being measured.
    """

    def __init__(self, caller: Caller, recording: Recording, voice: TtsEngine, clock: Clock, on_step: OnStep) -> None:
        self._caller = caller
        self._recording = recording
        self._voice = voice
        self._clock = clock
        self._on_step = on_step
        self._noise = np.random.default_rng(1)

    async def turns(self, count: int) -> list[dict[str, Any]]:
        """Ask `count` questions, each after the last answer; times from the end of the recorded words."""
        rows = []
        for number in range(count):
            question = QUESTIONS[number % len(QUESTIONS)]
            self._on_step(f"turn {number + 1} of {count}: {question}")
            rows.append(await self._turn(question))
        return rows

    async def interruptions(self, count: int) -> list[dict[str, Any]]:
        """Interrupt `count` answers; times from the first sound of the user."""
        rows = []
        for number in range(count):
            self._on_step(f"barge-in {number + 1} of {count}")
            rows.append(await self._interruption())
        return rows

    async def lips(self) -> dict[str, Any]:
        """Let the agent say a text full of closures, and find how its lips lie on its sound."""
        await self.quiet()
        self._on_step("lips against sound")
        self._recording.media_sound.clear()
        self._recording.media_mouth.clear()
        self._recording.keeps_media = True
        self._caller.send({"type": "response.create", "response": {"mode": "repeat", "text": LIP_TEXT}})
        await asyncio.sleep(1.0)
        await self.quiet()
        self._recording.keeps_media = False
        return lip_lag_ms(self._recording, self._caller.audio, self._caller.video)

    async def quiet(self, seconds: float = 0.6) -> None:
        """Wait until the agent has nothing more to say."""
        calm_since_s = self._clock.now_s()
        while self._clock.now_s() - calm_since_s < seconds:
            await asyncio.sleep(0.05)
            sound = self._recording.sound[-60:]
            if any(rms > 60 for _, rms in sound) or self._state() in ("speaking", "thinking"):
                calm_since_s = self._clock.now_s()

    async def _turn(self, question: str) -> dict[str, Any]:
        await self.quiet()
        samples, words_s = await self._say(question)
        num_events = len(self._caller.events)
        sent_s = await self._caller.play(samples)
        ended_s = sent_s + words_s
        done = await self._caller.wait_for("output_audio_buffer.started", REPLY_S + words_s, after=num_events)
        await asyncio.sleep(0.4)
        sound_s = self._recording.first_sound_after(ended_s)
        mouth_s = self._recording.first_mouth_after(ended_s)
        heard = _last(self._caller, "conversation.item.input_audio_transcription.completed")
        await self.quiet()
        response = _last(self._caller, "response.done")
        return {
            "said": question,
            "heard": heard.get("transcript"),
            "voice_to_voice_ms": _ms(ended_s, sound_s),
            "voice_to_mouth_ms": _ms(ended_s, mouth_s),
            "event_ms": _ms(ended_s, done.arrived_s),
            "server": response.get("metrics"),
        }

    async def _interruption(self) -> dict[str, Any]:
        await self.quiet()
        question, words_s = await self._say(LONG_QUESTION)
        barge_in, _ = await self._say(BARGE_IN)
        num_events = len(self._caller.events)
        sent_s = await self._caller.play(question)
        await self._caller.wait_for("output_audio_buffer.started", REPLY_S + words_s, after=num_events)
        await asyncio.sleep(SPEAK_BEFORE_BARGE_IN_S)
        num_events = len(self._caller.events)
        onset_s = await self._caller.play(barge_in)
        await asyncio.sleep(1.2)
        events = self._caller.events[num_events:]
        held_s = next((e.arrived_s for e in events if e.body.get("state") == "paused"), None)
        decided_s = next((e.arrived_s for e in events if e.body.get("type") == "output_audio_buffer.cleared"), None)
        silent_s = self._recording.last_sound_in(onset_s, onset_s + 1.2)
        still_s = self._recording.last_mouth_in(onset_s, onset_s + 1.2)
        return {
            "onset_to_silence_ms": _ms(onset_s, silent_s),
            "onset_to_still_mouth_ms": _ms(onset_s, still_s),
            "onset_to_hold_ms": _ms(onset_s, held_s),
            "onset_to_decision_ms": _ms(onset_s, decided_s),
            "stale_ms_after_hold": self._stale_ms(held_s),
            "stale_ms_after_decision": self._stale_ms(decided_s),
            "asked_ms_before": _ms(sent_s, onset_s),
        }

    def _stale_ms(self, since_s: float | None) -> float | None:
        """Old sound in packets that came after a moment; the one on its way then may hold 20 ms."""
        return None if since_s is None else self._recording.audible_ms_in_packets(since_s, since_s + STALE_WATCH_S)

    async def _say(self, text: str) -> tuple[Int16Array, float]:
        """The user's voice in a quiet room, and how long its words last in s."""
        chunks = []
        rate_hz = MEDIA_CLOCK_RATE
        async for chunk in self._voice.speak(text, VoiceSpec(id="male"), utterance_id=f"user {text}"):
            chunks.append(chunk.samples)
            rate_hz = chunk.sample_rate_hz
        voice = soxr.resample(np.concatenate(chunks), rate_hz, MEDIA_CLOCK_RATE).astype(np.float64)
        loud = np.flatnonzero(np.abs(voice) > 0.02 * np.abs(voice).max())
        voice = voice[loud[0] : loud[-1] + 1]
        room = self._noise.normal(0, ROOM_NOISE_RMS, len(voice) + MEDIA_CLOCK_RATE * 2)
        room[: len(voice)] += voice
        return np.clip(room, -32767, 32767).astype(np.int16), len(voice) / MEDIA_CLOCK_RATE

    def _state(self) -> str:
        return str(_last(self._caller, "session.avatar.state").get("state", "idle"))


def start_figures(caller: Caller) -> dict[str, Any]:
    """How fast the call came up, ms after the offer was posted."""
    marks = caller.marks
    return {
        "answer_ms": _ms(marks.offered_s, marks.answered_s),
        "connected_ms": _ms(marks.offered_s, marks.connected_s),
        "first_sound_ms": _ms(marks.offered_s, marks.first_sound_s),
        "first_frame_ms": _ms(marks.offered_s, marks.first_picture_s),
    }


def cadence_figures(caller: Caller, start_s: float, end_s: float) -> dict[str, Any]:
    """Frame rate, intervals and loss between two moments."""
    arrivals = [t for t, _ in caller.video.frame_arrivals() if start_s <= t <= end_s]
    gaps = intervals(arrivals)
    return {
        "seconds": round(end_s - start_s, 1),
        "fps": round(rate_hz(arrivals), 3),
        "interval": asdict(gaps) if gaps else None,
        "lost_packets": num_lost(caller.video.packets) + num_lost(caller.audio.packets),
        "video_kbps": _kbps(caller.video, start_s, end_s),
        "audio_kbps": _kbps(caller.audio, start_s, end_s),
    }


def offset_figures(audio: StreamLog, video: StreamLog) -> dict[str, Any]:
    """A/V offset by RTP and sender reports, + = picture late.

    Every picture belongs to the 40 ms boundary its sound starts at, so on a shared clock both land on one
    instant; what is left over (within +-20 ms) is the offset. That no whole unit is missing is for the lips
    to show: see `lip_lag_ms`.
    """
    if not audio.reports or not video.reports:
        return {"error": "no sender reports came"}
    unit_s = UNIT_TICKS / MEDIA_CLOCK_RATE
    first = audio.packets[0]
    series = []
    for arrived_s, rtp in video.frame_arrivals():
        seen_s = sender_time_s(video, rtp, arrived_s)
        boundary_s = sender_time_s(audio, first.rtp + OPUS_LOOK_AHEAD_TICKS, arrived_s)
        if seen_s is None or boundary_s is None:
            continue
        apart_s = (seen_s - boundary_s + unit_s / 2) % unit_s - unit_s / 2
        series.append((arrived_s, apart_s * 1000))
    figures = spread([ms for _, ms in series])
    seconds = series[-1][0] - series[0][0] if series else 0.0
    return {
        "offset": asdict(figures) if figures else None,
        "drift_ms_per_min": round(drift_ms_per_min(series), 4),
        "seconds": round(seconds, 1),
        "rtp_rate_error_ppm": {log.kind: _rate_error_ppm(log) for log in (audio, video)},
    }


def lip_lag_ms(recording: Recording, audio: StreamLog, video: StreamLog, *, reach_ms: int = 200) -> dict[str, Any]:
    """How much later than its sound the mouth moves, by the sender's clock: the lag of best correlation."""
    sound = _series([(sender_time_s(audio, rtp, 1e12), _rms(s)) for rtp, s in recording.media_sound])
    mouth = _series([(sender_time_s(video, rtp, 1e12), v) for rtp, v in recording.media_mouth])
    if len(sound) < 100 or len(mouth) < 25:
        return {"error": "too little was recorded"}
    start_s, end_s = max(sound[0, 0], mouth[0, 0]) + 0.3, min(sound[-1, 0], mouth[-1, 0]) - 0.3
    grid_s = np.arange(start_s, end_s, 0.01)
    loud = np.interp(grid_s, sound[:, 0] + 0.01, np.minimum(sound[:, 1], 800.0))
    curve = {}
    for lag_ms in range(-reach_ms, reach_ms + 1, 10):
        # A picture is shown for the 40 ms of its unit: its moment is the middle of it.
        seen = np.interp(grid_s, mouth[:, 0] + 0.02 - lag_ms / 1000, mouth[:, 1])
        curve[lag_ms] = float(np.corrcoef(loud, seen)[0, 1])
    best = max(curve, key=lambda lag: curve[lag])
    return {"lag_ms": best, "correlation": round(curve[best], 3), "at_zero": round(curve[0], 3)}


def _series(points: list[tuple[float | None, float]]) -> np.ndarray:
    return np.array(sorted((t, v) for t, v in points if t is not None), np.float64).reshape(-1, 2)


def _rms(samples: Int16Array) -> float:
    return float(np.sqrt((samples.astype(np.float64) ** 2).mean()))


def _rate_error_ppm(log: StreamLog) -> float:
    first, last = log.reports[0], log.reports[-1]
    if last.ntp_s - first.ntp_s < 2:
        return 0.0
    rate = rtp_difference(last.rtp, first.rtp) / (last.ntp_s - first.ntp_s)
    return round((rate / RTP_RATES[log.kind] - 1) * 1e6, 2)


def _kbps(log: StreamLog, start_s: float, end_s: float) -> int:
    num_bytes = sum(p.num_bytes for p in log.packets if start_s <= p.arrived_s <= end_s)
    return round(num_bytes * 8 / 1000 / max(end_s - start_s, 0.001))


def _last(caller: Caller, event_type: str) -> dict[str, Any]:
    return next((e.body for e in reversed(caller.events) if e.body.get("type") == event_type), {})


def _ms(start_s: float | None, end_s: float | None) -> float | None:
    return None if start_s is None or end_s is None else round((end_s - start_s) * 1000, 1)


__all__ = ["CallBench", "MouthBox", "cadence_figures", "lip_lag_ms", "offset_figures", "start_figures"]
