"""The face's stage: sound goes to the avatar, and what really left the machine comes back as the truth.

The call's own tracks pull units from the face (see `transport.tracks`), so nothing of the picture or the
sound travels through pipecat; this stage feeds the face and turns playout into frames and events.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from pipecat.frames.frames import (
    AggregatedTextFrame,
    AggregatedTextProgressFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    CancelFrame,
    EndFrame,
    Frame,
    InterruptionFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    TTSTextFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.utils.text.base_text_aggregator import TextType

from avatar.face import Face
from avatar.media import MEDIA_CLOCK_RATE, Activity, AVUnit

from ..events import (
    AgentTranscriptDelta,
    AgentTranscriptDone,
    PlayoutCleared,
    PlayoutStarted,
    PlayoutStopped,
    ResponseCreated,
    ResponseDone,
)
from ..metrics import TurnMarks
from .call import Call
from .frames import (
    EmotionFrame,
    ResponseEndFrame,
    ResponseStartFrame,
    SpeechFrame,
    UtteranceEndFrame,
    UtteranceStartFrame,
)
from .heard import Reply, Utterance, Word
from .sound import SpokenSound


class FaceStage(FrameProcessor):
    """Feeds one Face and reports its playout."""

    def __init__(self, call: Call, face: Face, *, on_hang_up: Callable[[], None], hush: Callable[[], None]) -> None:
        super().__init__(name="face")
        self._call = call
        self._face = face
        self._hush = hush
        self._on_hang_up = on_hang_up
        self._reply: Reply | None = None
        self._end_frame: ResponseEndFrame | None = None
        self._marks = TurnMarks()
        self._sound: SpokenSound | None = None
        self._segment = ("", 0)
        """The utterance being heard and the number pipecat knows it by."""
        self._played: asyncio.Queue[tuple[AVUnit, float]] = asyncio.Queue()
        self._listening: asyncio.Task[None] | None = None
        call.on_activity = face.set_activity

    def on_unit(self, unit: AVUnit, sent_s: float) -> None:
        """The tracks sent a unit; called on the event loop, never blocks. Idle units are of no interest here."""
        if unit.utterance_id is not None and self._listening is not None:
            self._played.put_nowait((replace(unit, face=None), sent_s))

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if self._listening is None:
            self._listening = self.create_task(self._follow_playout(), "playout")
        match frame:
            case ResponseStartFrame():
                await self._reply_started(frame)
                await self.push_frame(frame, direction)
            case UtteranceStartFrame():
                self._utterance_started(frame)
            case SpeechFrame():
                self._speech(frame)
            case UtteranceEndFrame():
                await self._utterance_ended(frame)
            case EmotionFrame():
                self._feel(frame)
            case ResponseEndFrame():
                await self._reply_complete(frame)
            case InterruptionFrame():
                await self._cut()
                await self.push_frame(frame, direction)
            case EndFrame() | CancelFrame():
                await self._stop_following()
                await self.push_frame(frame, direction)
            case _:
                await self.push_frame(frame, direction)

    async def cleanup(self) -> None:
        await super().cleanup()
        await self._stop_following()

    async def _reply_started(self, frame: ResponseStartFrame) -> None:
        ordinal = int(frame.response_id.rpartition("_")[2])
        self._reply = Reply(frame.response_id, ordinal, frame.mode, planned=frame.planned)
        self._end_frame, self._marks = None, self._call.marks
        self._call.emit(ResponseCreated(frame.response_id, ordinal, frame.mode))

    def _utterance_started(self, frame: UtteranceStartFrame) -> None:
        if self._reply is None:
            return
        self._reply.utterances.append(Utterance(frame.utterance_id, frame.text))
        self._sound = SpokenSound(self._face, response_id=frame.response_id, utterance_id=frame.utterance_id)

    def _speech(self, frame: SpeechFrame) -> None:
        utterance = self._reply.utterance(frame.utterance_id) if self._reply else None
        if utterance is None or self._sound is None or self._sound.utterance_id != frame.utterance_id:
            return
        for event, start, end in self._sound.push(frame.chunk):
            utterance.add_word(event.text_position, event.length, start, end)

    async def _utterance_ended(self, frame: UtteranceEndFrame) -> None:
        utterance = self._reply.utterance(frame.utterance_id) if self._reply else None
        if self._reply is None or utterance is None:
            return
        utterance.finish(self._sound.finish() if self._sound is not None else 0)
        self._sound = None
        await self._maybe_finish()

    def _feel(self, frame: EmotionFrame) -> None:
        self._face.set_emotion(frame.weights)
        if frame.gesture:
            self._face.gesture(frame.gesture)

    async def _reply_complete(self, frame: ResponseEndFrame) -> None:
        if self._reply is None or self._reply.id != frame.response_id:
            await self.push_frame(frame)
            return
        self._reply.is_complete, self._reply.hang_up = True, frame.hang_up
        self._end_frame = frame
        await self._maybe_finish()

    async def _follow_playout(self) -> None:
        while True:
            unit, sent_s = await self._played.get()
            reply = self._reply
            utterance = reply.utterance(unit.utterance_id) if reply else None
            if reply is None or utterance is None:
                continue
            if not reply.is_started:
                await self._playout_started(reply, unit, sent_s)
            for word in utterance.play(unit.offset + unit.num_voiced):
                await self._word_heard(reply, utterance, word)
            await self._maybe_finish()

    async def _playout_started(self, reply: Reply, unit: AVUnit, sent_s: float) -> None:
        reply.is_started = True
        self._marks.first_played_s = sent_s
        self._marks.first_frame_s = None if unit.is_late else sent_s
        self._call.is_agent_speaking = True
        self._call.set_activity(Activity.SPEAKING)
        self._call.emit(PlayoutStarted(reply.id))
        await self.broadcast_frame(BotStartedSpeakingFrame)
        await self.push_frame(TTSStartedFrame(context_id=reply.id))

    async def _word_heard(self, reply: Reply, utterance: Utterance, word: Word) -> None:
        self._call.agent_words.append(word.text)
        start_ms, end_ms = (round(t * 1000 / MEDIA_CLOCK_RATE) for t in (word.start, word.end))
        self._call.emit(AgentTranscriptDelta(reply.id, word.text + " ", start_ms, end_ms))
        if self._segment[0] != utterance.id:
            self._segment = utterance.id, await self._segment_started(reply, utterance)
        segment_id = self._segment[1]
        await self.push_frame(TTSTextFrame(word.text, TextType.WORD, context_id=reply.id, segment_id=segment_id))
        accumulated, remaining = utterance.text[: word.text_end], utterance.text[word.text_end :]
        await self.push_frame(
            AggregatedTextProgressFrame(
                segment_id=segment_id,
                context_id=reply.id,
                text=utterance.text,
                text_type=TextType.SENTENCE,
                accumulated_text=accumulated,
                remaining_text=remaining,
            )
        )

    async def _segment_started(self, reply: Reply, utterance: Utterance) -> int:
        """Tell clients of pipecat which sentence is spoken now; memory takes the words, not the sentence."""
        segment = AggregatedTextFrame(utterance.text, TextType.SENTENCE, context_id=reply.id)
        segment.will_be_spoken, segment.append_to_context = True, False
        await self.push_frame(segment)
        return segment.id

    async def _maybe_finish(self) -> None:
        reply, end_frame = self._reply, self._end_frame
        if reply is None or end_frame is None or not reply.is_played:
            return
        self._reply = self._end_frame = None
        if reply.is_started:
            self._call.emit(PlayoutStopped(reply.id, reply.played_ms))
        await self._speaking_over(reply)
        self._call.emit(AgentTranscriptDone(reply.id, reply.heard_text, ""))
        self._done(reply, "completed" if reply.is_started else "failed")
        await self.push_frame(end_frame)
        if self._call.activity in (Activity.SPEAKING, Activity.THINKING):
            self._call.set_activity(Activity.IDLE)
        if reply.hang_up:
            self._on_hang_up()

    async def _cut(self) -> None:
        """Interruption: nothing more of the reply leaves the machine, and only what was heard is kept."""
        reply, self._reply, self._end_frame, self._sound = self._reply, None, None, None
        self._face.clear()
        self._hush()
        while not self._played.empty():
            self._played.get_nowait()
        if reply is None:
            return
        if reply.is_started:
            self._call.emit(PlayoutCleared(reply.id, reply.played_ms))
        await self._speaking_over(reply)
        self._call.emit(AgentTranscriptDone(reply.id, reply.heard_text, reply.unheard_text))
        self._marks.interrupt_ms = self._call.marks.interrupt_ms
        self._done(reply, "cancelled")

    async def _speaking_over(self, reply: Reply) -> None:
        if not reply.is_started:
            return
        self._call.is_agent_speaking = False
        await self.push_frame(TTSStoppedFrame(context_id=reply.id))
        await self.broadcast_frame(BotStoppedSpeakingFrame)

    def _done(self, reply: Reply, status: str) -> None:
        metrics = self._marks.to_wire()
        if self._call.on_reply is not None:
            self._call.on_reply(self._marks)
        self._call.emit(ResponseDone(reply.id, status, reply.played_ms, reply.heard_text, metrics))

    async def _stop_following(self) -> None:
        task, self._listening = self._listening, None
        if task is not None:
            await self.cancel_task(task)
