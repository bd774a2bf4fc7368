"""Brings sound and picture together: which sound is due, and which picture belongs to it."""
