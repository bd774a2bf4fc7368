"""A mind behind any OpenAI-compatible endpoint: streamed, cleaned for speech, every failure coded.

The only importer of the openai package. Prompts, words and keys are never logged.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar, cast
from urllib.parse import urlsplit

import httpx
import openai
import openai.resources.chat  # the package imports it on first use, which would cost the first answer 0.5 s
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

from avatar.clock import Clock, MonotonicClock

from ..errors import BrainError
from ..persona.expressions import emotion_weights
from ..persona.schema import Persona
from .base import BrainCapabilities, BrainEvent, Emotion, End, Message, TextDelta
from .choice import greeting
from .detect import is_talking_model
from .guard import Guard
from .prompt import lore_prompt, system_prompt
from .speakable import Speakable

Chunks = openai.AsyncStream[ChatCompletionChunk]
T = TypeVar("T")
CONNECT_TIMEOUT_S = 3.0
# Enough for half an hour of talk; older lines leave the window.
HISTORY_MESSAGES_MAX = 60
# An address without a key still wants some header from the openai package.
NO_KEY = "none"
OPENAI_HOST = "api.openai.com"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model answers."""

    base_url: str
    """With its path, such as `http://127.0.0.1:11434/v1`."""
    api_key: str | None = None
    """Sent to `base_url` and nowhere else."""
    model: str | None = None
    """None = the first talking model the server lists."""

    def __repr__(self) -> str:
        return f"Endpoint({self.base_url!r}, model={self.model!r})"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds."""

    first_token_s: float = 8.0
    """To the first word that can be spoken, hidden thoughts included."""
    stall_s: float = 8.0
    """Between two pieces of an answer."""
    total_s: float = 60.0


class OpenAiBrain:
    """A Brain over chat completions."""

    def __init__(
        self,
        persona: Persona,
        endpoint: Endpoint,
        *,
        seed: str = "0",
        language: str = "en",
        date: str = "",
        notice: str = "",
        patience: Patience = Patience(),  # noqa: B008 - a frozen value
        clock: Clock | None = None,
    ) -> None:
        self._persona = persona
        self._endpoint = endpoint
        self._seed = seed
        self._date = date
        self._notice = notice or f"{persona.name} talks freely."
        self._patience = patience
        self._clock = clock or MonotonicClock()
        self._prompt = system_prompt(persona, language=language, date=date)
        self._model = endpoint.model
        self._guard = Guard(persona)
        self._client = _client(endpoint)

    @property
    def capabilities(self) -> BrainCapabilities:
        return BrainCapabilities(f"openai:{self._model or 'auto'}", True, self._notice)

    async def respond(self, messages: Sequence[Message]) -> AsyncIterator[BrainEvent]:
        """Answer the conversation; see `Brain.respond`.

        Raises:
            BrainError: brain-unreachable, brain-timeout, brain-auth, brain-rate-limited (with `retry_after_s`),
                brain-model-missing, brain-bad-answer, brain-cut.
        """
        said = messages[-1].text if messages and messages[-1].role == "user" else ""
        if guarded := self._guard.answer(said):
            yield Emotion({"neutral": 1.0})
            yield TextDelta(guarded[1])
            yield End(intent=guarded[0])
            return
        deadline_s = self._clock.now_s() + self._patience.total_s
        speakable = Speakable(partial(emotion_weights, self._persona), max_sentences=self._persona.style.max_sentences)
        stream: Chunks | None = None
        try:
            stream, events = await self._first_words(messages, speakable)
            has_face = False
            while True:
                for event in events:
                    # A face before the first word, also when the model forgot its tag.
                    if isinstance(event, TextDelta) and not has_face:
                        yield Emotion({"neutral": 1.0})
                    has_face = True
                    yield event
                if stream is None or speakable.is_full:
                    break
                patience_s = min(self._patience.stall_s, deadline_s - self._clock.now_s())
                text, is_last = await self._within(patience_s, _next_text(stream), "went silent")
                events = speakable.finish() if is_last else speakable.feed(text)
                if is_last:
                    await _closed(stream)
                    stream = None
                    self._check_whole(text, speakable)
            yield End()
        finally:
            await _closed(stream)

    def greeting(self) -> str | None:
        return greeting(self._persona, seed=self._seed, date=self._date)

    def confidence(self, text: str) -> float:
        return 0.0

    async def warm_up(self) -> None:
        """Have the server load its model and read the prompt, so that the first answer comes sooner.

        Raises:
            BrainError: as `respond`; brain-timeout after `total_s`.
        """
        request = [{"role": "system", "content": self._prompt}, {"role": "user", "content": "Hello"}]
        await self._within(self._patience.total_s, self._warm_up(request), "is not ready")

    async def aclose(self) -> None:
        await self._client.close()

    async def _warm_up(self, request: list[dict[str, str]]) -> None:
        await _closed(await self._open(request, max_tokens=1))

    async def _first_words(
        self, messages: Sequence[Message], speakable: Speakable
    ) -> tuple[Chunks | None, list[BrainEvent]]:
        """Open the stream and read to the first words; one retry when the connection fails before them."""
        request = self._request(messages)
        for attempt in (1, 2):
            try:
                return await self._within(
                    self._patience.first_token_s, self._read_to_words(request, speakable), "did not answer"
                )
            except BrainError as exc:
                if exc.code != "brain-unreachable" or attempt == 2 or speakable.has_spoken:
                    raise
        raise AssertionError("the second attempt returns or raises")

    async def _read_to_words(
        self, request: list[dict[str, str]], speakable: Speakable
    ) -> tuple[Chunks | None, list[BrainEvent]]:
        stream = await self._open(request, max_tokens=self._persona.brain.max_tokens)
        events: list[BrainEvent] = []
        try:
            while not speakable.has_spoken:
                text, is_last = await _next_text(stream)
                events += speakable.finish() if is_last else speakable.feed(text)
                if is_last:
                    self._check_whole(text, speakable)
                    await stream.close()
                    return None, events
        except BaseException:
            await _closed(stream)
            raise
        return stream, events

    async def _open(self, request: list[dict[str, str]], *, max_tokens: int) -> Chunks:
        if self._model is None:
            self._model = await self._first_model()
        return await self._client.chat.completions.create(
            model=self._model,
            messages=cast("list[ChatCompletionMessageParam]", request),
            stream=True,
            temperature=self._persona.brain.temperature,
            max_tokens=max_tokens,
        )

    async def _first_model(self) -> str:
        names = [model.id async for model in self._client.models.list()]
        chosen = next((name for name in names if is_talking_model(name)), None)
        if chosen is None:
            raise BrainError(
                f"{self._endpoint.base_url} lists no model that talks; load one there or set VISAVIS_MODEL",
                code="brain-model-missing",
                retryable=False,
            )
        return chosen

    async def _within(self, seconds: float, work: Awaitable[T], what: str) -> T:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                return await work
        except TimeoutError as exc:
            raise BrainError(
                f"the language model at {self._endpoint.base_url} {what} for {max(0.0, seconds):.1f} s; "
                "a smaller model answers sooner",
                code="brain-timeout",
            ) from exc
        except (openai.OpenAIError, httpx.HTTPError, ValueError) as exc:
            raise coded(exc, self._endpoint.base_url, self._model) from exc

    def _check_whole(self, finish_reason: str, speakable: Speakable) -> None:
        """An answer without a reason to end, in the middle of a sentence, was cut; one without words is none."""
        where = f"the language model at {self._endpoint.base_url}"
        if not speakable.has_spoken:
            raise BrainError(f"{where} sent no words that can be spoken", code="brain-bad-answer")
        if not finish_reason and not speakable.ends_whole:
            raise BrainError(f"{where} stopped in the middle of its answer", code="brain-cut")

    def _request(self, messages: Sequence[Message]) -> list[dict[str, str]]:
        """The messages as the strictest chat templates want them: one system first, then user and assistant in turn."""
        lore = lore_prompt(self._persona, messages)
        turns: list[dict[str, str]] = []
        for message in [m for m in messages if m.role != "system"][-HISTORY_MESSAGES_MAX:]:
            if turns and turns[-1]["role"] == message.role:
                turns[-1]["content"] += f" {message.text}"
            else:
                turns.append({"role": message.role, "content": message.text})
        if turns and turns[0]["role"] == "assistant":
            turns.insert(0, {"role": "user", "content": "(The call begins.)"})
        if self._persona.reminder and turns:
            turns[-1]["content"] += f"\n\n({self._persona.reminder})"
        extra = [m.text for m in messages if m.role == "system"]
        system = "\n\n".join([self._prompt, *extra, *([lore] if lore else [])])
        return [{"role": "system", "content": system}, *turns]


def _client(endpoint: Endpoint) -> openai.AsyncOpenAI:
    host = urlsplit(endpoint.base_url).hostname or ""
    is_local = host in LOOPBACK
    client = openai.AsyncOpenAI(
        base_url=endpoint.base_url,
        # Without a word here the package would take OPENAI_API_KEY and send it to whatever server this is.
        api_key=endpoint.api_key or NO_KEY,
        max_retries=0,
        timeout=httpx.Timeout(60.0, connect=CONNECT_TIMEOUT_S),
        # A redirect could carry the key elsewhere; a proxy has no business with this machine's own servers.
        http_client=httpx.AsyncClient(follow_redirects=False, trust_env=not is_local),
    )
    if host != OPENAI_HOST:
        # Of the environment too, and nobody else's business.
        client.organization = client.project = None
    return client


async def _next_text(stream: Chunks) -> tuple[str, bool]:
    """The next piece: (text, False), or (finish reason or "", True) at the end."""
    async for chunk in stream:
        if not chunk.choices:
            continue
        choice = chunk.choices[0]
        if choice.delta and choice.delta.content:
            return choice.delta.content, False
        if choice.finish_reason:
            return choice.finish_reason, True
    return "", True


async def _closed(stream: Chunks | None) -> None:
    if stream is not None:
        await asyncio.shield(stream.close())


def coded(exc: Exception, base_url: str, model: str | None) -> BrainError:
    """The failure of an endpoint as an error with a code, and what to do about it."""
    where = f"the language model at {base_url}"
    if isinstance(exc, openai.APITimeoutError | httpx.TimeoutException):
        return BrainError(f"{where} did not answer in time; a smaller model answers sooner", code="brain-timeout")
    if isinstance(exc, openai.APIConnectionError | httpx.ConnectError):
        return BrainError(f"{where} cannot be reached; is it running?", code="brain-unreachable")
    if isinstance(exc, httpx.HTTPError):
        return BrainError(f"{where} broke off in the middle of its answer", code="brain-cut")
    if isinstance(exc, openai.AuthenticationError | openai.PermissionDeniedError):
        return BrainError(f"{where} refuses the key; check OPENAI_API_KEY", code="brain-auth", retryable=False)
    if isinstance(exc, openai.RateLimitError):
        seconds = retry_after_s(exc.response.headers)
        wait = f"; it asks to wait {seconds:.0f} s" if seconds else ""
        error = BrainError(f"{where} has had too many requests or is out of credit{wait}", code="brain-rate-limited")
        error.retry_after_s = seconds
        return error
    if isinstance(exc, openai.NotFoundError):
        name = model or "the model"
        return BrainError(
            f"{where} does not know '{name}'; load it there (`ollama pull {name}`) or set VISAVIS_MODEL",
            code="brain-model-missing",
            retryable=False,
        )
    if isinstance(exc, openai.APIStatusError) and exc.status_code >= 500:
        return BrainError(f"{where} answered {exc.status_code}; look at its own log", code="brain-unreachable")
    return BrainError(
        f"{where} answered something that is no chat completion ({type(exc).__name__}); is the address right?",
        code="brain-bad-answer",
        retryable=False,
    )


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The seconds a server asks to wait, or None when it gives none or a date."""
    try:
        return max(0.0, float(headers.get("retry-after", "")))
    except ValueError:
        return None
