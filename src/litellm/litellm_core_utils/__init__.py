"""Address: what LiteLLM keeps here is in litellm.engine and litellm.sdk."""
