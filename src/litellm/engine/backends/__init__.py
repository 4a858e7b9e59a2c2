"""Whom a target has to be asked: an upstream over HTTP, a script, or a handler of the user's own. How is for
each kind of providers/backend.py to say, in a module of its own here."""
