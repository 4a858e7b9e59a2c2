"""P9: whatever is said about TLS and proxies holds on all transports, plain and streamed, at the first try, after a
retry and after a reconnect. Each scene checks by what the servers saw that its setting took effect."""

import contextlib
import socket
import ssl
import threading

import pytest
from tests.fakes import behaviour as act
from tests.fakes.forward_proxy import ForwardProxy
from tests.fakes.upstream import Upstream
from tests.unit.net.asking import STRAIGHT

import litellm

HTTPS_BASE = "https://upstream.example/v1"  # names that only the forward proxy can find
HTTP_BASE = "http://upstream.example/v1"


class Scene:
    """An upstream, a way to reach it, and what proves that it was reached this way."""

    def __init__(self, up, *, base=None, proxy=None, **params):
        self.up = up
        self.proxy = proxy
        self.params = {"api_base": base or up.base, **params}
        self.proof = lambda: True

    def drop_connections(self):
        self.up.drop_connections()
        if self.proxy:
            self.proxy.drop_connections()


def _through(proxy, method, address):
    """Every request came by `proxy`."""
    return lambda: (
        proxy.requests
        and {(seen.method, seen.address, seen.status) for seen in proxy.requests} == {(method, address, None)}
    )


def _trusting(via):
    """Trust in a private CA, said in four ways."""

    def scene(stack, env, request):
        tls = request.getfixturevalue("tls")
        up = stack.enter_context(Upstream(tls=tls))
        path = str(tls.ca_file)
        if via == "setting":
            env.setattr(litellm, "ssl_verify", path)
        elif via != "argument":
            env.setenv(via, path)
        return Scene(up, **({"ssl_verify": path} if via == "argument" else {}))

    return scene


def self_signed(stack, env, request):
    tls = request.getfixturevalue("lone_tls")
    return Scene(stack.enter_context(Upstream(tls=tls)), ssl_verify=str(tls.ca_file))


def _unverified(via):
    """Verification off: any certificate will do, also one for another host."""

    def scene(stack, env, request):
        up = stack.enter_context(Upstream(tls=request.getfixturevalue("strange_tls")))
        if via == "setting":
            env.setattr(litellm, "ssl_verify", False)
        elif via == "SSL_VERIFY":
            env.setenv("SSL_VERIFY", "False")
        return Scene(up, **({"ssl_verify": False} if via == "argument" else {}))

    return scene


def _certified(via):
    """Our own certificate, without which this server breaks off the handshake."""

    def scene(stack, env, request):
        tls = request.getfixturevalue("mutual_tls")
        up = stack.enter_context(Upstream(tls=tls))
        params = {"ssl_verify": str(tls.ca_file)}
        if via == "argument":
            params["ssl_certificate"] = str(tls.client_pem)
        elif via == "setting":
            env.setattr(litellm, "ssl_certificate", str(tls.client_pem))
        else:
            env.setenv(via, str(tls.client_pem))
        return Scene(up, **params)

    return scene


def _no_proxies(env):
    for variable in ("HTTP_PROXY", "HTTPS_PROXY"):
        env.delenv(variable, raising=False)


def _tunnelled(variable):
    def scene(stack, env, request):
        _no_proxies(env)
        tls = request.getfixturevalue("tls")
        up = stack.enter_context(Upstream(tls=tls))
        proxy = stack.enter_context(ForwardProxy(hosts={"upstream.example:443": f"127.0.0.1:{up.port}"}))
        env.setenv(variable, proxy.url)
        scene = Scene(up, base=HTTPS_BASE, proxy=proxy, ssl_verify=str(tls.ca_file))
        scene.proof = _through(proxy, "CONNECT", "upstream.example:443")
        return scene

    return scene


def _forwarded(variable):
    def scene(stack, env, request):
        _no_proxies(env)
        up = stack.enter_context(Upstream())
        proxy = stack.enter_context(ForwardProxy(hosts={"upstream.example:80": f"127.0.0.1:{up.port}"}))
        env.setenv(variable, proxy.url)
        scene = Scene(up, base=HTTP_BASE, proxy=proxy)
        scene.proof = _through(proxy, "POST", "upstream.example:80")
        return scene

    return scene


def _authorised(secure):
    """User and password in the proxy's URL, with a character that has to be escaped there."""

    def scene(stack, env, request):
        tls = request.getfixturevalue("tls") if secure else None
        up = stack.enter_context(Upstream(tls=tls))
        port = 443 if secure else 80
        hosts = {f"upstream.example:{port}": f"127.0.0.1:{up.port}"}
        proxy = stack.enter_context(ForwardProxy(hosts=hosts, auth=("user", "p@ss:word")))
        url = proxy.url.replace("://", "://user:p%40ss%3Aword@")
        env.setenv("HTTPS_PROXY" if secure else "HTTP_PROXY", url)
        params = {"ssl_verify": str(tls.ca_file)} if secure else {}
        scene = Scene(up, base=HTTPS_BASE if secure else HTTP_BASE, proxy=proxy, **params)
        arrived = _through(proxy, "CONNECT" if secure else "POST", f"upstream.example:{port}")
        scene.proof = lambda: arrived() and not any("proxy-authorization" in seen.headers for seen in up.requests)
        return scene

    return scene


