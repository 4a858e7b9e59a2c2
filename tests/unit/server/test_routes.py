"""Which route a path means."""

from __future__ import annotations

import pytest

from litellm.server.refusal import Refusal
from litellm.server.routing import Mount, Route, Routes, check_protocol

ROUTES = Routes(
    [
        Route("GET", "/models", "list"),
        Route("POST", "/models", "add", "stream"),
        Route("GET", "/models/{model}", "show"),
        Route("POST", "/engines/{model}/chat/completions", "chat"),
        Route("POST", "/engines/{model}/completions", "text"),
        Route("GET", "/realtime", "talk", "socket"),
    ],
    [Mount("/ui", "ui")],
    options="options",
)


@pytest.mark.parametrize(
    ("method", "path", "handler", "params"),
    [
        ("GET", "/models", "list", {}),
        ("HEAD", "/models", "list", {}),
        ("POST", "/models", "add", {}),
        ("GET", "/%6dodels", "list", {}),
        ("GET", "/models/a", "show", {"model": "a"}),
        ("GET", "/models/org/a%20b", "show", {"model": "org/a b"}),
        ("GET", "/models/org%2Fa%252F", "show", {"model": "org/a%2F"}),
        ("POST", "/engines/a/b/completions", "text", {"model": "a/b"}),
        ("POST", "/engines/a%2Fb/chat/completions", "chat", {"model": "a/b"}),
        ("DELETE", "/ui", "ui", {}),
        ("GET", "/ui/a/b", "ui", {}),
        ("OPTIONS", "/models", "options", {}),
        ("OPTIONS", "/anything", "options", {}),
    ],
)
def test_a_path_that_means_something(method, path, handler, params):
    """Exact ones first, then patterns in their order, then mounts. Names are decoded, and may have slashes."""
    match = ROUTES.find(method, path)
    assert (match.handler, match.params) == (handler, params)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/models/", 404),
        ("GET", "/models%2Fa", 404),
        ("POST", "/engines/a%2Fcompletions", 404),
        ("POST", "/engines/completions", 404),
        ("POST", "/engines//completions", 404),
        ("GET", "/uix", 404),
        ("GET", "//models", 404),
        ("PUT", "/models", 405),
        ("GET", "/engines/a/completions", 405),
    ],
)
def test_a_path_that_means_nothing(method, path, status):
    """An encoded slash is no slash of the path. With another method the answer says which there are."""
    with pytest.raises(Refusal) as caught:
        ROUTES.find(method, path)
    assert caught.value.status == status
    assert bool(caught.value.headers) is (status == 405)


def test_all_methods_of_a_path_are_told():
    """In the header that is for it."""
    with pytest.raises(Refusal) as caught:
        ROUTES.find("PUT", "/models")
    assert caught.value.headers == [(b"allow", b"GET, POST")]


@pytest.mark.parametrize(("path", "upgrade", "refused"), [("/realtime", True, False), ("/realtime", False, True),
                                                          ("/models", True, True), ("/models", False, False)])  # fmt: skip
def test_each_route_speaks_one_protocol(path, upgrade, refused):
    """426 says which."""
    match = ROUTES.find("GET", path)
    if not refused:
        check_protocol(match, upgrade=upgrade)
        return
    with pytest.raises(Refusal) as caught:
        check_protocol(match, upgrade=upgrade)
    assert caught.value.status == 426


def test_places_of_one_shape_have_the_names_of_their_routes():
    """Each handler finds what it asks for, and 405 tells of both."""
    routes = Routes([Route("GET", "/items/{name}", "show"), Route("DELETE", "/items/{id}", "drop")])
    assert routes.find("GET", "/items/a").params == {"name": "a"}
    assert routes.find("DELETE", "/items/a").params == {"id": "a"}
    with pytest.raises(Refusal) as caught:
        routes.find("PUT", "/items/a")
    assert caught.value.headers == [(b"allow", b"DELETE, GET")]


@pytest.mark.parametrize("path", ["/{a}/{b}", "/x/{a}/y/{b}/z", "/{a}{b}"])
def test_a_path_has_one_place_at_the_most(path):
    """Another would never be found: it is refused when the table is made."""
    with pytest.raises(ValueError, match="place"):
        Routes([Route("GET", path, "never")])
