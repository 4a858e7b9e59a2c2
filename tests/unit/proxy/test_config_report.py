"""The report of a faulty config: everything at once, in order, at the right lines."""

from pathlib import Path

import pytest

from litellm.cli.check import check
from litellm.proxy.config import ConfigError, Problem, load_config

FAULTY = """\
include: [more.yaml, gone.yaml]
model_list:
  - model_name: gpt-4
    litellm_params:
      model: openai/gpt-4
      rpm: "lots"
  - model_name: gpt-4-mini
    litelm_params:
      model: openai/gpt-4-mini
      api_key: os.environ/NOT_THERE
  - litellm_params: {model: a/b, api_bse: http://x, order: "1", tpm: true, organization: 7}
general_settings:
  master_key: 1234
  enable_jwt_auth: true
  max_budget: 3
  alerting: [slack]
litellm_settings:
  drop_params: perhaps
  drop_params: true
  custom_provider_map:
    - {provider: mine, custom_handler: handlr.llm}
    - {provider: other, custom_handler: handler.lm}
    - {provider: mine, custom_handler: broken.llm}
router_settings:
  num_retries: 1.5
  routing_strategy: roulette
  timeout:
    seconds: 3
surprise: 1
"""

MORE = """\
router_settings:
  retry_after: -1
  modle_group_alias: {}
general_settings: [1]
"""

