"""Decision 2, O1: what the command says and does before it serves."""

import contextlib
import json
import re
import signal
import socket

import pytest
from click.testing import CliRunner
from tests.e2e.talk import HI, KEY, Talk, deployment
from tests.fakes.upstream import Upstream
from tests.processes import Gateway, run_command

from litellm.cli.run import main

PUBLIC_REFUSAL = re.compile(r"refusing to listen on .*master_key.*LITELLM_MASTER_KEY.*\n +sk-\S{24,}\n", re.DOTALL)


def config_for(up, **general):
    return f"model_list:\n{deployment('m', up)}general_settings: {json.dumps(general)}\n"


# --- where to listen -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("general", "env"),
    [({}, {}), ({}, {"LITELLM_MASTER_KEY": "sk-1234"}), ({"master_key": ""}, {})],
    ids=["no key", "weak key", "empty key"],
)
def test_a_weak_key_means_loopback(module_upstream, general, env):
    """Decision 2: allowed on loopback alone; one line warns."""
    with Gateway(config_for(module_upstream, **general), env=env) as gateway:
        *warnings, ready = gateway.stderr.splitlines()
        assert f" on http://127.0.0.1:{gateway.port}" in ready
        assert len(warnings) == 1
        assert warnings[0].startswith("warning: ")
        assert "only this machine" in warnings[0]
        key = general.get("master_key") or env.get("LITELLM_MASTER_KEY")
        assert Talk(gateway, key).chat().text == "Hello from upstream."
        assert Talk(gateway, "sk-other-key").chat().status == (401 if key else 200)
        assert gateway.stdout == "", "G6"
        assert "sk-1234" not in gateway.stderr, "F5"


@pytest.mark.parametrize(
    ("host", "key"), [("0.0.0.0", None), ("0.0.0.0", "sk-1234"), ("::", "short"), ("192.0.2.1", None)]
)
def test_other_machines_are_let_in_with_a_strong_key_only(host, key):
    """Decision 2, F4: refused with exit code 1, the reason, and a fresh key to use."""
    env = {"LITELLM_MASTER_KEY": key} if key else {}
    ended = run_command("--model", "openai/x", "--api_key", "k", "--host", host, "--port", "0", env=env)
    assert ended.returncode == 1
    assert PUBLIC_REFUSAL.search(ended.stderr), ended.stderr
    assert ("no master key" in ended.stderr) == (key is None)
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("general", [{"custom_auth_settings": {"mode": "off"}}, {"master_key": "sk-1234"}])
def test_custom_auth_that_lets_others_in_opens_no_door(tmp_path, general):
    """Decision 2, F4: one that is switched off asks nobody, and beside a weak key the key would do."""
    (tmp_path / "auth.py").write_text("async def admit(request, api_key): ...\n")
    general = {"custom_auth": "auth.admit", "custom_auth_settings": {"mode": "auto"}, **general}
    (tmp_path / "c.yaml").write_text(f"general_settings: {json.dumps(general)}\n")
    ended = run_command("--config", str(tmp_path / "c.yaml"), "--host", "0.0.0.0", "--port", "0")
    assert ended.returncode == 1
    assert PUBLIC_REFUSAL.search(ended.stderr), ended.stderr


def test_host_by_variable_is_no_way_around():
    """Decision 2: HOST says the same as --host."""
    ended = run_command("--model", "openai/x", "--api_key", "k", "--port", "0", env={"HOST": "0.0.0.0"})
    assert ended.returncode == 1
    assert PUBLIC_REFUSAL.search(ended.stderr), ended.stderr


@pytest.mark.parametrize("via", ["variable", "config"])
def test_a_strong_key_opens_the_door(tmp_path, via):
    """Decision 2: then 0.0.0.0 is the default. (Nothing is opened here: the port is taken, and the refusal names the
    host that was chosen.)"""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        (tmp_path / "c.yaml").write_text(f"general_settings: {{master_key: {KEY if via == 'config' else 'null'}}}\n")
        env = {"LITELLM_MASTER_KEY": KEY} if via == "variable" else {}
        ended = run_command("--config", str(tmp_path / "c.yaml"), "--port", str(port), env=env)
    assert ended.returncode == 1
    assert f"cannot listen on 0.0.0.0:{port}" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert KEY not in ended.stderr, "F5"


