"""Floor 1: the objects that callers read, named after what they describe."""
