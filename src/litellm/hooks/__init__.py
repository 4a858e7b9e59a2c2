"""Callbacks, and what they are told."""
