"""Whom a target has to be asked: an upstream over HTTP, or a handler of the user's own. Mocks are upstreams with a script
in place of a network, so that what works with them works there."""
