"""Floor 4: what a call does."""
