"""`visavis say`: a sentence becomes a video file, faster than real time, by the call's own stages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from avatar.face import Face
from avatar.media import Activity, AVUnit

from .config import ServerConfig
from .engines import Engines
from .errors import ConfigError, TransportError
from .persona.load import find_personas, load
from .persona.schema import Persona
from .pipeline.clauses import ClauseSplitter
from .pipeline.sound import SpokenSound
from .transport.recording import Mp4Writer

Film = Callable[[AVUnit], Awaitable[None]]
"""Takes one unit more."""
MAX_TEXT_CHARS = 4_000
LEAD_IN_UNITS = 8
"""The face is seen for a moment before it speaks, and lips may open before the first sound."""
LEAD_OUT_UNITS = 12


def run_say(text: str, *, persona: str, output: str, tts: str) -> int:
    """Render a text to an MP4 file.

    Raises:
        ConfigError: the text, the persona or the file is not usable.
    """
    if not 1 <= len(text.strip()) <= MAX_TEXT_CHARS:
        raise ConfigError(f"text: {len(text)} characters; say 1 to {MAX_TEXT_CHARS}")
    path = Path(output)
    if path.suffix.lower() != ".mp4" or not path.parent.is_dir():
        raise ConfigError(f"--output {output!r}: name an .mp4 file in a folder that exists")
    config = ServerConfig.model_validate({"persona": persona, "tts": tts})
    paths = find_personas(config.personas_dir)
    if persona not in paths:
        raise ConfigError(f"--persona {persona!r}: there is none of that name; found: {', '.join(sorted(paths))}")
    asyncio.run(_say(text.strip(), load(paths[persona]), path, config))
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    return 0


async def _say(text: str, persona: Persona, path: Path, config: ServerConfig) -> None:
    async with AsyncExitStack() as stack:
        engines = await Engines.warm(config, lambda step: None, is_for_calls=False)
        stack.push_async_callback(engines.aclose)
        executor = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="render"))
        face = Face(engines.renderer(persona), executor=executor)
        stack.push_async_callback(face.aclose)
        film = stack.enter_context(_film(path, config))
        await face.start()
        await _render(text, persona, engines, face, film)


@contextmanager
def _film(path: Path, config: ServerConfig) -> Iterator[Film]:
    """A film that is whole, or is not there."""
    # One thread does all of it, the end too: an interruption does not wait for the picture that is being encoded.
    with ThreadPoolExecutor(1, thread_name_prefix="encode") as executor:
        writer = Mp4Writer(path, width_px=config.video.width_px, height_px=config.video.height_px)

        async def film(unit: AVUnit) -> None:
            await asyncio.wrap_future(executor.submit(writer.write, unit))

        try:
            yield film
            executor.submit(writer.close).result()
        except BaseException as error:
            executor.submit(writer.abort).result()
            if isinstance(error, OSError):
                what = f"cannot write {path}: {error.strerror or error}"
                raise TransportError(what, code="output_unwritable") from error
            raise


async def _render(text: str, persona: Persona, engines: Engines, face: Face, film: Film) -> None:
    splitter = ClauseSplitter()
    sentences = splitter.push(text + " ") + splitter.flush()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    with Progress(*columns, TimeRemainingColumn()) as progress:
        task = progress.add_task(f"{persona.name} speaks", total=len(text) + LEAD_IN_UNITS + LEAD_OUT_UNITS)
        face.set_activity(Activity.SPEAKING)
        await _take(face, film, LEAD_IN_UNITS)
        progress.advance(task, LEAD_IN_UNITS)
        for number, sentence in enumerate(sentences):
            sound = SpokenSound(face, response_id="res_1", utterance_id=f"res_1.{number}")
            voice = engines.voice_spec(persona)
            async for chunk in engines.tts.speak(sentence, voice, utterance_id=sound.utterance_id):
                sound.push(chunk)
                await face.room()
            sound.finish()
            while face.is_speaking:
                await _take(face, film, 1)
            progress.advance(task, len(sentence) + 1)
        face.set_activity(Activity.IDLE)
        await _take(face, film, LEAD_OUT_UNITS)
        progress.update(task, completed=len(text) + LEAD_IN_UNITS + LEAD_OUT_UNITS)


async def _take(face: Face, film: Film, num_units: int) -> None:
    """Take units as fast as they are drawn; offline nothing is ever late."""
    for _ in range(num_units):
        await face.settle()
        await film(face.next_unit())