REPORT = """\
config.yaml:1: include.1: no such file
config.yaml:6: model_list.0.litellm_params.rpm: Input should be a valid integer, unable to parse string as an integer
config.yaml:8: model_list.1.litelm_params: unknown key (did you mean litellm_params?)
config.yaml:10: model_list.1.litelm_params.api_key: environment variable NOT_THERE is not set
config.yaml:11: warning: model_list.2.litellm_params.api_bse: not a parameter of ours, passed to the provider (did you mean api_base?)
config.yaml:11: model_list.2.model_name: Field required
config.yaml:11: model_list.2.litellm_params.organization: Input should be a text or a list of texts
config.yaml:11: model_list.2.litellm_params.tpm: Input should be a valid integer
config.yaml:11: model_list.2.litellm_params.order: Input should be a valid integer, without quotes
config.yaml:13: general_settings.master_key: Input should be a valid string (put quotes around it)
config.yaml:14: general_settings.enable_jwt_auth: not supported in this release, and unsafe to ignore; remove it to start
config.yaml:15: general_settings.max_budget: unknown key
config.yaml:16: warning: general_settings.alerting: not supported yet; ignored
config.yaml:18: litellm_settings.drop_params: Input should be a valid boolean, unable to interpret input
config.yaml:19: litellm_settings.drop_params: duplicate key (first on line 18)
config.yaml:21: litellm_settings.custom_provider_map.0.custom_handler: handlr.py not found beside the config file (did you mean handler?)
config.yaml:22: litellm_settings.custom_provider_map.1.custom_handler: module handler has no attribute lm (did you mean llm?)
config.yaml:23: litellm_settings.custom_provider_map.2.custom_handler: broken.py:2: ModuleNotFoundError: No module named 'nothing_like_it'
config.yaml:25: router_settings.num_retries: Input should be a valid integer, got a number with a fractional part
config.yaml:26: router_settings.routing_strategy: Input should be 'simple-shuffle', 'least-busy', 'usage-based-routing', 'usage-based-routing-v2', 'latency-based-routing' or 'cost-based-routing'
config.yaml:27: router_settings.timeout: Input should be a valid number
config.yaml:29: surprise: unknown key
more.yaml:2: router_settings.retry_after: Input should be greater than or equal to 0
more.yaml:3: router_settings.modle_group_alias: unknown key (did you mean model_group_alias?)
more.yaml:4: general_settings: cannot be merged with config.yaml:12: that is a map, this a list
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_with_many_faults_is_reported_whole(folder, capsys):
    """O1: unknown keys with the nearest name, unset references, wrong types: all of them, with file and line."""
    Path("config.yaml").write_text(FAULTY)
    Path("more.yaml").write_text(MORE)
    Path("handler.py").write_text("llm = object()\n")
    Path("broken.py").write_text("import json\nimport nothing_like_it\n")
    with pytest.raises(ConfigError) as raised:
        load_config("config.yaml", environ={})
    assert str(raised.value) + "\n" == REPORT

    assert check("config.yaml") == 1
    assert capsys.readouterr().out == REPORT + "config.yaml: 23 errors, 2 warnings\n"


def test_the_report_of_the_design(folder):
    """O1: the messages the documentation shows, letter for letter."""
    Path("config.yaml").write_text(
        "model_list:\n- model_name: a\n  litellm_params:\n    model: openai/a\n\n    rpm: lots\n"
        "- model_name: b\n  litelm_params: {model: openai/b}\n"
    )
    with pytest.raises(ConfigError) as raised:
        load_config("config.yaml")
    assert str(raised.value).splitlines() == [
        "config.yaml:6: model_list.0.litellm_params.rpm: Input should be a valid integer, unable to parse string as an integer",
        "config.yaml:8: model_list.1.litelm_params: unknown key (did you mean litellm_params?)",
    ]


def test_problems_are_values_too(folder):
    Path("config.yaml").write_text("surprise: 1\n")
    with pytest.raises(ConfigError) as raised:
        load_config("config.yaml")
    assert raised.value.problems == (Problem("config.yaml", 1, "surprise", "unknown key"),)


def test_check_of_a_good_file(folder, capsys):
    """O1: `litellm check` uses the code that starting uses, and sums up what it found."""
    Path("config.yaml").write_text(
        "model_list:\n"
        + "".join(f"- model_name: {name}\n  litellm_params: {{model: openai/x}}\n" for name in ("a", "b", "a"))
        + "general_settings: {alerting: [slack]}\n"
    )
    assert check("config.yaml") == 0
    assert capsys.readouterr().out == (
        "config.yaml:8: warning: general_settings.alerting: not supported yet; ignored\n"
        "config.yaml: ok, 3 deployments in 2 groups\n"
    )


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("model_list: [{model_name: a, litellm_params: {model: mock/y}}]", "config.yaml: ok, 1 deployment in 1 group"),
        ("", "config.yaml: ok, 0 deployments in 0 groups"),
        ("x: 1", "config.yaml: 1 error"),
        ("x: 1\ngeneral_settings: {alerting: 1}", "config.yaml: 1 error, 1 warning"),
    ],
)
def test_the_last_line_counts_in_plain_english(folder, capsys, text, last):
    Path("config.yaml").write_text(text)
    assert check("config.yaml") == (0 if "ok" in last else 1)
    assert capsys.readouterr().out.splitlines()[-1] == last


def test_a_missing_file_is_a_problem_like_any_other(folder, capsys):
    assert check("nowhere.yaml") == 1
    assert capsys.readouterr().out == (
        "nowhere.yaml: cannot be read: No such file or directory\nnowhere.yaml: 1 error\n"
    )
    assert check(".") == 1
    assert check("\0") == 1


def test_odd_keys_are_printed_on_one_line_and_in_any_encoding(folder, monkeypatch):
    import io
    import sys

    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    Path("config.yaml").write_text('"a\\nb\\x1b[31m": 1\n"": 1\nключ: 1\n' + "k" * 90 + ": 1\n", encoding="utf-8")
    assert check("config.yaml") == 1
    sys.stdout.flush()
    lines = raw.getvalue().decode("ascii").splitlines()
    assert len(lines) == 5
    assert lines[0] == r"config.yaml:1: a\nb\x1b[31m: unknown key"
    assert lines[1] == "config.yaml:2: '': unknown key"
    assert r"\u043a" in lines[2]
    assert "k" * 81 not in lines[3]
