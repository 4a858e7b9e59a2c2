"""Floor 7: the gateway, an HTTP server in front of many models."""
