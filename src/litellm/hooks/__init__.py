"""Floor 4: callbacks, and what they are told."""
