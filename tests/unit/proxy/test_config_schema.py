"""What each setting accepts, what it becomes, and the names that must exist."""

from pathlib import Path

import pydantic
import pytest

from litellm.proxy.config import ConfigError, Secret, load_config
from litellm.proxy.config.schema import ConfigFile, LitellmParams


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def config(text):
    Path("config.yaml").write_text(text)
    return load_config("config.yaml", environ={})


def faults(text):
    with pytest.raises(ConfigError) as raised:
        config(text)
    return [str(problem) for problem in raised.value.problems if problem.severity == "error"]


def params(text):
    return (
        config(f"model_list: [{{model_name: a, litellm_params: {{model: x/y, {text}}}}}]").model_list[0].litellm_params
    )


EVERYTHING = """\
model_list:
  - model_name: gpt-4
    litellm_params:
      model: openai/gpt-4
      api_key: sk-one
      api_base: http://one/v1
      base_url: http://one/v1
      api_version: 2024-02-01
      organization: [org-1, org-2]
      timeout: 30
      stream_timeout: 60.5
      max_retries: 0
      rpm: 10
      tpm: 1000
      max_parallel_requests: 2
      weight: 0.5
      order: 1
      tags: [free]
      region_name: westeurope
      supports_system_message: false
      drop_params: "true"
      additional_drop_params: ["tools[*].x"]
      allowed_openai_params: [tools]
      extra_headers: {X-Team: blue}
      headers: {Authorization: Bearer one}
      extra_body: {top_k: 3, provider: {api_key: sk-two}}
      custom_llm_provider: openai
      ssl_verify: /etc/ca.pem
      mock_response: {choices: []}
      mock_delay: 1
      configurable_clientside_auth_params: [api_key, {api_base: "https://.*"}]
      input_cost_per_token: 0.000001
      output_cost_per_token: 2e-6
      aws_secret_access_key: sk-three
      temperature: 0
    model_info: {id: 7, base_model: gpt-4, mode: chat, max_input_tokens: 8192, supports_response_schema: true, team: blue}
litellm_settings:
  drop_params: True
  num_retries: 3
  request_timeout: 600
  set_verbose: 1
  json_logs: "True"
  fallbacks: [{gpt-4: [gpt-4, {model: gpt-4, temperature: 1, api_key: sk-four}]}]
  context_window_fallbacks: [{"*": [alias]}]
  default_fallbacks: [gpt-4]
  ssl_verify: "false"
  ssl_certificate: /etc/us.pem
  force_ipv4: true
  headers: {X-Key: sk-eight}
  organization: org-3
  callbacks: [langfuse]
  success_callback: langfuse
  failure_callback: [langfuse]
  input_callback: []
  turn_off_message_logging: true
  telemetry: true
router_settings:
  routing_strategy: simple-shuffle
  num_retries: 1
  timeout: 20
  stream_timeout: 30
  retry_after: 1
  fallbacks: [{gpt-4: [alias]}]
  context_window_fallbacks: []
  content_policy_fallbacks: [{gpt-4: [alias]}]
  default_fallbacks: [alias]
  max_fallbacks: 3
  allowed_fails: 2
  allowed_fails_policy:
    {BadRequestErrorAllowedFails: 1, AuthenticationErrorAllowedFails: 1, NotFoundErrorAllowedFails: 1,
     TimeoutErrorAllowedFails: 1, RateLimitErrorAllowedFails: 1, ContentPolicyViolationErrorAllowedFails: 1,
     InternalServerErrorAllowedFails: 1, ServiceUnavailableErrorAllowedFails: 1}
  cooldown_time: 30
  disable_cooldowns: true
  retry_policy:
    {BadRequestErrorRetries: 1, AuthenticationErrorRetries: 1, NotFoundErrorRetries: 1,
     TimeoutErrorRetries: 1, RateLimitErrorRetries: 1, ContentPolicyViolationErrorRetries: 1,
     InternalServerErrorRetries: 1, ServiceUnavailableErrorRetries: 1}
  model_group_retry_policy: {gpt-4: {TimeoutErrorRetries: 0}}
  routing_strategy_args: {ttl: 60, lowest_latency_buffer: 0.1, max_latency_list_size: 5}
  enable_pre_call_checks: true
  optional_pre_call_checks: [enforce_model_rate_limits]
  enable_tag_filtering: true
  tag_filtering_match_any: false
  default_litellm_params: {temperature: 0.5, api_key: sk-seven}
  default_max_parallel_requests: 10
  model_group_alias: {alias: gpt-4, other: {model: gpt-4, hidden: true}}
general_settings:
  master_key: sk-five
  max_request_size_mb: 10
  max_request_memory_mb: 100
  stream_heartbeat_seconds: 15
  completion_model: gpt-4
  graceful_shutdown_seconds: 5
  allow_client_side_credentials: false
  client_side_hosts: [vllm.internal, 10.0.0.0/8]
  custom_auth: auth.admit
  custom_auth_settings: {mode: auto}
environment_variables: {OPENAI_API_KEY: sk-six}
include: [more.yaml]
"""


