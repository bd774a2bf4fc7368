"""Call a running server, ask something, print the answer as it is heard: `python examples/02_call_from_python.py`."""

import asyncio
import sys

from agent import Caller

URL = "http://127.0.0.1:7860"


async def main(url: str, question: str) -> None:
    caller = Caller()
    try:
        await caller.connect(url)
        await caller.wait_for("response.done", 30)  # the greeting
        num_events = len(caller.events)
        caller.send({"type": "response.create", "response": {"mode": "talk", "text": question}})
        done = await caller.wait_for("response.done", 60, after=num_events)
        print(f"you:   {question}")
        print(f"agent: {done.body['heard_text']}")
        print(f"first sound after {done.body['metrics']['ttfa_ms']} ms")
    finally:
        await caller.aclose()


if __name__ == "__main__":
    asyncio.run(main(*(sys.argv[1:3] if len(sys.argv) > 2 else (URL, "how does this work"))))
