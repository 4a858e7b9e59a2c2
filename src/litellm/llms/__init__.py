"""Address: what LiteLLM keeps here is in litellm.providers and litellm.wire."""