def test_every_supported_setting_loads(folder):
    """O1: every key of the schema is in this file, so a key that is added without a test is noticed."""
    import re

    Path("more.yaml").write_text("litellm_settings: {custom_provider_map: []}")
    Path("auth.py").write_text("def admit(request, api_key): ...", encoding="utf-8")
    result = config(EVERYTHING)
    text = EVERYTHING + Path("more.yaml").read_text()

    def names(model):
        for name, field in model.model_fields.items():
            yield name
            for part in (field.annotation, *getattr(field.annotation, "__args__", ())):
                if (
                    isinstance(part, type)
                    and issubclass(part, pydantic.BaseModel)
                    and part.__name__ != "CustomProvider"
                ):
                    yield from names(part)

    assert [name for name in names(ConfigFile) if not re.search(rf"\b{name}:", text)] == []

    first = result.model_list[0].litellm_params
    assert first.organization == ("org-1", "org-2")
    assert first.api_version == "2024-02-01"
    assert first.output_cost_per_token == 2e-6
    assert first.drop_params is True
    assert first.ssl_verify == "/etc/ca.pem"
    assert first.model_extra == {"aws_secret_access_key": Secret("sk-three"), "temperature": 0}
    assert result.model_list[0].model_info.id == "7"
    assert result.model_list[0].model_info.model_extra == {"team": "blue"}
    assert result.litellm_settings.ssl_verify is False
    assert result.litellm_settings.json_logs is True
    assert result.litellm_settings.set_verbose is True
    assert result.router_settings.model_group_alias["alias"].model == "gpt-4"
    assert not result.router_settings.model_group_alias["alias"].hidden
    assert result.router_settings.model_group_alias["other"].hidden
    assert result.general_settings.graceful_shutdown_seconds == 5
    assert result.warnings == ()
    for digit in ("one", "two", "three", "four", "five", "six", "eight"):
        assert f"sk-{digit}" not in repr(result)


def test_every_setting_is_documented():
    """The reference in docs/ is made of these descriptions."""
    from litellm.proxy.config import schema

    for model in vars(schema).values():
        if isinstance(model, type) and issubclass(model, schema._Section) and model is not schema._Section:
            assert model.__doc__ or model.__name__.startswith("_"), model
            for name, field in model.model_fields.items():
                assert field.description, f"{model.__name__}.{name}"
                assert field.description.endswith((".", "…")), f"{model.__name__}.{name}"


def test_a_json_schema_can_be_made():
    properties = ConfigFile.model_json_schema()["$defs"]["LitellmParams"]["properties"]
    assert properties["api_key"]["anyOf"][0] == {"type": "string", "format": "password", "writeOnly": True}


def test_what_is_not_set_has_its_default(folder):
    result = config("litellm_settings:\nrouter_settings: {}\ngeneral_settings: {master_key: }\n")
    assert result.model_list == ()
    assert result.general_settings.master_key is None
    assert result.general_settings.graceful_shutdown_seconds == 30
    assert result.general_settings.allow_client_side_credentials is True
    assert result.litellm_settings.drop_params is False
    assert result.router_settings.routing_strategy == "simple-shuffle"


