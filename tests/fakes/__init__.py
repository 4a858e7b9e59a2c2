"""Real servers that misbehave on purpose: what our tests talk to instead of the internet.

upstream.py       an OpenAI-compatible endpoint in its own thread; remembers what it heard, acts as it is told
behaviour.py      how it can be told to act: answer, refuse, stall, cut, reset, lie about its format, …
replies.py        what it can be told to say
endpoints.py      the OpenAI shapes of its default answers, one function per endpoint
forward_proxy.py  an HTTP proxy (CONNECT and absolute URLs) that can serve public host names locally
tls.py            certificates for all of them
server.py         the thread, event loop and connections below upstream and proxy
render.py         a reply as the bytes to write, piece by piece
http1.py          HTTP/1.1 as bytes
raw_client.py     a client that shows what really came over the wire
seen.py           one request, as an upstream remembers it

A test reads like this:

    with Upstream() as up:
        up.next(behaviour.error(429, retry_after=1), behaviour.stall(after=2))
        ...                                   # call up.base twice, leave the second answer unread
        up.wait_for(lambda: up.requests[-1].aborted_at)
"""
