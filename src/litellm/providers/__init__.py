"""Floor 3: who there is to call, and how a model name becomes a place to send to."""