def test_a_config_cannot_be_changed(folder):
    result = config("model_list: [{model_name: a, litellm_params: {model: x/y}}]")
    with pytest.raises(AttributeError):
        result.model_list = ()
    for section in (result.general_settings, result.model_list[0], result.model_list[0].litellm_params):
        with pytest.raises(pydantic.ValidationError):
            section.model = "other"
    assert hash(result.model_list)


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("rpm: lots", "Input should be a valid integer, unable to parse string as an integer"),
        ('rpm: "10"', "Input should be a valid integer, without quotes"),
        ("rpm: yes", "Input should be a valid integer"),
        ("rpm: 1.5", "Input should be a valid integer, got a number with a fractional part"),
        ("rpm: -1", "Input should be greater than or equal to 0"),
        ("rpm: [1]", "Input should be a valid integer"),
        ('timeout: "10"', "Input should be a valid number, without quotes"),
        ("timeout: .inf", "Input should be a finite number"),
        ("timeout: true", "Input should be a valid number"),
        ("drop_params: maybe", "Input should be a valid boolean, unable to interpret input"),
        ("drop_params: 2", "Input should be a valid boolean, unable to interpret input"),
        ("api_base: 5", "Input should be a valid string"),
        ("api_key: 5", "Input should be a valid string (put quotes around it)"),
        ("tags: free", "Input should be a list"),
        ("extra_body: [1]", "Input should be a map"),
        ("extra_headers: {a: 1}", "Input should be a valid string (put quotes around it)"),
        ("organization: {a: 1}", "Input should be a text or a list of texts"),
        ("ssl_verify: [1]", "Input should be a boolean or the path of a CA file"),
        ("model: ''", "String should have at least 1 character"),
    ],
)
def test_wrong_values(folder, value, what):
    """O1: said in the words of somebody who writes YAML."""
    pairs = value if value.startswith("model:") else f"model: x/y, {value}"
    (line,) = faults(f"model_list: [{{model_name: a, litellm_params: {{{pairs}}}}}]")
    assert line.endswith(f": {what}")


@pytest.mark.parametrize(
    "text",
    [
        "model_list: {a: 1}",
        "model_list: [a]",
        "general_settings: [a]",
        "router_settings: x",
        "model_list: [{model_name: a, litellm_params: [1]}]",
    ],
)
def test_wrong_shapes(folder, text):
    (line,) = faults(text)
    assert line.endswith(("Input should be a list", "Input should be a map"))


def test_required_settings(folder):
    assert faults("model_list:\n- model_name: a\n- litellm_params: {}\n") == [
        "config.yaml:2: model_list.0.litellm_params: Field required",
        "config.yaml:3: model_list.1.model_name: Field required",
        "config.yaml:3: model_list.1.litellm_params.model: Field required",
    ]


def test_names_that_must_be_unique(folder):
    """O1: of two things with one name neither hides the other."""
    one = "{model_name: a, litellm_params: {model: x/y}, model_info: {id: 1}}"
    assert faults(f"model_list: [{one}, {one}]") == [
        "config.yaml:1: model_list: entries 0 and 1 have the same model_info.id"
    ]
    Path("mine.py").write_text("llm = object()\n")
    entry = "{provider: mine, custom_handler: mine.llm}"
    assert faults(f"litellm_settings: {{custom_provider_map: [{entry}, {entry}]}}") == [
        "config.yaml:1: litellm_settings.custom_provider_map: entries 0 and 1 have the same provider"
    ]


