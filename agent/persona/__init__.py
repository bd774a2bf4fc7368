"""Who speaks: persona files read, checked and given out as frozen values."""

from .load import check, find_personas, load, loads
from .problem import PersonaFileError, Problem
from .schema import Persona
from .script import persona_words, script_lines

__all__ = [
    "Persona",
    "PersonaFileError",
    "Problem",
    "check",
    "find_personas",
    "load",
    "loads",
    "persona_words",
    "script_lines",
]
