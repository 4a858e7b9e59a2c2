"""The network as values, and the only code that does I/O for calls."""
