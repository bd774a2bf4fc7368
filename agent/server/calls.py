"""The calls of this server: who is in, who may come in, and how all of them end."""

from __future__ import annotations

import asyncio
import secrets
import string
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from avatar.clock import Clock

from ..call_engines import CallEngines
from ..config import ServerConfig
from ..engines import Engines
from ..errors import PersonaError, SessionError
from ..metrics import TurnMarks
from ..persona.load import find_personas, load
from ..persona.schema import Persona
from ..session import Door, Session, SessionIdentity
from ..upgrade import Upgrade

ALPHABET = string.digits + string.ascii_letters
ENDED_KEPT = 200


def new_id(prefix: str, num_chars: int = 22) -> str:
    """A random id: prefix and base62."""
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(num_chars))


class CallBook:
    """Makes, finds and ends sessions; never holds more than the server was told to."""

    def __init__(self, config: ServerConfig, clock: Clock) -> None:
        self.config = config
        self.clock = clock
        self.engines: Engines | None = None
        """None until everything is warm."""
        self.upgrade: Upgrade | None = None
        self.num_created = 0
        self.num_ended: Counter[str] = Counter()
        self._sessions: dict[str, Session] = {}
        self._ended: deque[dict[str, Any]] = deque(maxlen=ENDED_KEPT)
        """As the API shows them: a whole session holds encoders, a renderer, a recogniser."""
        self._personas: dict[Path, tuple[int, Persona]] = {}
        self._num_opening = 0
        self.is_closing = False
        self.watchers: list[Callable[[Session], None]] = []
        """Told each call that ended."""
        self.reply_watchers: list[Callable[[TurnMarks], None]] = []
        """Told the phases of each reply of any call."""

    @property
    def sessions(self) -> list[Session]:
        """The living ones."""
        return list(self._sessions.values())

    @property
    def num_active(self) -> int:
        return len(self._sessions) + self._num_opening

    async def create(self, persona_id: str | None, *, door: Door = "native") -> Session:
        """Make a session, warm and waiting for its caller.

        Raises:
            SessionError: the server is not ready, closing, or full.
            PersonaError: there is no such persona, or its file has faults.
        """
        if self.engines is None or self.is_closing:
            raise SessionError("the server is warming up; try again in a moment", code="not_ready", retryable=True)
        if self.num_active >= self.config.max_sessions:
            raise SessionError(
                f"all {self.config.max_sessions} places are taken; try again when somebody has hung up, "
                "or start the server with a larger --max-sessions",
                code="server_busy",
                retryable=True,
            )
        self._num_opening += 1
        try:
            persona = await asyncio.to_thread(self.persona, persona_id or self.config.persona)
            engines = await self._open(self.engines, persona)
            identity = SessionIdentity(new_id("ses_"), new_id("vst_", 43))
            session = Session(
                identity,
                persona,
                engines,
                config=self.config,
                clock=self.clock,
                on_ended=self._ended_now,
                door=door,
            )
            session.call.on_reply = self._reply_over
            self._sessions[session.id] = session
        finally:
            self._num_opening -= 1
        self.num_created += 1
        session.start()
        return session

    async def _open(self, warm: Engines, persona: Persona) -> CallEngines:
        engines = await warm.open(persona, self.clock)
        if self.is_closing:
            await engines.aclose()
            raise SessionError("the server is closing", code="not_ready")
        return engines

    def persona(self, persona_id: str) -> Persona:
        """Read a persona from its folder; what was just saved is used by the next call."""
        path = self.personas().get(persona_id)
        if path is None:
            known = ", ".join(sorted(self.personas())) or "none"
            raise PersonaError(f"there is no persona {persona_id!r} (found: {known})", code="persona_not_found")
        stamp = path.stat().st_mtime_ns
        kept = self._personas.get(path)
        if kept is None or kept[0] != stamp:
            kept = self._personas[path] = stamp, load(path)
        return kept[1]

    def personas(self) -> dict[str, Path]:
        """Persona ids and their files."""
        return find_personas(self.config.personas_dir)

    def get(self, session_id: str) -> Session:
        """The living session of that id.

        Raises:
            SessionError: there is none, or it is over.
        """
        session = self._sessions.get(session_id)
        if session is not None:
            return session
        if self.find_ended(session_id) is not None:
            raise SessionError("this call is over; create a new session", code="session_ended")
        raise SessionError("there is no such session", code="session_not_found")

    def find_ended(self, session_id: str) -> dict[str, Any] | None:
        """A session that is over, as the API shows it, as long as it is remembered."""
        return next((ended for ended in self._ended if ended["id"] == session_id), None)

    async def aclose(self) -> None:
        """End all calls."""
        self.is_closing = True
        await asyncio.gather(*(s.aclose("server_shutdown") for s in self.sessions), return_exceptions=True)

    def tell_engines(self) -> None:
        """Tell all callers that a better engine is on its way, or here for the next call."""
        if self.engines is not None:
            for session in self.sessions:
                session.engines_changed(self.engines.describe(session.persona))

    def _reply_over(self, marks: TurnMarks) -> None:
        for watcher in self.reply_watchers:
            watcher(marks)

    def _ended_now(self, session: Session) -> None:
        self._sessions.pop(session.id, None)
        self._ended.append(session.to_wire())
        self.num_ended[session.end_reason or "error"] += 1
        for watcher in self.watchers:
            watcher(session)
