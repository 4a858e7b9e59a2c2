"""Address: mini-swe-agent, opik and swe-agent import from litellm.cost_calculator."""

from __future__ import annotations

from litellm.catalog.prices import completion_cost, cost_per_token

__all__ = ["completion_cost", "cost_per_token"]
