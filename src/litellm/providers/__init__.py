"""The table of providers, and how a model name becomes a target."""
