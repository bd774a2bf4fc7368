"""What can go wrong with a face.

AvatarError
  IdentityError    a prepared face cannot be read, or is of another version
  RenderError      a picture cannot be drawn
  BufferFullError  too much sound waits
"""

from __future__ import annotations


class AvatarError(Exception):
    """Base: `code` is stable for programs, the text is for people."""

    code = "avatar-error"
    retryable = False


class IdentityError(AvatarError):
    """A prepared face cannot be read."""

    code = "identity-invalid"


class RenderError(AvatarError):
    """A picture cannot be drawn."""

    code = "renderer-failed"


class BufferFullError(AvatarError):
    """More sound was pushed than a face keeps waiting; take it again after `Face.room()`."""

    code = "face-buffer-full"
    retryable = True
