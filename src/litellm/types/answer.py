"""What answers remember beside their content: how they came about."""

from __future__ import annotations

from typing import Any

from pydantic import PrivateAttr

from litellm.types.base import OpenAIObject


class Answered(OpenAIObject):
    """What is the root of an answer, as against its parts."""

    _hidden_params: dict[str, Any] = PrivateAttr(default_factory=dict)
    _response_headers: dict[str, str] | None = PrivateAttr(default=None)

    @property
    def _response_ms(self) -> float | None:
        """Milliseconds from the call to this answer."""
        return self._hidden_params.get("_response_ms")

    @property
    def response_ms(self) -> float | None:
        """Milliseconds from the call to this answer."""
        return self._hidden_params.get("_response_ms")
