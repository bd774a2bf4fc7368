"""What can go wrong with a model.

ModelError
  UnknownModelError    no such name in the catalog
  OfflineError         fetching is forbidden by VISAVIS_OFFLINE=1
  HubUnreachableError  no connection, or it hangs            (retryable)
  HubRefusedError      the hub answered with an error        (5xx and 429 retryable)
  TruncatedError       the connection broke, the rest is kept (retryable)
  ChecksumError        what came is not what was announced
  DiskFullError        no room in the cache folder
  CacheError           the cache folder cannot be used
  ModelLoadError       the file is there and cannot be opened
"""

from __future__ import annotations


class ModelError(Exception):
    """Base of all; `code` is stable, the text says what happened, with what, what to do."""

    code = "model-error"
    retryable = False


class UnknownModelError(ModelError):
    """No such name in the catalog."""

    code = "model-unknown"


class OfflineError(ModelError):
    """Fetching is forbidden."""

    code = "model-offline"


class HubUnreachableError(ModelError):
    """No connection to the hub."""

    code = "hub-unreachable"
    retryable = True


class HubRefusedError(ModelError):
    """The hub answered with an error."""

    code = "hub-refused"

    def __init__(self, text: str, *, retryable: bool = False) -> None:
        super().__init__(text)
        self.retryable = retryable


class TruncatedError(ModelError):
    """The connection broke in the middle; what came is kept and continued."""

    code = "model-truncated"
    retryable = True


class ChecksumError(ModelError):
    """What came is not what was announced; nothing of it was installed."""

    code = "model-checksum"


class DiskFullError(ModelError):
    """No room in the cache folder."""

    code = "disk-full"


class CacheError(ModelError):
    """The cache folder cannot be used."""

    code = "model-cache"


class ModelLoadError(ModelError):
    """The file is there and cannot be opened."""

    code = "model-load"