def _avoided(no_proxy):
    """NO_PROXY: the proxy is set, and stays out of it."""

    def scene(stack, env, request):
        up = stack.enter_context(Upstream())
        proxy = stack.enter_context(ForwardProxy())
        env.setenv("HTTP_PROXY", proxy.url)
        env.setenv("NO_PROXY", no_proxy.format(port=up.port))
        scene = Scene(up, proxy=proxy)
        scene.proof = lambda: not proxy.requests
        return scene

    return scene


def ipv4_only(stack, env, request):
    """A host with an IPv6 address that comes first and on which nobody talks to us."""
    _no_proxies(env)
    up = stack.enter_context(Upstream())
    mute = stack.enter_context(contextlib.closing(_MuteListener(up.port)))
    _two_addresses(env, "upstream.example", up.port)
    env.setattr(litellm, "force_ipv4", True)
    scene = Scene(up, base=f"http://upstream.example:{up.port}/v1")
    scene.proof = lambda: mute.connections == 0
    return scene


class _MuteListener:
    """On ::1, it closes what connects to it."""

    def __init__(self, port):
        self.connections = 0
        self.socket = socket.create_server(("::1", port), family=socket.AF_INET6)
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                self.connections += 1
                connection.close()

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(2)
        self.socket.close()


def _two_addresses(env, host, port):
    real = socket.getaddrinfo
    both = [(socket.AF_INET6, ("::1", port, 0, 0)), (socket.AF_INET, ("127.0.0.1", port))]

    def getaddrinfo(name, at, family=0, *rest, **named):
        if name not in (host, host.encode()):
            return real(name, at, family, *rest, **named)
        return [
            (kind, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address) for kind, address in both if family in (0, kind)
        ]

    env.setattr(socket, "getaddrinfo", getaddrinfo)


SCENES = {
    "CA by argument": _trusting("argument"),
    "CA by setting": _trusting("setting"),
    "CA by SSL_VERIFY": _trusting("SSL_VERIFY"),
    "CA by SSL_CERT_FILE": _trusting("SSL_CERT_FILE"),
    "self-signed": self_signed,
    "unverified by argument": _unverified("argument"),
    "unverified by setting": _unverified("setting"),
    "unverified by SSL_VERIFY": _unverified("SSL_VERIFY"),
    "certificate by argument": _certified("argument"),
    "certificate by setting": _certified("setting"),
    "certificate by SSL_CERTIFICATE": _certified("SSL_CERTIFICATE"),
    "HTTPS_PROXY": _tunnelled("HTTPS_PROXY"),
    "https_proxy": _tunnelled("https_proxy"),
    "ALL_PROXY, https": _tunnelled("ALL_PROXY"),
    "HTTP_PROXY": _forwarded("HTTP_PROXY"),
    "ALL_PROXY, http": _forwarded("ALL_PROXY"),
    "proxy auth, http": _authorised(secure=False),
    "proxy auth, https": _authorised(secure=True),
    "NO_PROXY host": _avoided("example.com,127.0.0.1"),
    "NO_PROXY host and port": _avoided("127.0.0.1:{port}"),
    "NO_PROXY everything": _avoided("*"),
    "IPv4 only": ipv4_only,
}


@pytest.fixture(params=SCENES, ids=str)
def scene(request, monkeypatch, caller):  # after the caller, whose proxy gives way to the scene's
    with contextlib.ExitStack() as stack:
        yield SCENES[request.param](stack, monkeypatch, request)


def _say(caller, scene, stream):
    if stream:
        chunks = caller.chunks(**scene.params)
        return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    return caller.ask(**scene.params).choices[0].message.content


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_settings_hold(scene, caller, stream):
    """P9: at the first try, after a failed try, and after the server has dropped all connections."""
    assert _say(caller, scene, stream) == "Hello from upstream."
    assert scene.proof()

    scene.up.next(act.hang_up())
    assert _say(caller, scene, stream) == "Hello from upstream."
    assert len(scene.up.requests) == 3, "one, its successor that failed, and a retry"
    assert scene.proof()

    made = scene.up.connections_made
    scene.drop_connections()
    caller.notice()
    assert _say(caller, scene, stream) == "Hello from upstream."
    assert scene.up.connections_made > made
    assert scene.proof()


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_certificate_that_nobody_vouches_for_is_refused(caller, tls, stream):
    """P9, G3: by default, before anything is sent, and with the reason."""
    with Upstream(tls=tls) as up:
        with pytest.raises(litellm.APIConnectionError, match=r"(?i)certificate verify failed") as caught:
            caller.chunks(api_base=up.base) if stream else caller.ask(api_base=up.base, num_retries=0)
        assert up.requests == []
        up.wait_for(lambda: up.tls_failures)
    assert up.url in str(caught.value), "it says which server"
    assert "sk-of-the-test" not in str(caught.value)


