"""One call's pipeline, from microphone to lip, in reading order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pipecat.frames.frames import InputTransportMessageFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMAssistantAggregatorParams,
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.workers.runner import WorkerRunner

from avatar.face import Face
from avatar.media import MEDIA_CLOCK_RATE, AVUnit

from ..brain.base import Brain
from ..stt.base import SAMPLE_RATE_HZ, Int16Array, SttStream
from ..tts.base import TtsEngine, VoiceSpec
from .call import Call
from .face import FaceStage
from .frames import SayFrame
from .llm import Mind, to_messages
from .senses import Detector, TurnOracle
from .smart_turn import VoiceDetector
from .stt import Ear
from .tts import Voice
from .turn_frames import ear_turn_strategies
from .wire import LastStage, Wire

STOP_S = 5.0


@dataclass(frozen=True, slots=True)
class CallParts:
    """What a call is made of; the caller of `CallPipeline` keeps ownership and closes them."""

    call: Call
    hearing: SttStream
    turn_model: TurnOracle
    brain: Brain
    tts: TtsEngine
    voice: VoiceSpec
    face: Face
    send_message: Callable[[str], None]
    """Messages of pipecat's RTVI to the caller."""
    on_hang_up: Callable[[], None]
    hush: Callable[[], None]
    """Let nothing of the sound that is on its way out leave."""
    detector: Detector = field(default_factory=VoiceDetector)
    speaks_rtvi: bool = False


class CallPipeline:
    """The running pipeline of one call."""

    def __init__(self, parts: CallParts) -> None:
        call, face = parts.call, parts.face
        self._context = LLMContext()
        memory = LLMContextAggregatorPair(
            self._context,
            user_params=LLMUserAggregatorParams(
                user_turn_strategies=ear_turn_strategies(), user_turn_stop_timeout=30.0, empty_user_turn=None
            ),
            assistant_params=LLMAssistantAggregatorParams(),
        )
        self._ear = Ear(
            call,
            detector=parts.detector,
            turn_model=parts.turn_model,
            stream=parts.hearing,
            voice=_HushedFace(face, parts.hush),
            script_score=parts.brain.confidence,
        )
        self._face_stage = FaceStage(call, face, hush=parts.hush, on_hang_up=parts.on_hang_up)
        self._wire = Wire(parts.send_message)
        self._mind = Mind(call, parts.brain)
        pipeline = Pipeline(
            [
                self._ear,  # microphone -> Silero VAD -> smart-turn -> recogniser: turns and words
                memory.user(),  # the user's turn enters the conversation; barge-in starts here
                self._mind,  # the persona's brain, held back while the turn may go on
                Voice(call, parts.tts, parts.voice, has_room=face.room),  # sentences to sound and phonemes
                self._face_stage,  # sound to the avatar; what was heard comes back
                self._wire,  # messages to the caller
                memory.assistant(),  # only heard words enter the conversation
                LastStage(call),  # tells when an interruption is through
            ]
        )
        self._worker = PipelineWorker(
            pipeline,
            params=PipelineParams(audio_in_sample_rate=SAMPLE_RATE_HZ, audio_out_sample_rate=MEDIA_CLOCK_RATE),
            enable_rtvi=parts.speaks_rtvi,
            enable_turn_tracking=False,
            idle_timeout_secs=None,
            cancel_timeout_secs=STOP_S,
        )
        self._call = call
        self._worker.add_event_handler("on_pipeline_error", self._on_error)
        self._runner = WorkerRunner(handle_sigint=False)

    async def run(self) -> None:
        """Run until `stop`; the caller's task owns it."""
        await self._runner.add_workers(self._worker)
        await self._runner.run()

    async def stop(self) -> None:
        """End at once; what is not said is dropped."""
        # First, or a recogniser that hangs would keep the ear from hearing of the end.
        await self._ear.stop_listening()
        await self._worker.cancel()

    async def hear(self, samples: Int16Array) -> None:
        """Sound of the microphone, int16[n] at 16 kHz."""
        await self._ear.hear(samples)

    async def type_text(self, text: str) -> None:
        """The user typed a turn."""
        await self._ear.type_text(text)

    async def say(self, text: str, *, mode: str = "repeat") -> None:
        """Let the agent say words verbatim, after what it is saying."""
        await self._ear.push_frame(SayFrame(text=text, mode=mode))

    async def interrupt(self) -> None:
        """Stop the agent at once, as a barge-in does."""
        await self._ear.interrupt()

    async def message(self, message: object) -> None:
        """A message of pipecat's own client (RTVI)."""
        await self._ear.broadcast_frame(InputTransportMessageFrame, message=message)

    def on_unit(self, unit: AVUnit, sent_s: float) -> None:
        """The tracks sent a unit."""
        self._ear.tick(sent_s)
        self._face_stage.on_unit(unit, sent_s)

    @property
    def transcript(self) -> list[dict[str, str]]:
        """The conversation as it was heard: {role: user | agent, text}."""
        roles = {"user": "user", "assistant": "agent"}
        messages = to_messages(self._context.get_messages())
        return [{"role": roles[m.role], "text": m.text} for m in messages if m.role in roles]

    async def _on_error(self, worker: PipelineWorker, frame: object) -> None:
        exception = getattr(frame, "exception", None)
        self._call.report(exception or RuntimeError(str(getattr(frame, "error", frame))), "pipeline")


class _HushedFace:
    """The agent's voice as the ear holds it: the face keeps the sound, the wire stops what is leaving."""

    def __init__(self, face: Face, hush: Callable[[], None]) -> None:
        self._face = face
        self._hush = hush

    def hold(self) -> None:
        self._face.hold()
        self._hush()

    def resume(self) -> None:
        self._face.resume()
