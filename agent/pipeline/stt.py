"""The ear: microphone sound becomes turns, words and barge-ins. It decides nothing by itself:
`turns.endpointing` and `turns.interruption` do; the ear asks the nets and the recogniser for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
from pipecat.frames.frames import (
    CancelFrame,
    EagerEndOfTurnCancelFrame,
    EagerTranscriptionFrame,
    EndFrame,
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    InterruptionFrame,
    LLMMessagesAppendFrame,
    LLMRunFrame,
    ProposedUserStartedSpeakingFrame,
    ProposedUserStoppedSpeakingFrame,
    TranscriptionFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.utils.time import time_now_iso8601

from avatar.media import Activity

from ..events import AvatarState, UserSpeechStarted, UserSpeechStopped, UserTranscriptCompleted, UserTranscriptDelta
from ..metrics import TurnMarks
from ..stt.base import SAMPLE_RATE_HZ, Int16Array, SttStream, Transcript
from ..turns.backchannel import is_hum
from ..turns.endpointing import Endpointer, TurnAction
from ..turns.interruption import Floor, FloorAction
from .call import Call
from .errands import Errands
from .frames import EmptyTurnFrame, SoundLostFrame
from .hearing import Hearing
from .senses import Detector, FloorHolder, TurnOracle
from .smart_turn import TURN_SECONDS, VAD_MS, VAD_SAMPLES

PRE_ROLL_SAMPLES = SAMPLE_RATE_HZ * 3 // 10
MAX_TURN_SAMPLES = SAMPLE_RATE_HZ * TURN_SECONDS
"""The turn model looks no further back; the recogniser keeps its own."""
HUM_SAMPLES = 3 * VAD_SAMPLES
PARTIAL_EVERY_MS = 500
CONTEST_PARTIAL_EVERY_MS = 128
SOUND_LOST_S = 1.0
"""A microphone that is muted may send nothing at all; silence of that length ends most turns anyway."""
MAX_WAITING_SAMPLES = SAMPLE_RATE_HZ * 4
"""Sound that waits while the ear is busy; more is lost, and counted."""
INTERRUPTION_S = 1.0
"""A cut passes all stages in a few ms; a brain that is slow to stop may not keep typed words back for longer."""
USER = "user"


class Ear(FrameProcessor):
    """First stage of the call; eats the microphone's frames."""

    def __init__(
        self,
        call: Call,
        *,
        detector: Detector,
        turn_model: TurnOracle,
        stream: SttStream,
        voice: FloorHolder,
        script_score: Callable[[str], float],
    ) -> None:
        super().__init__(name="ear")
        self._call = call
        self._detector = detector
        self._turn_model = turn_model
        self._words = Hearing(call, stream)
        self._errands = Errands(call, "ear", self.create_task, self.cancel_task)
        self._voice = voice
        self._script_score = script_score
        self._endpointer = Endpointer()
        self._floor = Floor()
        self._sound = np.zeros(0, np.int16)
        self._pending = np.zeros(0, np.int16)
        self._heard_ms = 0.0
        self._partial_due_ms = 0.0
        self._text = ""
        self._eager: Transcript | None = None
        self._is_open = False
        self._turn = 0
        self._item = ""
        """The spoken turn as events name it; words may be typed meanwhile."""
        self._onset_s = 0.0
        self._last_sound_s = 0.0
        self._num_waiting = 0
        self._owes_reply = False

    async def hear(self, samples: Int16Array) -> None:
        """Take sound of the microphone, int16[n] at 16 kHz."""
        self._last_sound_s = self._call.clock.now_s()
        if self._num_waiting + len(samples) > MAX_WAITING_SAMPLES:
            self._call.counters.dropped["microphone"] += 1
            return
        self._num_waiting += len(samples)
        await self.queue_frame(InputAudioRawFrame(np.ascontiguousarray(samples).tobytes(), SAMPLE_RATE_HZ, 1))

    def tick(self, now_s: float) -> None:
        """Time goes on, also where the microphone gives nothing; called for every unit that is sent."""
        if self._endpointer.in_turn and now_s - self._last_sound_s >= SOUND_LOST_S:
            self._errands.run("sound-lost", self.queue_frame(SoundLostFrame()))

    async def interrupt(self) -> None:
        """Stop the agent at once; no turn follows."""
        self._voice.hold()
        self._rest()
        await self.broadcast_interruption()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        match frame:
            case InputAudioRawFrame():
                samples = np.frombuffer(frame.audio, np.int16)
                self._num_waiting -= len(samples)
                await self._hear(samples)
                return
            case SoundLostFrame():
                if self._call.clock.now_s() - self._last_sound_s >= SOUND_LOST_S:
                    for action in self._endpointer.sound_lost():
                        await self._act(action)
                return
            case InterruptionFrame() if direction is FrameDirection.DOWNSTREAM:  # pipecat's own client cancels
                self._call.interruption_over.clear()
                self._rest()
            case LLMMessagesAppendFrame(run_llm=True, messages=[*_, {"content": text}]):  # or types
                await self._cut_is_remembered()
                self._typed(str(text))
        if isinstance(frame, (EndFrame, CancelFrame)):
            await self.stop_listening()
        await self.push_frame(frame, direction)

    async def cleanup(self) -> None:
        await super().cleanup()
        await self.stop_listening()

    async def type_text(self, text: str) -> None:
        """The user typed: it is a turn of its own and takes the floor."""
        self._voice.hold()
        self._call.interruption_over.clear()
        await self.broadcast_interruption()
        await self._cut_is_remembered()
        self._typed(text)
        await self.push_frame(LLMMessagesAppendFrame([{"role": "user", "content": text}], run_llm=True))

    async def _cut_is_remembered(self) -> None:
        """What was heard of a reply comes before the words that cut it."""
        try:
            async with asyncio.timeout(INTERRUPTION_S):
                await self._call.interruption_over.wait()
        except TimeoutError:
            self._call.counters.dropped["interruption"] += 1

    def _typed(self, text: str) -> None:
        self._turn += 1
        self._call.counters.turns += 1
        self._call.marks = TurnMarks()
        self._call.marks.speech_ended_s = self._call.marks.committed_s = self._call.clock.now_s()
        self._call.emit(UserTranscriptCompleted(f"item_{self._turn}", text, 1.0, typed=True))
        self._floor.close()
        self._call.set_activity(Activity.THINKING)

    def _rest(self) -> None:
        if self._call.activity in (Activity.SPEAKING, Activity.THINKING):
            self._call.set_activity(Activity.IDLE)

    async def _hear(self, samples: Int16Array) -> None:
        self._pending = np.concatenate([self._pending, samples])
        for probability in self._detector.push(samples):
            window, self._pending = self._pending[:VAD_SAMPLES], self._pending[VAD_SAMPLES:]
            await self._window(window, probability)

    async def _window(self, window: Int16Array, probability: float) -> None:
        self._heard_ms += VAD_MS
        was_open = self._endpointer.in_turn
        keep = MAX_TURN_SAMPLES if was_open else PRE_ROLL_SAMPLES
        self._sound = np.concatenate([self._sound, window])[-keep:]
        if was_open:
            self._words.push(window)
        for action in self._endpointer.voice(probability, VAD_MS):
            await self._act(action)
        if self._floor.is_contested:
            await self._contest()
        if self._endpointer.in_turn and self._heard_ms >= self._partial_due_ms:
            every_ms = CONTEST_PARTIAL_EVERY_MS if self._floor.is_contested else PARTIAL_EVERY_MS
            self._partial_due_ms = self._heard_ms + every_ms
            self._errands.run("partial", self._partial())

    async def _act(self, action: TurnAction) -> None:
        match action:
            case TurnAction.STARTED:
                await self._turn_started()
            case TurnAction.POLL:
                self._errands.run("poll", self._poll(self._sound))
            case TurnAction.SPECULATE:
                self._errands.run("speculate", self._speculate())
            case TurnAction.WITHDRAW | TurnAction.RESUMED:
                await self._withdraw()
            case TurnAction.COMMIT:
                self._call.marks.speech_ended_s = self._call.clock.now_s() - self._endpointer.last_silence_ms / 1000
                self._errands.run("commit", self._commit())

    async def _turn_started(self) -> None:
        await self._errands.wait("judge", "commit")
        self._turn += 1
        self._item = f"item_{self._turn}"
        self._eager, self._text = None, ""
        self._call.marks = TurnMarks()
        self._onset_s = self._call.clock.now_s() - self._endpointer.speech_ms / 1000
        await self._words.begin(self._sound)
        self._partial_due_ms = self._heard_ms + CONTEST_PARTIAL_EVERY_MS
        self._call.emit(UserSpeechStarted(round(self._heard_ms)))
        if not self._call.is_agent_speaking:
            await self._open_turn()
            return
        for action in self._floor.onset(is_hum=self._is_humming()):
            await self._act_floor(action)

    async def _open_turn(self) -> None:
        self._is_open = True
        self._owes_reply = self._call.activity is Activity.THINKING
        self._call.set_activity(Activity.LISTENING)
        await self.push_frame(ProposedUserStartedSpeakingFrame())

    async def _withdraw(self) -> None:
        if self._eager is not None:
            self._eager = None
            await self.push_frame(EagerEndOfTurnCancelFrame())
        await self._errands.cancel("speculate")

    async def _contest(self) -> None:
        if not self._call.is_agent_speaking:
            self._floor.close()
            await self._open_turn()
            return
        silence_ms = self._endpointer.silence_ms
        if silence_ms >= self._floor.rules.quiet_ms:
            self._errands.run("judge", self._judge_in_silence())
        else:
            await self._judge(silence_ms)

    async def _judge_in_silence(self) -> None:
        """What was said is over: let the whole of it decide."""
        transcript = await self._words.transcribe()
        self._text = transcript.text
        await self._judge(max(self._endpointer.silence_ms, self._floor.rules.quiet_ms))

    async def _judge(self, silence_ms: float) -> None:
        actions = self._floor.judge(
            speech_ms=self._endpointer.speech_ms,
            silence_ms=silence_ms,
            text=self._text,
            agent_text=self._call.recent_agent_text,
            is_hum=self._is_humming(),
        )
        for action in actions:
            await self._act_floor(action)

    def _is_humming(self) -> bool:
        return is_hum(self._sound[-HUM_SAMPLES:])

    async def _act_floor(self, action: FloorAction) -> None:
        match action:
            case FloorAction.HOLD:
                self._call.counters.held += 1
                self._call.marks.interrupt_ms = (self._call.clock.now_s() - self._onset_s) * 1000
                self._voice.hold()
                self._call.emit(AvatarState("paused"))
            case FloorAction.RESUME:
                self._endpointer.end_turn()
                self._voice.resume()
                self._call.emit(AvatarState(self._call.activity.value))
            case FloorAction.INTERRUPT:
                self._call.counters.interruptions += 1
                self._voice.hold()
                await self._open_turn()

    async def _poll(self, sound: Int16Array) -> None:
        probability = await self._turn_model.probability(sound)
        for action in self._endpointer.turn_probability(probability):
            await self._act(action)

    async def _partial(self) -> None:
        item = self._item
        text = await self._words.partial()
        if not text or text == self._text or not self._endpointer.in_turn or item != self._item:
            return
        self._text = text
        self._endpointer.words(text, self._script_score(text))
        if self._is_open:
            self._call.emit(UserTranscriptDelta(self._item, text))
            await self.push_frame(InterimTranscriptionFrame(text, USER, time_now_iso8601()))

    async def _speculate(self) -> None:
        if self._floor.is_contested:
            return
        transcript = await self._words.transcribe()
        if not transcript.text.strip():
            return
        self._eager = transcript
        if not self._endpointer.is_speculating:
            return  # the turn is over already; its commit takes the words
        self._endpointer.words(transcript.text, self._script_score(transcript.text))
        await self.push_frame(EagerTranscriptionFrame(transcript.text, USER, time_now_iso8601()))

    async def _commit(self) -> None:
        """The turn is over: say what was understood, and let the reply go."""
        await self._errands.wait("speculate")
        if self._floor.is_contested:
            await self._judge_in_silence()
        if not self._is_open:
            return
        transcript = self._eager or await self._words.transcribe()
        self._is_open, self._eager = False, None
        self._call.marks.committed_s = self._call.clock.now_s()
        self._call.emit(UserSpeechStopped(round(self._heard_ms)))
        if not transcript.text.strip():
            await self._nothing_said()
            return
        self._call.counters.turns += 1
        self._call.set_activity(Activity.THINKING)
        self._call.emit(UserTranscriptCompleted(self._item, transcript.text, transcript.confidence))
        await self.push_frame(TranscriptionFrame(transcript.text, USER, time_now_iso8601(), finalized=True))
        await self.push_frame(ProposedUserStoppedSpeakingFrame())

    async def _nothing_said(self) -> None:
        self._call.set_activity(Activity.THINKING if self._owes_reply else Activity.IDLE)
        await self.push_frame(ProposedUserStoppedSpeakingFrame())
        await self.push_frame(EmptyTurnFrame())
        if self._owes_reply:
            await self.push_frame(LLMRunFrame())  # a cough has cut a reply before it was heard

    async def stop_listening(self) -> None:
        """Give up all that is being understood; idempotent."""
        await self._errands.cancel_all()
