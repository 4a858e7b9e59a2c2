"""Loggers that have a name. Each is imported when it is named, and brings its package only then."""