def test_extra_parameters_reach_the_provider_and_slips_are_noticed(folder):
    """O1: strictness does not block a provider's own parameters."""
    result = config(
        "model_list:\n- model_name: a\n  litellm_params: {model: x/y, vertex_project: p, guided_json: {a: 1},\n"
        "    api_bse: http://x}\n"
    )
    assert result.model_list[0].litellm_params.model_extra == {
        "vertex_project": "p",
        "guided_json": {"a": 1},
        "api_bse": "http://x",
    }
    (warning,) = result.warnings
    assert (warning.line, warning.path) == (4, "model_list.0.litellm_params.api_bse")
    assert warning.what == "not a parameter of ours, passed to the provider (did you mean api_base?)"


def test_the_schema_alone_checks_no_names():
    """A schema without a config file around it (an API body) knows neither groups nor Python files."""
    from litellm.proxy.config.schema import LitellmSettings

    settings = LitellmSettings.model_validate(
        {
            "default_fallbacks": ["anything"],
            "custom_provider_map": [{"provider": "mine", "custom_handler": "no_such_file.llm"}],
        }
    )
    assert settings.custom_provider_map[0].custom_handler == "no_such_file.llm"
    with pytest.raises(pydantic.ValidationError) as raised:
        LitellmParams.model_validate({"model": 1, "api_key": ["sk-canary"], "rpm": "sk-canary"})
    assert "sk-canary" not in str(raised.value)


# Groups

GROUPS = """\
model_list:
- {model_name: gpt-4, litellm_params: {model: openai/gpt-4}, model_info: {id: first}}
- {model_name: azure/gpt-4o, litellm_params: {model: azure/x}}
- {model_name: "groq/*", litellm_params: {model: "groq/*"}}
"""


@pytest.mark.parametrize("section", ["litellm_settings", "router_settings"])
@pytest.mark.parametrize(
    "setting",
    [
        "fallbacks: [{gpt-4: [azure/gpt-4o, groq/llama]}, {groq/llama: [gpt-4]}]",
        "fallbacks: [{gpt-4o: [gpt-4]}, {openai/gpt-4: [first]}]",  # with and without the provider; by id
        'context_window_fallbacks: [{"*": [{model: gpt-4, temperature: 1}, {temperature: 1}]}]',
        "default_fallbacks: [gpt-4]",
    ],
)
def test_names_of_groups_that_exist(folder, section, setting):
    assert config(f"{GROUPS}{section}: {{{setting}}}")


@pytest.mark.parametrize(
    ("setting", "path", "hint"),
    [
        ("fallbacks: [{gpt-4: [gpt-5]}]", "fallbacks.0.gpt-4.0", " (did you mean gpt-4?)"),
        ("fallbacks: [{gtp-4: [gpt-4]}]", "fallbacks.0.gtp-4", " (did you mean gpt-4?)"),
        ("fallbacks: [{gpt-4: [{model: nowhere}]}]", "fallbacks.0.gpt-4.0", ""),
        ("context_window_fallbacks: [{gpt-4: [xgroq/llama]}]", "context_window_fallbacks.0.gpt-4.0", ""),
        ("default_fallbacks: [gpt-4, nowhere]", "default_fallbacks.1", ""),
        ("model_group_alias: {a: nowhere}", "model_group_alias.a.model", ""),
        ("model_group_alias: {a: {model: nowhere}}", "model_group_alias.a.model", ""),
    ],
)
def test_names_of_groups_that_do_not_exist(folder, setting, path, hint):
    """O1: a fallback to nowhere is found at start-up, not on the day it is needed."""
    assert faults(f"{GROUPS}router_settings: {{{setting}}}") == [
        f"config.yaml:5: router_settings.{path}: no such group in model_list{hint}"
    ]


@pytest.mark.parametrize("entry", ["[5]", "[[gpt-4]]", "gpt-4"])
def test_fallbacks_of_the_wrong_shape(folder, entry):
    assert len(faults(f"{GROUPS}router_settings: {{fallbacks: [{{gpt-4: {entry}}}]}}")) == 1


def test_an_unreadable_name_hides_no_names(folder):
    assert faults(
        "model_list: [{model_nam: a, litellm_params: {model: x}}]\nrouter_settings: {default_fallbacks: [a]}"
    ) == ["config.yaml:1: model_list.0.model_nam: unknown key (did you mean model_name?)"]
