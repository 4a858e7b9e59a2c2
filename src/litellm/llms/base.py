"""Address: seed 004 imports BaseLLM from here."""

from __future__ import annotations

from litellm.providers.custom import BaseLLM

__all__ = ["BaseLLM"]
