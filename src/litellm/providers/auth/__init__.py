"""How a key becomes headers."""
