"""The face of a call: sound goes in, units of sound and picture come out.

The caller's audio track is the only clock: at each 40 ms boundary it takes `next_unit()`, which never
waits. A unit's sound starts at its `pts`; its picture shows the middle of the unit (pts + 20 ms), the
lips 15 ms more ahead, since seeing a little early goes unnoticed and seeing late does not.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

from .clock import Clock, MonotonicClock
from .media import MEDIA_CLOCK_RATE, UNIT_TICKS, Activity, AudioChunk, AVUnit, PhonemeCue, VideoFrame
from .motion.behaviour import LifeInput, first_life
from .motion.coarticulation import TICKS_PER_MS, MouthShape
from .motion.driver import MotionState, move
from .motion.emotion import NEUTRAL, Mood, to_mood
from .motion.energy import REACH_AFTER_TICKS, REACH_BEFORE_TICKS, STRESS_REACH_TICKS, loudness_at, shape_from_sound
from .motion.gestures import GESTURES, Gesture
from .motion.speech_track import SpeechTrack
from .render.base import Renderer
from .sync.pictures_ahead import MAX_LEAD_UNITS, Drawing, PicturesAhead
from .sync.sound_queue import LIMIT_TICKS, PlayedUtterance, SoundQueue, SoundUnit, Utterance, place_of

INSTANT_TICKS = UNIT_TICKS // 2
"""Where in its unit a picture is taken: the middle of the time it is shown."""
LIP_LEAD_TICKS = 15 * TICKS_PER_MS
"""Real lips are 15 ms ahead of what the tracker, on which the lips were fitted, saw (lips.md section 4)."""
_IDLE_LEAD_UNITS = 1
_REMEMBERED_RESPONSES = 64


@dataclass(frozen=True, slots=True)
class FaceStats:
    """Counts since the face was made."""

    units: int
    spoken_units: int
    late: Mapping[str, int]
    """Units for which another picture stood in: slow, skipped, failed, unplanned."""
    dropped_ms: Mapping[str, int]
    """Sound that was not taken or not played: cleared, ended."""
    underruns: int
    """Units in which a begun utterance had no sound."""
    discarded: int
    """Pictures drawn in vain."""
    draw_ms: float
    """How long a picture takes, running mean."""
    lead_units: int
    """Units planned ahead now."""


class Face:
    """One face in one call. All methods belong to the thread of the event loop.

    Args:
        renderer: draws the pictures; owned by the face from now on.
        executor: one thread for drawing, not shared; the owner shuts it down after `aclose`.
        clock: measures drawing times.
        seed: of blinks, glances and all other chance.
        start_pts: ticks of the first unit.
    """

    def __init__(
        self,
        renderer: Renderer,
        *,
        executor: Executor,
        clock: Clock | None = None,
        seed: int = 0,
        start_pts: int = 0,
    ) -> None:
        self._sound = SoundQueue()
        self._track = SpeechTrack()
        self._motion = MotionState(first_life(seed, start_pts + INSTANT_TICKS))
        self._pts = start_pts
        self._epoch = 0
        self._activity = Activity.IDLE
        self._mood: Mood = NEUTRAL
        self._gestures: deque[Gesture] = deque(maxlen=8)
        self._cut_responses: deque[str] = deque(maxlen=_REMEMBERED_RESPONSES)
        self._dropped: Counter[str] = Counter()
        self._units = self._spoken_units = 0
        self._room = asyncio.Event()
        self._is_closed = False
        self._pictures = PicturesAhead(renderer, executor, clock or MonotonicClock(), self._plan)

    async def start(self) -> None:
        """Draw the first picture, so that not even the first unit is late."""
        self._pictures.pump()
        await self.settle()

    async def settle(self) -> None:
        """Wait until every picture planned is drawn: for those who render faster or slower than a call."""
        await self._pictures.settle()

    @property
    def epoch(self) -> int:
        """How often the face was interrupted."""
        return self._epoch

    @property
    def buffered_ms(self) -> int:
        """Sound that waits to be played."""
        return self._sound.waiting_ticks * 1000 // MEDIA_CLOCK_RATE

    @property
    def is_speaking(self) -> bool:
        """Whether sound waits, held or not."""
        return self._sound.waiting_ticks > 0

    @property
    def stats(self) -> FaceStats:
        return FaceStats(
            units=self._units,
            spoken_units=self._spoken_units,
            late=dict(self._pictures.late),
            dropped_ms={k: v * 1000 // MEDIA_CLOCK_RATE for k, v in self._dropped.items()},
            underruns=self._sound.underruns,
            discarded=self._pictures.discarded,
            draw_ms=self._pictures.draw_ms,
            lead_units=len(self._pictures),
        )

    def push_audio(
        self, chunk: AudioChunk, cues: Iterable[PhonemeCue] = (), *, response_id: str, utterance_id: str
    ) -> None:
        """Append sound to an utterance; a new utterance id ends the one before.

        Sound of an utterance that was ended, or of a response that was cleared, is dropped and
        counted, since a voice may still be pushing while it is told to stop.

        Args:
            chunk: 48 kHz, `pts` = ticks pushed of this utterance before.
            cues: in order; those of the next 300 ms and more may come early. An utterance without
                any is driven by its loudness, which is much worse.
            response_id: the agent's turn.
            utterance_id: the sentence; unique within the call.

        Raises:
            ValueError: not 48 kHz, or a hole before the chunk.
            BufferFullError: more than 60 s would wait; nothing was taken.
        """
        if chunk.sample_rate_hz != MEDIA_CLOCK_RATE:
            raise ValueError(f"a face takes sound at {MEDIA_CLOCK_RATE} Hz, this is {chunk.sample_rate_hz}")
        if self._is_closed or response_id in self._cut_responses or self._sound.is_closed(utterance_id):
            is_cut = self._is_closed or response_id in self._cut_responses
            self._dropped["cleared" if is_cut else "ended"] += chunk.samples.size
            return
        last = self._sound.last
        received = last.received if last is not None and last.utterance_id == utterance_id else 0
        if chunk.pts != received:
            raise ValueError(f"chunk at {chunk.pts} ticks, but the utterance has {received}")
        if last is not None and last.utterance_id != utterance_id:
            self.end_utterance(last.utterance_id)
        utterance = self._sound.push(chunk.samples, response_id, utterance_id)
        for cue in cues:
            utterance.has_cues = True
            self._track.add(cue, utterance.base)
        self._go_on()

    def end_utterance(self, utterance_id: str) -> None:
        """Say that an utterance is complete: its last part is played even if it fills no unit."""
        utterance = self._sound.end(utterance_id)
        if utterance is not None:
            self._track.finish(utterance.base + utterance.received)
            self._go_on()

    def hold(self) -> None:
        """Fall silent within 5 ms and shut the mouth within two pictures, but keep the sound; idempotent."""
        if not self._sound.is_held:
            self._sound.hold()
            self._replan()

    def resume(self) -> None:
        """Go on from the held sample; idempotent."""
        if self._sound.is_held:
            self._sound.resume()
            self._replan()

    def duck(self, gain: float) -> None:
        """Speak at this loudness (0..1) from the next unit on, reached over 20 ms."""
        self._sound.duck(gain)

    def clear(self) -> tuple[PlayedUtterance, ...]:
        """Interrupt: drop all sound and pictures, begin a new epoch, end `hold` and `duck`.

        The next unit carries at most 5 ms of speech, fading out; the mouth is shut two pictures later.

        Returns:
            What was played of each utterance of the responses that were cut, in order of speaking.
        """
        played = self._sound.clear()
        self._cut_responses.extend(dict.fromkeys(p.response_id for p in played))
        self._dropped["cleared"] += sum(p.received_ticks - p.played_ticks for p in played)
        self._track = SpeechTrack()
        self._epoch += 1
        self._replan()
        self._room.set()
        return played

    def set_activity(self, activity: Activity) -> None:
        """Say what the avatar does while it does not speak; speech is noticed by itself."""
        self._activity = activity

    def set_emotion(self, weights: Mapping[str, float]) -> None:
        """Feel a blend of `emotion.EMOTIONS`, eased over 300 ms.

        Raises:
            ValueError: an emotion that is not known, or a weight outside 0..1.
        """
        self._mood = to_mood(weights)

    def gesture(self, kind: str) -> bool:
        """Make a gesture (`behaviour.GESTURES`) now; False if a face alone cannot make it."""
        if kind not in GESTURES:
            return False
        # Not among the pictures already drawn, or the head would jump into it.
        self._gestures.append(Gesture(kind, self._pts + len(self._pictures) * UNIT_TICKS))
        return True

    async def room(self, num_samples: int = UNIT_TICKS) -> None:
        """Wait until that many more samples may be pushed.

        Raises:
            ValueError: more than the face ever takes.
        """
        if num_samples > LIMIT_TICKS:
            raise ValueError(f"a face keeps at most {LIMIT_TICKS} samples")
        while self._sound.waiting_ticks + num_samples > LIMIT_TICKS and not self._is_closed:
            self._room.clear()
            await self._room.wait()

    def next_unit(self) -> AVUnit:
        """The unit that is due now: speech, or an idle picture with zeros. Never waits."""
        voice = self._sound.peek(0)
        sound = self._sound.pop()
        place = sound.place
        spoken = place if sound.num_voiced else None
        taken = self._pictures.take(self._pts, spoken)
        drawing = taken.drawing or self._draw(self._pts, self._motion, voice if spoken else None)
        self._motion = drawing.after
        unit = AVUnit(
            samples=sound.samples,
            frame=VideoFrame(taken.picture, self._pts),
            pts=self._pts,
            epoch=self._epoch,
            response_id=place.response_id if place else None,
            utterance_id=place.utterance_id if place else None,
            offset=place.offset if place else 0,
            num_voiced=sound.num_voiced,
            is_late=taken.is_late,
            mouth=taken.shown.mouth if taken.shown else 0.0,
            face=taken.shown.face if taken.shown else None,
        )
        self._count(sound)
        self._pts += UNIT_TICKS
        self._pictures.pump()
        return unit

    def _plan(self, last: Drawing | None, at_least: int) -> Drawing | None:
        index = len(self._pictures)
        voice = self._sound.peek(index)
        lead = MAX_LEAD_UNITS if voice is not None else max(_IDLE_LEAD_UNITS, at_least)
        if index >= lead:
            return None
        if last is None:
            return self._draw(self._pts, self._motion, voice)
        return self._draw(last.pts + UNIT_TICKS, last.after, voice)

    def _draw(self, pts: int, state: MotionState, voice: tuple[Utterance, int] | None) -> Drawing:
        """What the picture of the unit at `pts` shows."""
        lips, emphasis = self._heard(*voice) if voice is not None else (None, 0.0)
        life = LifeInput(
            instant=pts + INSTANT_TICKS,
            activity=self._activity,
            mood=self._mood,
            gestures=tuple(self._gestures),
            emphasis=emphasis,
        )
        motion = move(state, life, lips)
        return Drawing(pts, place_of(*voice) if voice else None, motion.face, motion.mouth, motion.state)

    def _heard(self, utterance: Utterance, offset: int) -> tuple[MouthShape, float]:
        """Lips and stress for the unit that starts at `offset` of an utterance."""
        instant = offset + INSTANT_TICKS + LIP_LEAD_TICKS
        start = max(instant - (STRESS_REACH_TICKS if utterance.has_cues else REACH_BEFORE_TICKS), 0)
        sound = utterance.read(start, instant + REACH_AFTER_TICKS - start)
        emphasis = loudness_at(sound, instant - start)
        if not utterance.has_cues:
            return shape_from_sound(sound, instant - start), emphasis
        axis = utterance.base + instant
        if self._track.has_stress and not self._track.is_stressed_at(axis):
            emphasis = 0.0
        return self._track.shape_at(axis), emphasis

    def _go_on(self) -> None:
        """Sound has come: draw it, also in place of idle pictures that were planned."""
        if any(self._sound.peek(i) is not None for i in self._pictures.idle_indexes()):
            self._pictures.drop_idle()
        self._pictures.pump()

    def _replan(self) -> None:
        self._pictures.invalidate()
        self._pictures.pump()

    def _count(self, sound: SoundUnit) -> None:
        self._units += 1
        if sound.place is not None and sound.num_voiced:
            self._spoken_units += 1
            self._track.forget(sound.place.axis)
            self._room.set()

    async def aclose(self) -> None:
        """Drop everything and free the renderer; idempotent. `next_unit` stays safe to call."""
        self._is_closed = True
        self._sound.clear()
        self._room.set()
        await self._pictures.aclose()
