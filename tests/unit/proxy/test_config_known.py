"""Keys that the schema does not have: LiteLLM's that come later, the dangerous ones among them, and typos."""

from pathlib import Path

import pytest

from litellm.proxy.config import ConfigError, known, load_config
from litellm.proxy.config.schema import (
    ConfigFile,
    DeploymentConfig,
    GeneralSettings,
    LitellmParams,
    LitellmSettings,
    RouterSettings,
)

SECTIONS = {
    "": ConfigFile,
    "litellm_settings": LitellmSettings,
    "router_settings": RouterSettings,
    "general_settings": GeneralSettings,
    "model_list": DeploymentConfig,
    "model_list.litellm_params": LitellmParams,
}

REMOVE = "not supported in this release, and unsafe to ignore; remove it to start"


def in_section(section, pair):
    deployment = "model_name: a, litellm_params: {model: x/y"
    return {
        "": f"{pair}\n",
        "model_list": f"model_list: [{{{deployment}}}, {pair}}}]\n",
        "model_list.litellm_params": f"model_list: [{{{deployment}, {pair}}}}}]\n",
    }.get(section, f"{section}: {{{pair}}}\n")


@pytest.fixture
def load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def load(text):
        Path("config.yaml").write_text(text)
        return load_config("config.yaml")

    return load


@pytest.mark.parametrize("section", SECTIONS)
def test_no_key_has_two_fates(section):
    fields = SECTIONS[section].model_fields.keys()
    ignored, refused = known.IGNORED.get(section, frozenset()), known.REFUSED.get(section, frozenset())
    assert not ignored & refused
    assert not fields & (ignored | refused)
    assert (known.IGNORED.keys() | known.REFUSED.keys()) <= SECTIONS.keys()


def keys(table):
    return [(section, name.replace("*", "x")) for section, names in table.items() for name in sorted(names)]


def test_what_is_harmless_is_ignored_with_a_warning(load):
    """O1: nothing is ignored in silence."""
    for section, key in keys(known.IGNORED):
        (warning,) = load(in_section(section, f"{key}: [1]")).warnings
        told = (warning.line, warning.severity, warning.what)
        assert told == (1, "warning", "not supported yet; ignored"), (section, key)
        assert warning.path.endswith(key), (section, key)


def test_what_guards_something_is_never_ignored(load):
    """F4's spirit: access, money and safety nets do not depend on a key that nobody reads."""
    for section, key in keys(known.REFUSED):
        with pytest.raises(ConfigError) as raised:
            load(in_section(section, f"{key}: [1]"))
        (problem,) = raised.value.problems
        assert (problem.line, problem.severity, problem.what) == (1, "error", REMOVE), (section, key)


@pytest.mark.parametrize("value", ["null", "false", "no", ""])
def test_a_guard_that_is_switched_off_is_no_reason_to_refuse(load, value):
    (warning,) = load(f"general_settings: {{enable_jwt_auth: {value}}}").warnings
    assert warning.what == "not supported yet; ignored"


@pytest.mark.parametrize("value", ["0", "[]", "{}", "''"])
def test_a_guard_with_an_empty_value_is_still_one(load, value):
    """`allowed_ips: []` may well mean nobody."""
    with pytest.raises(ConfigError, match="unsafe to ignore"):
        load(f"general_settings: {{allowed_ips: {value}}}")


@pytest.mark.parametrize(
    ("section", "key", "hint"),
    [
        ("", "modle_list", " (did you mean model_list?)"),
        ("", "guardrial", " (did you mean guardrails?)"),
        ("", "zzz", ""),
        ("general_settings", "masterkey", " (did you mean master_key?)"),
        ("general_settings", "custom_auht", " (did you mean custom_auth?)"),
        ("litellm_settings", "num_retry", " (did you mean num_retries?)"),
        ("router_settings", "routing_stategy", " (did you mean routing_strategy?)"),
        ("model_list", "model_infos", " (did you mean model_info?)"),
        ("model_list", "temperature", ""),
    ],
)
def test_unknown_keys_are_errors_with_the_nearest_name(load, section, key, hint):
    """O1: a typo is never ignored."""
    with pytest.raises(ConfigError) as raised:
        load(in_section(section, f"{key}: 1"))
    (problem,) = raised.value.problems
    assert problem.what == f"unknown key{hint}"


def test_the_parameters_of_a_provider_are_nobodys_business(load):
    assert load(in_section("model_list.litellm_params", "top_k: 1, vertex_location: x, max_tokens: 5")).warnings == ()
