"""What `litellm` does on a command line."""
