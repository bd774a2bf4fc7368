"""The only part that knows pipecat: one call's stages, from microphone to lip (`build`)."""

from loguru import logger

# Before pipecat is imported: it greets on import, and a terminal is for what people need to know.
logger.remove()
