"""Authentication: the master key, and custom_auth."""
