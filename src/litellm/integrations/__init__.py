"""Address: what LiteLLM keeps here is in litellm.hooks."""
