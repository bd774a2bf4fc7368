"""Portraits drawn by the project's own code; needs the dependency group "draw" (skia-python)."""
