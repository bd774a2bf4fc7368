"""Measuring real calls: every number in the README comes out of here, with the machine it was taken on."""

from .command import run_bench

__all__ = ["run_bench"]
