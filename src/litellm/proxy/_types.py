"""Address: LiteLLM's documentation imports these from here, for hooks and custom auth."""

from __future__ import annotations

from litellm.types.hooks import CallTypes, LitellmUserRoles, ProxyException, UserAPIKeyAuth

__all__ = ["CallTypes", "LitellmUserRoles", "ProxyException", "UserAPIKeyAuth"]
