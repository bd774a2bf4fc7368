"""The face's stage: sound goes to the avatar, and what really left the machine comes back as the truth.

The call's own tracks pull units from the face (see `transport.tracks`), so nothing of the picture or the
sound travels through pipecat; this stage feeds the face and turns playout into frames and events.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

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

MAX_PLAYED_UNITS = 250
"""10 s of playout not looked at yet; beyond it the oldest is dropped, and its words are found by the next."""


@dataclass(slots=True)
class _InHand:
    """A reply between its first word and its last sample."""

    reply: Reply
    start: ResponseStartFrame
    end: ResponseEndFrame | None = None
    """Comes when the brain has said all."""


class FaceStage(FrameProcessor):
    """Feeds one Face and reports its playout, reply after reply."""

    def __init__(self, call: Call, face: Face, *, on_hang_up: Callable[[], None], hush: Callable[[], None]) -> None:
        super().__init__(name="face")
        self._call = call
        self._face = face
        self._hush = hush
        self._on_hang_up = on_hang_up
        self._replies: deque[_InHand] = deque()
        """The first is heard now, the last gets sound."""
        self._sound: SpokenSound | None = None
        self._segment = ("", 0)
        """The utterance being heard and the number pipecat knows it by."""
        self._played: asyncio.Queue[tuple[AVUnit, float]] = asyncio.Queue(MAX_PLAYED_UNITS)
        self._listening: asyncio.Task[None] | None = None
        call.on_activity = face.set_activity

    def on_unit(self, unit: AVUnit, sent_s: float) -> None:
        """The tracks sent a unit; called on the event loop, never blocks. Idle units are of no interest here."""
        if unit.utterance_id is None or self._listening is None:
            return
        if self._played.full():
            self._played.get_nowait()
            self._call.counters.dropped["playout"] += 1
        self._played.put_nowait((replace(unit, face=None), sent_s))

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if self._listening is None:
            self._listening = self.create_task(self._follow_playout(), "playout")
        match frame:
            case ResponseStartFrame():
                await self._reply_started(frame)
            case UtteranceStartFrame():
                self._utterance_started(frame)
            case SpeechFrame():
                await self._speech(frame)
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
        if self._replies and self._replies[-1].end is None:
            # Its brain was asked something else meanwhile; what it said is spoken.
            self._complete(self._replies[-1], ResponseEndFrame(response_id=self._replies[-1].reply.id))
        ordinal = int(frame.response_id.rpartition("_")[2])
        reply = Reply(frame.response_id, ordinal, frame.mode, planned=frame.planned)
        self._replies.append(_InHand(reply, frame))
        self._call.emit(ResponseCreated(frame.response_id, ordinal, frame.mode))
        if len(self._replies) == 1:
            await self.push_frame(frame)
        await self._maybe_finish()

    def _utterance_started(self, frame: UtteranceStartFrame) -> None:
        if not self._replies or self._replies[-1].reply.id != frame.response_id:
            return
        self._replies[-1].reply.utterances.append(Utterance(frame.utterance_id, frame.text))
        self._sound = SpokenSound(self._face, response_id=frame.response_id, utterance_id=frame.utterance_id)

    async def _speech(self, frame: SpeechFrame) -> None:
        if self._sound is None or self._sound.utterance_id != frame.utterance_id:
            return
        # The voice waits for room too, but what it has sent already may be more than there was room for.
        await self._face.room(self._sound.num_ticks_of(frame.chunk))
        utterance = self._replies[-1].reply.utterance(frame.utterance_id) if self._replies else None
        if utterance is None or self._sound is None:
            return
        for event, start, end in self._sound.push(frame.chunk):
            utterance.add_word(event.text_position, event.length, start, end)

    async def _utterance_ended(self, frame: UtteranceEndFrame) -> None:
        utterance = self._replies[-1].reply.utterance(frame.utterance_id) if self._replies else None
        if utterance is None:
            return
        utterance.finish(self._sound.finish() if self._sound is not None else 0, is_whole=frame.is_whole)
        self._sound = None
        await self._maybe_finish()

    def _feel(self, frame: EmotionFrame) -> None:
        self._face.set_emotion(frame.weights)
        if frame.gesture:
            self._face.gesture(frame.gesture)

    async def _reply_complete(self, frame: ResponseEndFrame) -> None:
        if not self._replies or self._replies[-1].reply.id != frame.response_id:
            await self.push_frame(frame)
            return
        self._complete(self._replies[-1], frame)
        await self._maybe_finish()

    def _complete(self, in_hand: _InHand, frame: ResponseEndFrame) -> None:
        in_hand.end = frame
        in_hand.reply.is_complete, in_hand.reply.hang_up = True, frame.hang_up

    async def _follow_playout(self) -> None:
        while True:
            unit, sent_s = await self._played.get()
            try:
                await self._was_played(unit, sent_s)
            except Exception as error:  # without this task no reply would ever end
                self._call.report(error, "face")

    async def _was_played(self, unit: AVUnit, sent_s: float) -> None:
        in_hand = self._replies[0] if self._replies else None
        utterance = in_hand.reply.utterance(unit.utterance_id) if in_hand else None
        if in_hand is None or utterance is None:
            return
        if not in_hand.reply.is_started:
            await self._playout_started(in_hand, unit, sent_s)
        for word in utterance.play(unit.offset + unit.num_voiced):
            await self._word_heard(in_hand.reply, utterance, word)
        await self._maybe_finish()

    async def _playout_started(self, in_hand: _InHand, unit: AVUnit, sent_s: float) -> None:
        reply, marks = in_hand.reply, in_hand.start.marks
        reply.is_started = True
        marks.first_played_s = sent_s
        marks.first_frame_s = None if unit.is_late else sent_s
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
        while self._replies and self._replies[0].end is not None and self._replies[0].reply.is_played:
            await self._finish(self._replies.popleft())
            if self._replies:
                await self.push_frame(self._replies[0].start)

    async def _finish(self, in_hand: _InHand) -> None:
        reply, end = in_hand.reply, in_hand.end
        if reply.is_started:
            self._call.emit(PlayoutStopped(reply.id, reply.played_ms))
        await self._speaking_over(reply)
        self._call.emit(AgentTranscriptDone(reply.id, reply.heard_text, ""))
        self._done(in_hand, "completed" if reply.is_started else "failed")
        if end is not None:
            await self.push_frame(end)
        if not self._replies and self._call.activity in (Activity.SPEAKING, Activity.THINKING):
            self._call.set_activity(Activity.IDLE)
        if reply.hang_up:
            self._on_hang_up()

    async def _cut(self) -> None:
        """Interruption: nothing more of any reply leaves the machine, and only what was heard is kept."""
        replies, self._replies, self._sound = self._replies, deque(), None
        self._face.clear()
        self._hush()
        while not self._played.empty():
            self._played.get_nowait()
        for in_hand in replies:
            reply = in_hand.reply
            if reply.is_started:
                self._call.emit(PlayoutCleared(reply.id, reply.played_ms))
                in_hand.start.marks.interrupt_ms = self._call.marks.interrupt_ms
            await self._speaking_over(reply)
            self._call.emit(AgentTranscriptDone(reply.id, reply.heard_text, reply.unheard_text))
            self._done(in_hand, "cancelled")
        if self._call.activity is Activity.SPEAKING:  # a reply that began while the interruption was on its way
            self._call.set_activity(Activity.IDLE)

    async def _speaking_over(self, reply: Reply) -> None:
        if not reply.is_started:
            return
        self._call.is_agent_speaking = False
        await self.push_frame(TTSStoppedFrame(context_id=reply.id))
        await self.broadcast_frame(BotStoppedSpeakingFrame)

    def _done(self, in_hand: _InHand, status: str) -> None:
        reply, marks = in_hand.reply, in_hand.start.marks
        if self._call.on_reply is not None:
            self._call.on_reply(marks)
        self._call.emit(ResponseDone(reply.id, status, reply.played_ms, reply.heard_text, marks.to_wire()))

    async def _stop_following(self) -> None:
        task, self._listening = self._listening, None
        if task is not None:
            await self.cancel_task(task)
