"""How a server is set up: what people may choose, with bounds and remedies."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.hub import is_offline

from .errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class VideoConfig(BaseModel):
    """The picture of a call."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width_px: Literal[1280] = 1280
    height_px: Literal[720] = 720
    codec: Literal["auto", "VP8", "H264"] = "auto"
    """auto takes what the caller prefers."""


class ServerConfig(BaseModel):
    """Everything `visavis serve` can be told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(7860, ge=0, le=65535)
    persona: str = "mira"
    personas_dir: Path = ROOT / "personas"
    max_sessions: int = Field(4, ge=1, le=256)
    connect_timeout_s: float = Field(60.0, gt=0)
    """A session without a connection ends after this."""
    idle_timeout_s: float = Field(0.0, ge=0)
    """Nobody speaks or types for so long: the call ends; 0 = never."""
    on_disconnect_s: float = Field(30.0, ge=0)
    """How long a lost caller may come back."""
    stt: Literal["auto", "whisper", "pocketsphinx"] = "auto"
    tts: Literal["auto", "piper", "flite", "espeak"] = "auto"
    brain: Literal["auto", "openai", "scripted"] = "auto"
    offline: bool = False
    """Never fetch anything."""
    video: VideoConfig = VideoConfig()

    @property
    def is_loopback(self) -> bool:
        return self.host in LOOPBACK_HOSTS


def load_config(options: Mapping[str, object], env: Mapping[str, str] | None = None) -> ServerConfig:
    """Make the configuration from command-line options and the environment.

    Raises:
        ConfigError: names option, value and remedy; also when the server would be open to others
            while no keys exist.
    """
    env = os.environ if env is None else env
    values = {k: v for k, v in options.items() if v is not None}
    if is_offline(env):
        values["offline"] = True
    try:
        config = ServerConfig.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        option = "--" + "-".join(str(part) for part in first["loc"]).replace("_", "-")
        what = first["msg"].replace("Input should", "it should")
        raise ConfigError(f"{option} {first.get('input')!r}: {what}; `visavis serve --help` tells more") from None
    if not config.is_loopback:
        raise ConfigError(
            f"--host {config.host!r}: while no API keys exist only this machine may call; use --host 127.0.0.1 "
            "and a reverse proxy or an SSH tunnel to reach it from elsewhere"
        )
    return config