def test_a_certificate_for_another_host_is_refused(caller, strange_tls):
    """P9: a CA file does not switch off the check of the host."""
    with Upstream(tls=strange_tls) as up:
        with pytest.raises(litellm.APIConnectionError, match=r"(?i)certificate"):
            caller.ask(api_base=up.base, ssl_verify=str(strange_tls.ca_file), num_retries=0)
        assert up.requests == []


def test_a_server_that_wants_a_certificate_gets_none_unasked(caller, mutual_tls):
    """The control of the scenes with a certificate."""
    with Upstream(tls=mutual_tls) as up:
        with pytest.raises(litellm.APIConnectionError):
            caller.ask(api_base=up.base, ssl_verify=str(mutual_tls.ca_file), num_retries=0)
        assert up.requests == []


@STRAIGHT
def test_both_addresses_are_tried_unless_told_otherwise(caller, up, monkeypatch):
    """The control of the scene "IPv4 only"."""
    with contextlib.closing(_MuteListener(up.port)) as mute:
        _two_addresses(monkeypatch, "upstream.example", up.port)
        with pytest.raises(litellm.APIConnectionError):
            caller.ask(api_base=f"http://upstream.example:{up.port}/v1", num_retries=0)
        assert mute.connections == 1


def test_a_context_of_ones_own(caller, tls, monkeypatch):
    """P9: `litellm.ssl_verify` also takes an ssl.SSLContext, as its annotation says."""
    monkeypatch.setattr(litellm, "ssl_verify", ssl.create_default_context(cafile=tls.ca_file))
    with Upstream(tls=tls) as up:
        assert caller.ask(api_base=up.base, num_retries=0).choices
        assert len(up.requests) == 1


@pytest.mark.parametrize("name", ["ssl_verify", "ssl_certificate"])
def test_a_file_that_is_not_there_is_named(caller, tls, name):
    """P9, G3: a wrong path is the caller's mistake: a 400 that names it, before any network."""
    with Upstream(tls=tls) as up:
        with pytest.raises(litellm.BadRequestError, match=r"/nowhere/file\.pem"):
            caller.ask(api_base=up.base, **{"ssl_verify": str(tls.ca_file), name: "/nowhere/file.pem"})
        assert up.requests == []


def test_one_call_does_not_change_the_next(caller, lone_tls):
    """P9, G2: a call without verification leaves no connection behind that a call with it would use."""
    with Upstream(tls=lone_tls) as up:
        assert caller.ask(api_base=up.base, ssl_verify=False).choices
        with pytest.raises(litellm.APIConnectionError, match=r"(?i)certificate"):
            caller.ask(api_base=up.base, num_retries=0)
        assert len(up.requests) == 1


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("status", [407, 403, 502])
def test_a_proxy_that_refuses(caller, monkeypatch, status, secure):
    """P9, G3, F5: its status is told, the upstream is not blamed, and the password stays unsaid."""
    hosts = {f"upstream.example:{port}": "127.0.0.1:1" for port in (80, 443)} if status == 502 else {}
    with ForwardProxy(hosts=hosts, auth=("user", "right") if status == 407 else None) as proxy:
        monkeypatch.setenv("HTTPS_PROXY" if secure else "HTTP_PROXY", proxy.url.replace("://", "://user:canary-77@"))
        with pytest.raises(litellm.exceptions.LiteLLMError) as caught:
            caller.ask(api_base=HTTPS_BASE if secure else HTTP_BASE, num_retries=0)
        assert [seen.status for seen in proxy.requests] == [status]
    if secure:
        assert isinstance(caught.value, litellm.APIConnectionError), "the upstream has not answered anything"
        assert str(status) in str(caught.value)
    else:
        assert caught.value.status_code == status
    shown = caught.value
    while shown is not None:
        assert "canary-77" not in f"{shown} {shown!r}", type(shown)
        shown = shown.__cause__ or shown.__context__


def test_a_proxy_that_is_not_there(caller, monkeypatch):
    """P9, F5: the message names the upstream that was wanted, and no password."""
    monkeypatch.setenv("HTTPS_PROXY", "http://user:canary-77@127.0.0.1:1")
    with pytest.raises(litellm.APIConnectionError, match=r"upstream\.example") as caught:
        caller.ask(api_base=HTTPS_BASE, num_retries=0)
    assert "canary-77" not in str(caught.value)