def test_a_port_that_is_taken():
    """O1: exit code 1, the address, and what to do; no traceback."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        ended = run_command("--model", "openai/x", "--api_key", "k", env={"PORT": str(port)})
    assert ended.returncode == 1
    assert re.fullmatch(rf"cannot listen on 127\.0\.0\.1:{port}: .*--port.*\n", ended.stderr), ended.stderr


# --- the master key ------------------------------------------------------------------------------------------------------


def test_the_key_of_the_file_comes_before_the_variable(module_upstream):
    """And `os.environ/NAME` stands for a variable of any name, which `environment_variables` may set itself."""
    config = config_for(module_upstream, master_key="os.environ/MY_KEY") + f"environment_variables: {{MY_KEY: {KEY}}}\n"
    with Gateway(
        config, args=["--host", "127.0.0.1"], env={"LITELLM_MASTER_KEY": "sk-another-strong-key-of-ours"}
    ) as g:
        assert Talk(g).chat().status == 200
        assert Talk(g, "sk-another-strong-key-of-ours").chat().status == 401
        assert "warning" not in g.stderr


# --- one model from the command line ----------------------------------------------------------------------------------


def test_one_model(module_upstream, up):
    """`litellm --model openai/x --api_base URL` answers whatever model is asked for, and none (decision 5: under
    the name that was asked for)."""
    args = ["--model", "openai/qwen3", "--api_base", up.base, "--max_tokens", "7", "--temperature", "0.25"]
    with Gateway(args=args, env={"OPENAI_API_KEY": "key-by-variable"}) as gateway:
        talk = Talk(gateway, None)
        for name in ("gpt-4o", "openai/qwen3", "a/b/c", "*"):
            assert talk.chat(model=name).json()["model"] == name
        assert talk.chat(model=...).status == 200
        assert {event["model"] for event in talk.chat(model="gpt-4o", stream=True).events} == {"gpt-4o"}
        assert {seen.fields["model"] for seen in up.requests} == {"qwen3"}
        assert up.requests[0].fields["max_tokens"] == 7
        assert up.requests[0].fields["temperature"] == 0.25
        assert up.requests[0].headers["authorization"] == "Bearer key-by-variable"
        assert [model["id"] for model in talk.get("/v1/models").json()["data"]] == ["openai/qwen3"]


def test_one_model_with_an_alias(module_upstream, up):
    """--alias is the name to show; a keyless local server gets no Authorization header (decision 3)."""
    with Gateway(args=["--model", "openai/qwen3", "--alias", "mine", "--api_base", up.base]) as gateway:
        talk = Talk(gateway, None)
        assert [model["id"] for model in talk.get("/v1/models").json()["data"]] == ["mine"]
        assert talk.chat(model="mine").json()["model"] == "mine"
        assert "authorization" not in up.requests[0].headers


# --- commands that end by themselves ----------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["--version", "-v"])
def test_version(flag):
    """In LiteLLM's words, which scripts read."""
    ended = run_command(flag)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.fullmatch(r"LiteLLM: Current Version = 1\.106\.\d+\S*\n", ended.stdout)


def test_nothing_to_serve():
    """A usage error names the two ways to start."""
    ended = run_command()
    assert ended.returncode == 2
    assert "--config" in ended.stderr
    assert "--model" in ended.stderr


BROKEN = """\
model_list:
  - model_name: a
    litellm_params: {model: openai/a, api_key: os.environ/NOT_SET_ONE, rpm: "ten"}
  - model_name: b
    litelm_params: {model: openai/b}
  - model_name: c
    litellm_params: {model: openai/c, api_key: os.environ/NOT_SET_TWO}
litellm_settings:
  drop_parms: true
  fallbacks: [{a: [nowhere]}]
general_settings:
  master_key: sk-canary-of-a-broken-file-0001
  enable_jwt_auth: true
"""
FAULTS = {  # line → what has to be said about it
    3: ["NOT_SET_ONE is not set", "model_list.0.litellm_params.rpm"],
    5: ["litelm_params", "did you mean litellm_params?"],
    7: ["NOT_SET_TWO is not set"],
    9: ["drop_parms", "did you mean drop_params?"],
    10: ["litellm_settings.fallbacks.0.a.0", "no such group"],
    13: ["enable_jwt_auth", "unsafe to ignore"],
}


