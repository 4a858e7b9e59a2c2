"""Who there is to call, and how a model name becomes a place to send to."""
