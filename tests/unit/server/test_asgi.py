"""ASGI applications behind our server: Starlette and FastAPI at one end, a real HTTP client at the other."""

from __future__ import annotations

import asyncio
import threading

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route as ASGIRoute
from tests.unit.server.application import serving

from litellm.server.asgi import Mounted
from litellm.server.limits import Limits
from litellm.server.routing import Mount, Route


async def shown(request: Request) -> Response:
    return JSONResponse(
        {
            "method": request.method, "path": request.url.path, "query": request.url.query, "scheme": request.url.scheme,
            "twice": request.headers.getlist("x-twice"), "body": (await request.body()).decode(),
            "client": request.client.host,
        }
    )  # fmt: skip


async def counted(request: Request) -> Response:
    return Response(str(sum([len(piece) async for piece in request.stream()])))


async def streamed(request: Request) -> Response:
    async def pieces():
        for number in range(3):
            yield f"{number}\n"

    return StreamingResponse(pieces(), 201, {"X-Own": "yes"}, "text/plain")


async def broken(request: Request) -> Response:
    raise LookupError


def application() -> Starlette:
    routes = [
        ASGIRoute(f"/app/{each.__name__}", each, methods=["GET", "POST"]) for each in (shown, counted, streamed, broken)
    ]
    return Starlette(routes=routes)


@pytest.fixture
async def client():
    mounted = Mounted(application)
    async with serving([], [Mount("/app", mounted)]) as (_, port):
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            yield client


async def test_a_request_is_told_as_it_came(client):
    headers = [("X-Twice", "1"), ("X-Twice", "2")]
    answer = await client.post("/app/shown?a=1&a=2", content="body", headers=headers)
    assert answer.json() == {
        "method": "POST", "path": "/app/shown", "query": "a=1&a=2", "scheme": "http", "twice": ["1", "2"], "body": "body",
        "client": "127.0.0.1",
    }  # fmt: skip
    assert answer.headers["content-type"] == "application/json"


async def test_an_answer_in_pieces(client):
    async with client.stream("GET", "/app/streamed") as answer:
        assert answer.status_code == 201
        assert answer.headers["x-own"] == "yes"
        assert answer.headers["transfer-encoding"] == "chunked"
        assert (await answer.aread()) == b"0\n1\n2\n"


async def test_head_has_no_body(client):
    answer = await client.head("/app/shown")
    assert answer.status_code == 200
    assert answer.content == b""
    assert int(answer.headers["content-length"]) > 0


async def ask(app, method: str = "GET") -> httpx2.Response:
    """The answer of a bare ASGI application."""
    async with serving([], [Mount("/app", Mounted(lambda: app))]) as (_, port):
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            return await client.request(method, "/app")


@pytest.mark.parametrize("body", [b"", b"body"])
async def test_head_is_told_the_length_that_the_application_gives(body):
    """Whether or not it leaves the body out."""

    async def app(scope, receive, send):
        headers = [(b"Content-Length", b"4")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    answer = await ask(app, "HEAD")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "4")


async def test_an_application_may_send_no_headers():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"body"})

    answer = await ask(app)
    assert (answer.status_code, answer.content) == (200, b"body")


async def test_an_answer_starts_once():
    """A second start is the application's mistake, and it is told."""
    raised = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            await send({"type": "http.response.start", "status": 500, "headers": []})
        except RuntimeError as error:
            raised.append(error)
        await send({"type": "http.response.body", "body": b"body"})

    assert (await ask(app)).status_code == 200
    assert raised


async def test_a_body_longer_than_what_is_buffered_comes_in_pieces(client):
    async def pieces():
        for _ in range(64):
            yield b"x" * 65536

    assert (await client.post("/app/counted", content=pieces())).text == str(64 * 65536)


async def test_what_it_does_not_have_is_its_own_404(client):
    assert (await client.get("/app/nothing")).text == "Not Found"


async def test_an_application_that_fails_is_a_500(client):
    assert (await client.get("/app/broken")).status_code == 500
    assert (await client.get("/app/shown")).status_code == 200


async def test_an_application_is_loaded_once_in_a_thread_while_others_are_served():
    begun, go_on, loaded = threading.Event(), threading.Event(), []

    def load():
        loaded.append(threading.current_thread())
        begun.set()
        assert go_on.wait(5)
        return application()

    async def hot(exchange):
        exchange.answer(200, b'"hot"', [])

    async with serving([Route("GET", "/hot", hot)], [Mount("/app", Mounted(load))]) as (_, port):
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            cold = [asyncio.ensure_future(client.get("/app/shown")) for _ in range(3)]
            await asyncio.to_thread(begun.wait, 5)
            assert (await client.get("/hot")).json() == "hot"
            assert not any(each.done() for each in cold)
            go_on.set()
            assert [answer.status_code for answer in await asyncio.gather(*cold)] == [200, 200, 200]
    assert len(loaded) == 1
    assert loaded[0] is not threading.main_thread()


async def test_an_application_that_cannot_be_loaded_is_tried_again():
    results = [ImportError("not installed"), application()]

    def load():
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    async with serving([], [Mount("/app", Mounted(load))]) as (_, port):
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            assert "not installed" in (await client.get("/app/shown")).text
            assert (await client.get("/app/shown")).status_code == 200


async def test_a_client_that_goes_away_cancels_its_request():
    waits, ended = asyncio.Event(), asyncio.Event()

    async def app(scope, receive, send):
        try:
            waits.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with serving([], [Mount("/app", Mounted(lambda: app))], limits=Limits()) as (_, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /app HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(5):
            await waits.wait()
            writer.transport.abort()
            await ended.wait()
