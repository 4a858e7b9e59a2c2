"""The administrator's code on the way of a request: what it may change, what it is told, how it refuses."""
