"""P9 through the gateway: what a config file and the environment say about TLS and proxies holds in the real process, plain
and streamed, at the first try and after a reconnect; and the gateway itself can serve TLS."""

import contextlib
import http.client

import pytest
from tests.e2e.talk import KEY, Talk, deployment
from tests.fakes import behaviour as act
from tests.fakes.forward_proxy import ForwardProxy
from tests.fakes.tls import ServerTLS
from tests.fakes.upstream import Upstream
from tests.processes import Gateway


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return ServerTLS(tmp_path_factory.mktemp("private"), hosts=("127.0.0.1", "upstream.example"))


@pytest.fixture(scope="module")
def mutual_tls(tmp_path_factory):
    return ServerTLS(tmp_path_factory.mktemp("mutual"), require_client=True)


class At:
    """An address to write into a config."""

    def __init__(self, base):
        self.base = base


def gateway_for(models, settings="", **env):
    config = f"model_list:\n{models}general_settings: {{master_key: {KEY}}}\nrouter_settings: {{num_retries: 1}}\n"
    return Gateway(config + settings, args=["--host", "127.0.0.1"], env=env)


def works(talk, up, model="m", *, also=()):
    """Plain and streamed, first, after a try that failed, and after all connections were dropped."""
    for stream in (False, True):
        for trouble in ("none", "failed try", "dropped"):
            if trouble == "failed try":
                up.next(act.hang_up())
            if trouble == "dropped":
                for server in (up, *also):
                    server.drop_connections()
            answer = talk.chat(model=model, stream=stream)
            assert answer.status == 200, (trouble, answer.body)
            assert (answer.streamed_text if stream else answer.text) == "Hello from upstream."
    return True


def test_authorities_and_certificates(tls, mutual_tls):
    """P9: by deployment: a private CA, none at all, our own certificate; and the default, which trusts none of them."""
    with Upstream(tls=tls) as up, Upstream(tls=mutual_tls) as strict:
        ca, strict_ca, pem = str(tls.ca_file), str(mutual_tls.ca_file), str(mutual_tls.client_pem)
        models = "".join([
            deployment("trusting", up, ssl_verify=ca),
            deployment("careless", up, ssl_verify=False),
            deployment("certified", strict, ssl_verify=strict_ca, ssl_certificate=pem),
            deployment("anonymous", strict, ssl_verify=strict_ca),
            deployment("default", up),
        ])  # fmt: skip
        with gateway_for(models) as gateway:
            talk = Talk(gateway)
            assert works(talk, up, "trusting")
            assert works(talk, up, "careless")
            assert works(talk, strict, "certified")
            before = len(up.requests), len(strict.requests)
            for model in ("default", "anonymous"):
                refused = talk.chat(model=model, num_retries=0)
                assert refused.status == 500
                assert model == "anonymous" or "certificate verify failed" in refused.error["message"]
            assert (len(up.requests), len(strict.requests)) == before
        assert "Traceback" not in gateway.stderr


@pytest.mark.parametrize("via", ["litellm_settings", "SSL_VERIFY", "SSL_CERT_FILE"])
def test_for_all_deployments(mutual_tls, via):
    """P9: by litellm_settings (also the certificate), and by the environment."""
    with Upstream(tls=mutual_tls) as up:
        ca, pem = str(mutual_tls.ca_file), str(mutual_tls.client_pem)
        settings, env = "", {"SSL_CERTIFICATE": pem, via: ca}
        if via == "litellm_settings":
            settings, env = f"litellm_settings: {{ssl_verify: {ca}, ssl_certificate: {pem}}}\n", {}
        with gateway_for(deployment("m", up), settings, **env) as gateway:
            assert works(Talk(gateway), up)


