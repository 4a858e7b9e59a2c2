"""Floor 8: what `litellm` does on a command line."""
