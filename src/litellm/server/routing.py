"""Which handler a request is for. It is known when the head is here, and says how the body is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal
from urllib.parse import unquote

import msgspec

from litellm.server.refusal import Refusal

# whole: the handler is called when the body is here. stream: at once; it reads the body as it comes. socket: at once, for
# a WebSocket.
BodyMode = Literal["whole", "stream", "socket"]


class Route(msgspec.Struct, frozen=True):
    """A row of a routing table. path: `{name}` in it, once at the most, stands for one or more segments. handler: the
    application's own."""

    method: str
    path: str
    handler: Any
    body: BodyMode = "whole"


class Mount(msgspec.Struct, frozen=True):
    """A path under which a handler decides by itself, whatever the method."""

    prefix: str
    handler: Any
    body: BodyMode = "stream"


class Match(msgspec.Struct, frozen=True):
    """Who answers a request, how its body is read, and what stood in the places of the path."""

    handler: Any
    body: BodyMode = "whole"
    params: Mapping[str, str] = {}


class _Pattern(msgspec.Struct, frozen=True):
    """A path with a place in it, by segments."""

    before: tuple[str, ...]
    name: str
    after: tuple[str, ...]
    methods: dict[str, Match]

    def value(self, segments: tuple[str, ...]) -> str | None:
        """What stands in the place; None if the path is another."""
        start, end = len(self.before), len(segments) - len(self.after)
        if end <= start or segments[:start] != self.before or segments[end:] != self.after:
            return None
        return "/".join(segments[start:end]) or None


class Routes:
    """A routing table. Of patterns that fit, the first counts; exact paths go before patterns, and these before mounts.

    options: who answers OPTIONS where no route does. Raises ValueError for a path with more than one place.

    >>> routes = Routes([Route("GET", "/models", 1), Route("GET", "/models/{model}", 2)])
    >>> routes.find("GET", "/models/a/b%2Fc").params["model"]
    'a/b/c'
    """

    def __init__(self, routes: Iterable[Route], mounts: Iterable[Mount] = (), options: Any = None) -> None:
        self._exact: dict[str, dict[str, Match]] = {}
        self._patterns: list[_Pattern] = []
        for route in routes:
            self._methods(route.path)[route.method] = Match(route.handler, route.body)
        self._mounts = [(mount.prefix, Match(mount.handler, mount.body)) for mount in mounts]
        self._options = None if options is None else Match(options)

    def _methods(self, path: str) -> dict[str, Match]:
        """The methods of one path, by which it is added."""
        if "{" not in path:
            return self._exact.setdefault(path, {})
        before, _, rest = path.partition("{")
        name, _, after = rest.partition("}")
        if "{" in after:
            raise ValueError(f"a path has one place at the most: {path}")
        pattern = _Pattern(_segments(before)[:-1], name, _segments(after)[1:], {})
        for known in self._patterns:
            if (known.before, known.name, known.after) == (pattern.before, pattern.name, pattern.after):
                return known.methods
        self._patterns.append(pattern)
        return pattern.methods

    def find(self, method: str, path: str) -> Match:
        """path: as it came, without a query. Raises Refusal 404 or 405."""
        methods = self._exact.get(path)
        match = None if methods is None else methods.get("GET" if method == "HEAD" else method)
        return match or self._seek(method, path)

    def _seek(self, method: str, path: str) -> Match:
        wanted, segments = "GET" if method == "HEAD" else method, _segments(path)
        allowed: set[str] = set()
        methods = None if any("/" in segment for segment in segments) else self._exact.get("/".join(segments))
        if methods is not None:
            if wanted in methods:
                return methods[wanted]
            allowed.update(methods)
        for pattern in self._patterns:
            value = pattern.value(segments)
            if value is None:
                continue
            if wanted in pattern.methods:
                match = pattern.methods[wanted]
                return Match(match.handler, match.body, {pattern.name: value})
            allowed.update(pattern.methods)
        for prefix, match in self._mounts:
            if path == prefix or path.startswith(prefix + "/"):
                return match
        if method == "OPTIONS" and self._options is not None:
            return self._options
        raise _not_found(method, path, allowed)


def check_protocol(match: Match, *, upgrade: bool) -> None:
    """Raise Refusal 426 where another protocol is spoken than was asked for. upgrade: WebSocket was."""
    if upgrade != (match.body == "socket"):
        protocol = b"websocket" if match.body == "socket" else b"HTTP/1.1"
        raise Refusal(426, f"Only {protocol.decode()} is spoken here", [(b"upgrade", protocol)])


def _segments(path: str) -> tuple[str, ...]:
    """The parts between slashes, decoded one by one: `%2F` in a name is a part of it and no slash of the path."""
    return tuple(unquote(segment) if "%" in segment else segment for segment in path.split("/"))


def _not_found(method: str, path: str, allowed: set[str]) -> Refusal:
    if allowed:
        names = ", ".join(sorted(allowed))
        return Refusal(405, f"{method} is not allowed here; use {names}", [(b"allow", names.encode())])
    return Refusal(404, f"There is no {method} {path[:200]} on this server")
