"""Floor 6: the public functions, and the one doorway to the module settings."""
