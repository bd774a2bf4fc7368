"""The speech worker is a program, not a package: its modules are found by its folder, as when it runs."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[4] / "agent" / "tts" / "worker"))
