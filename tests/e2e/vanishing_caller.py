"""A caller that connects, prints its session id and waits to be killed: `python -m tests.e2e.vanishing_caller URL`"""

import asyncio
import sys

from agent.transport.client import Caller


async def main() -> None:
    caller = Caller()
    await caller.connect(sys.argv[1])
    await caller.wait_for("session.created", 10)
    print(caller.session["id"], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
