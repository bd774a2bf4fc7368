"""Write a persona in YAML and talk to it: `python examples/01_own_persona.py`, then open http://127.0.0.1:7860."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from agent import load_persona, serve

PERSONA = """
schema: persona/v1
id: guide
name: Ada
description: A museum guide who loves clocks.
greeting: [Welcome! Ask me about the old clock.]
face: {avatar: mira}
brain:
  intents:
    - id: clock
      examples: [tell me about the clock, how old is the clock, who made it, when was it made, is it still running]
      replies: ["It was made in sixteen fifty six, and it still runs."]
      emotion: happy
  fallback: ["I only know the clock. Ask me how old it is."]
"""


def main() -> int:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "guide" / "persona.yaml"
        path.parent.mkdir()
        path.write_text(PERSONA)
        persona = load_persona(path)
        print(f"{persona.name} speaks {persona.languages[0]} and greets with: {persona.greeting[0]}")
        port = int(sys.argv[1]) if len(sys.argv) > 1 else 7860
        return int(serve({"personas_dir": folder, "persona": persona.id, "port": port}))


if __name__ == "__main__":
    raise SystemExit(main())
