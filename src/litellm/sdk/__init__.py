"""The public functions, and the one doorway to the module settings."""
