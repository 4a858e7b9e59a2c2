"""The administrator's hooks of requests: what they get, what they may change, how they refuse."""
