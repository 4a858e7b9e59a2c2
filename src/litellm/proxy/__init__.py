"""The gateway, an HTTP server in front of many models."""
