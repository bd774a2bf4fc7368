"""What can go wrong with a call.

AgentError
  ConfigError        a setting is wrong: names option, value, remedy
  PersonaError       a persona file cannot be used
  SttError           hearing failed
  TtsError           speaking failed
  BrainError         thinking failed: unreachable, timeout, auth, rate-limit, cut
  TransportError     the wire failed: bad SDP, no media, ICE
  SessionError       a call cannot be made or found
"""

from __future__ import annotations


class AgentError(Exception):
    """Base of all; `code` is stable, the text says what happened, with what, what to do."""

    code = "internal"
    retryable = False
    retry_after_s: float | None = None
    """How long the other side asks to wait, when it does."""

    def __init__(self, text: str, *, code: str | None = None, retryable: bool | None = None) -> None:
        super().__init__(text)
        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable


class ConfigError(AgentError):
    """A setting is wrong."""

    code = "invalid_request"


class PersonaError(AgentError):
    """A persona file cannot be used."""

    code = "persona_invalid"


class SttError(AgentError):
    """Hearing failed."""

    code = "stt-unavailable"
    retryable = True


class TtsError(AgentError):
    """Speaking failed."""

    code = "tts-unavailable"
    retryable = True


class BrainError(AgentError):
    """Thinking failed. Codes: brain-unreachable brain-timeout brain-auth brain-rate-limited brain-cut
    brain-model-missing brain-bad-answer."""

    code = "brain_failed"
    retryable = True


class TransportError(AgentError):
    """The wire failed."""

    code = "signalling_failed"


class SessionError(AgentError):
    """A call cannot be made or found."""

    code = "session_not_found"