def test_a_ca_file_that_is_not_there_is_told_at_the_start(module_upstream):
    """P9, O1: with the line and the path, not at the first request."""
    at = At("https://127.0.0.1:1/v1")
    with pytest.raises(RuntimeError, match=r"(?s)ended with 1.*:2: .*ssl_verify.*/nowhere/ca\.pem") as caught:
        gateway_for(deployment("m", at, ssl_verify="/nowhere/ca.pem")).start()
    assert "Traceback" not in str(caught.value)


def test_through_proxies(tls):
    """P9: HTTPS_PROXY tunnels with user and password, HTTP_PROXY forwards, NO_PROXY goes straight; each only where it
    says so."""
    with contextlib.ExitStack() as stack:
        secure, plain, direct = (stack.enter_context(Upstream(tls=one)) for one in (tls, None, None))
        hosts = {"upstream.example:443": f"127.0.0.1:{secure.port}", "upstream.example:80": f"127.0.0.1:{plain.port}"}
        proxy = stack.enter_context(ForwardProxy(hosts=hosts, auth=("user", "p@ss")))
        url = proxy.url.replace("://", "://user:p%40ss@")
        models = "".join([
            deployment("secure", At("https://upstream.example/v1"), ssl_verify=str(tls.ca_file)),
            deployment("plain", At("http://upstream.example/v1")),
            deployment("direct", direct),
        ])  # fmt: skip
        env = {"HTTPS_PROXY": url, "HTTP_PROXY": url, "NO_PROXY": "localhost,127.0.0.1"}
        with gateway_for(models, **env) as gateway:
            talk = Talk(gateway)
            assert works(talk, secure, "secure", also=[proxy])
            assert {(seen.method, seen.address, seen.status) for seen in proxy.requests} == {
                ("CONNECT", "upstream.example:443", None)
            }
            proxy.requests.clear()
            assert works(talk, plain, "plain", also=[proxy])
            assert {(seen.method, seen.address, seen.status) for seen in proxy.requests} == {
                ("POST", "upstream.example:80", None)
            }
            proxy.requests.clear()
            assert works(talk, direct, "direct")
            assert proxy.requests == []
            proxy.auth = ("user", "changed")
            proxy.drop_connections()
            refused = talk.chat(model="secure", num_retries=0)
            assert refused.status == 500
            assert "407" in refused.error["message"]
            assert "p%40ss" not in str(refused.body)
        assert "p%40ss" not in gateway.stderr
        assert "p@ss" not in gateway.stderr


class SecureGateway(Gateway):
    """One that serves TLS."""

    def __init__(self, *, tls, **options):
        super().__init__(**options)
        self._tls = tls

    def connection(self):
        context = self._tls.client_context()
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=2, context=context)

    def _answers(self):
        with contextlib.closing(self.connection()) as connection:
            connection.request("GET", "/health/liveliness")
            return connection.getresponse().status == 200


def test_serving_tls(tls, tmp_path, module_upstream, up):
    """--ssl_certfile_path and --ssl_keyfile_path; who speaks plain HTTP to it gets nothing."""
    pem = (tls.ca_file.parent / "server.pem").read_text()
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    at = pem.index("-----BEGIN CERTIFICATE")
    key.write_text(pem[:at])
    certificate.write_text(pem[at:])
    args = ["--ssl_certfile_path", str(certificate), "--ssl_keyfile_path", str(key), "--host", "127.0.0.1"]
    with SecureGateway(tls=tls, config=f"model_list:\n{deployment('m', module_upstream)}", args=args) as gateway:
        assert f"https://127.0.0.1:{gateway.port}" in gateway.stderr
        with contextlib.closing(gateway.connection()) as connection:
            for stream in ("false", "true"):
                body = f'{{"model": "m", "messages": [], "stream": {stream}}}'
                connection.request("POST", "/v1/chat/completions", body)
                response = connection.getresponse()
                assert response.status == 200
                assert b"Hello" in response.read()
        with pytest.raises((http.client.HTTPException, OSError)):
            Talk(gateway).get("/health/liveliness")
    assert "Traceback" not in gateway.stderr