@pytest.mark.parametrize("how", ["check", "start"])
def test_a_broken_file(tmp_path, how):
    """O1: `check` and the start give the same report: every fault, its file, line, path and the nearest name."""
    file = tmp_path / "config.yaml"
    file.write_text(BROKEN)
    ended = run_command("check", str(file)) if how == "check" else run_command("--config", str(file), "--port", "0")
    said = ended.stdout if how == "check" else ended.stderr
    assert ended.returncode == 1
    assert (ended.stderr if how == "check" else ended.stdout) == ""
    for line, texts in FAULTS.items():
        about = [text for text in said.splitlines() if text.startswith(f"{file}:{line}: ")]
        assert about, f"line {line}: {said}"
        for text in texts:
            assert any(text in one for one in about), (line, text, about)
    assert "sk-canary" not in said, "F5"
    assert "Traceback" not in said
    if how == "check":
        assert re.search(r"\d+ errors", said.splitlines()[-1])
    else:
        assert "litellm check" in said


def test_a_file_that_is_fine(tmp_path, module_upstream):
    """O1: exit code 0; warnings are told and do not count as errors."""
    file = tmp_path / "config.yaml"
    file.write_text(
        config_for(module_upstream, master_key=KEY)
        + "litellm_settings: {json_logs: false, log_raw_request_response: true}\n"
    )
    ended = run_command("check", str(file))
    assert (ended.returncode, ended.stderr) == (0, "")
    warning, summary = ended.stdout.splitlines()
    assert f"{file}:4: warning: litellm_settings.log_raw_request_response: " in warning
    assert summary == f"{file}: ok, 1 deployment in 1 group"
    assert KEY not in ended.stdout


def test_what_is_no_config(tmp_path):
    """O1: a missing, an unreadable or a wrong file is told without a traceback; an empty one is a config that serves
    nothing."""
    for name, text in {"missing": None, "empty": "", "broken": "model_list: [", "list": "- a list"}.items():
        file = tmp_path / name
        if text is not None:
            file.write_text(text)
        ended = CliRunner().invoke(main, ["check", str(file)])  # the command, without a process for each of them
        assert ended.exit_code == (0 if name == "empty" else 1), name
        assert str(file) in ended.output
        assert ended.exception is None or isinstance(ended.exception, SystemExit)


@pytest.mark.parametrize("how", ["check", "start"])
def test_what_only_building_it_shows(tmp_path, how):
    """O1: deployments that cannot be called at all are refused, all of them at once, by `check` too: it says what the
    start would say."""
    file = tmp_path / "config.yaml"
    file.write_text(
        "model_list:\n"
        "- {model_name: one, litellm_params: {model: nobody/x, api_key: k}}\n"
        "- {model_name: two, litellm_params: {model: openai/x, api_base: not a url, api_key: k}}\n"
    )
    ended = run_command("check", str(file)) if how == "check" else run_command("--config", str(file), "--port", "0")
    said = ended.stderr + ended.stdout
    assert ended.returncode == 1, said
    for line, why in ((2, "nobody"), (3, "api_base")):
        assert re.search(rf"^{re.escape(str(file))}:{line}: model_list\.{line - 2}\..*{why}", said, re.MULTILINE), said
    assert "Traceback" not in said


def test_a_deployment_without_a_key(module_upstream, up):
    """Decision 3, O1: the start says so; whoever asks for it gets a 401 that names the variable; others are served."""
    config = config_for(module_upstream) + "  # comment\n"
    config = config.replace(
        "model_list:\n", "model_list:\n- {model_name: keyless, litellm_params: {model: openai/x}}\n"
    )
    with Gateway(config) as gateway:
        (told,) = [line for line in gateway.stderr.splitlines() if "keyless" in line and "serves" not in line]
        assert "OPENAI_API_KEY" in told
        talk = Talk(gateway, None)
        assert talk.chat().status == 200
        refused = talk.chat(model="keyless", num_retries=2)
        assert refused.status == 401
        assert "OPENAI_API_KEY" in refused.error["message"]


# --- and it serves -------------------------------------------------------------------------------------------------------


def test_variables_instead_of_flags(tmp_path):
    """CONFIG_FILE_PATH, PORT and NUM_WORKERS."""
    with Upstream() as up, contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
        free.close()
        (tmp_path / "here.yaml").write_text(config_for(up))
        env = {"CONFIG_FILE_PATH": str(tmp_path / "here.yaml"), "PORT": str(port), "NUM_WORKERS": "2"}
        with Gateway(port=None, env=env) as gateway:
            assert gateway.port == port
            assert Talk(gateway, None).chat(messages=HI).status == 200


def test_ctrl_c(module_upstream):
    """O15: SIGINT ends it as SIGTERM does."""
    with Gateway(config_for(module_upstream)) as gateway:
        gateway.signal(signal.SIGINT)
        assert gateway.wait() == 0
        assert "Traceback" not in gateway.stderr
