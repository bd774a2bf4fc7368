"""The six emotions of every wire and the named expressions that are mixed from them."""

from __future__ import annotations

from collections.abc import Mapping

from .schema import Persona

EMOTIONS = ("neutral", "happy", "sad", "angry", "surprised", "fearful")
EXPRESSIONS: Mapping[str, Mapping[str, float]] = {
    "thinking": {"neutral": 0.9, "surprised": 0.1},
    "concerned": {"sad": 0.35, "fearful": 0.15},
    "amused": {"happy": 0.55},
    "curious": {"surprised": 0.3, "happy": 0.15},
    "warm": {"happy": 0.4},
    "proud": {"happy": 0.5, "surprised": 0.1},
    "sorry": {"sad": 0.45},
    "excited": {"happy": 0.8, "surprised": 0.3},
    "sceptical": {"angry": 0.15, "surprised": 0.15},
    "annoyed": {"angry": 0.4},
}
"""Mixes, each weight 0..1; a persona may redefine them or add its own under `face.emotions`."""
GESTURES = ("nod", "shake", "tilt", "wave", "smile", "brow_raise", "lean_in", "hands_open", "hands_beat")


def emotion_names(persona: Persona) -> tuple[str, ...]:
    """Every emotion this persona can show, the six first."""
    return tuple(dict.fromkeys((*EMOTIONS, *EXPRESSIONS, *persona.face.emotions)))


def emotion_weights(persona: Persona, name: str) -> dict[str, float] | None:
    """Weights of the six emotions for a name, or None when the name is not known."""
    own = persona.face.emotions.get(name)
    if own is not None and own.mix:
        return {str(emotion): weight for emotion, weight in own.mix.items()}
    if name in EMOTIONS:
        return {name: 1.0}
    if name in EXPRESSIONS:
        return dict(EXPRESSIONS[name])
    return {"neutral": 1.0} if own is not None else None
