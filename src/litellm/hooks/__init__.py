"""Callbacks: observers of calls, and hooks that run inline."""
