"""From YAML files to data: lines, includes, environment references, and every way in which YAML can be broken."""

import json
import re
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from litellm.proxy.config import ConfigError, load_config
from litellm.proxy.config.load import load_files

GPT_4 = "model_list: [{model_name: gpt-4, litellm_params: {model: openai/gpt-4}}]\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def config(text, **environ):
    Path("config.yaml").write_text(text, encoding="utf-8")
    return load_config("config.yaml", environ=environ)


def faults(text, **environ):
    with pytest.raises(ConfigError) as raised:
        config(text, **environ)
    return str(raised.value).splitlines()


# Lines


def test_each_value_knows_its_line(folder):
    Path("config.yaml").write_text("a:\n  b: 1\n  c:\n    - x\n    - {d: 2,\n       e: 3}\n")
    loaded = load_files(Path("config.yaml"), {})
    assert loaded.data == {"a": {"b": 1, "c": ["x", {"d": 2, "e": 3}]}}
    assert {path: line for path, (_, line) in loaded.lines.items()} == {
        ("a",): 1,
        ("a", "b"): 2,
        ("a", "c"): 3,
        ("a", "c", 0): 4,
        ("a", "c", 1): 5,
        ("a", "c", 1, "d"): 5,
        ("a", "c", 1, "e"): 6,
    }


# YAML, as it is written by people


def test_yaml_is_read_as_pyyaml_reads_it(folder):
    Path("config.yaml").write_text(
        "truth: [yes, On, true, no, off, False]\nnumbers: [1, 0x10, 1_000, 1.5, .inf]\nnothing: [~, null, ]\n"
        "texts: [<your-model-name>, 'yes', api-key, custom_handler.my_custom_llm, '', \"\\u00e9\"]\n"
        "base: &base {a: 1, b: 2}\nmerged: {<<: *base, b: 3}\n"
    )
    text = Path("config.yaml").read_text()
    assert load_files(Path("config.yaml"), {}).data == yaml.safe_load(text)


def test_a_date_is_the_text_it_is_written_as(folder):
    assert load_text("api_version: 2024-02-01") == {"api_version": "2024-02-01"}


def test_keys_are_the_texts_they_are_written_as(folder):
    assert load_text("{on: 1, 50256: -100, null: 2}") == {"on": 1, "50256": -100, "null": 2}


def load_text(text, **environ):
    Path("config.yaml").write_text(text)
    loaded = load_files(Path("config.yaml"), environ)
    assert loaded.problems == []
    return loaded.data


def test_the_configs_of_the_first_documents_load(folder):
    """O1: what the documentation prints is accepted as printed."""
    Path("custom_handler.py").write_text("my_custom_llm = object()\n")
    result = config("""\
model_list:
  - model_name: my-model
    litellm_params:
      model: openai/<your-model-name>  # add openai/ prefix to route as OpenAI provider
      api_base: <model-api-base>       # add api base for OpenAI compatible provider
      api_key: api-key                 # api key to send your model
  - model_name: my-custom-model
    litellm_params:
      model: openai/google/gemma
      api_base: http://my-custom-base
      api_key: ""
      supports_system_message: False # 👈 KEY CHANGE
  - model_name: "my-custom-model"
    litellm_params:
      model: "my-custom-llm/my-model"

litellm_settings:
  custom_provider_map:
  - {"provider": "my-custom-llm", "custom_handler": custom_handler.my_custom_llm}
""")
    mine, gemma, custom = result.model_list
    assert mine.litellm_params.model == "openai/<your-model-name>"
    assert mine.litellm_params.api_base == "<model-api-base>"
    assert mine.litellm_params.api_key.get_secret_value() == "api-key"
    assert not gemma.litellm_params.api_key
    assert gemma.litellm_params.supports_system_message is False
    assert custom.litellm_params.api_key is None
    assert result.litellm_settings.custom_provider_map[0].provider == "my-custom-llm"


@pytest.mark.parametrize(
    ("text", "report"),
    [
        ("a: [1\nb: 2", "config.yaml:2: not valid YAML: expected ',' or ']', but got ':'"),
        ("a: [1\n...", "config.yaml:2: not valid YAML: expected ',' or ']', but got '<document end>'"),
        ("a: &canary 1\nb: &canary 1", "config.yaml:2: not valid YAML: found duplicate anchor"),
        ("a: !canary!x 1", "config.yaml:1: not valid YAML: found undefined tag handle"),
        ("a: 1\n\tb: 2", r"config.yaml:2: not valid YAML: found character '\t' that cannot start any token"),
        (
            "a: 1\n b: 2",
            "config.yaml:2: not valid YAML: mapping values are not allowed here (is the line indented as it should be?)",
        ),
        ("a: *b", "config.yaml:1: not valid YAML: found undefined alias; quote a value that begins with '*'"),
        (
            "--- 1\n--- 2",
            "config.yaml:2: not valid YAML: expected a single document in the stream but found another document",
        ),
        ("- a", "config.yaml:1: should be a map of sections, such as model_list:"),
        ("\n\njust text", "config.yaml:3: should be a map of sections, such as model_list:"),
        ("a: 1\nb: \x07", "config.yaml:2: a character that YAML does not allow"),
        ("? [x]\n: 2", "config.yaml:1: a key should be plain text"),
        ('"\\ud800": 1', "config.yaml:1: a key should be plain text"),
        ('include: ["\\ud800"]', "config.yaml:1: include.0: no such file"),
        ("<<: 1", "config.yaml:1: only maps can be merged"),
        (
            "include: !thing x",
            "config.yaml:1: include: YAML tags are not supported; quote a value that begins with '!'",
        ),
        (
            "include: !!set {x}",
            "config.yaml:1: include: YAML tags are not supported; quote a value that begins with '!'",
        ),
        ("router_settings: {timeout: 0b_}", "config.yaml:1: router_settings.timeout: cannot be read as int"),
        ("router_settings: {timeout: !!int ''}", "config.yaml:1: router_settings.timeout: cannot be read as int"),
        ("[" * 1500, "config.yaml: nested too deeply"),
        ("a: " + "[" * 70 + "]" * 70, "config.yaml: nested too deeply, or made endless by aliases"),
        ("a: &a [*a]", "config.yaml: nested too deeply, or made endless by aliases"),
        ("a: &a {<<: *a}", "config.yaml: nested too deeply, or made endless by aliases"),
    ],
)
def test_broken_yaml_is_reported_with_its_line(folder, text, report):
    """O1: never a traceback."""
    assert faults(text)[0] == report


def test_bytes_that_are_not_text(folder):
    Path("config.yaml").write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(ConfigError, match="^config.yaml:2: not UTF-8 text$"):
        load_config("config.yaml")


def test_a_byte_order_mark_is_no_part_of_the_first_key(folder):
    Path("config.yaml").write_bytes(b"\xef\xbb\xbf" + GPT_4.encode())
    assert load_config("config.yaml").groups == ("gpt-4",)


def test_aliases_of_aliases_cannot_fill_the_memory(folder, monkeypatch):
    monkeypatch.setattr("litellm.proxy.config.load._MOST_VALUES", 10_000)
    lines = ["a: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert "nested too deeply" in faults("\n".join(lines))[0]


def test_duplicate_keys_are_errors_with_both_lines(folder):
    """O1: the later of two keys does not win in silence; merged keys may be overridden."""
    assert faults("litellm_settings:\n  drop_params: true\n  num_retries: 1\n  drop_params: true\n") == [
        "config.yaml:4: litellm_settings.drop_params: duplicate key (first on line 2)"
    ]
    base = "x: &base {model: openai/a}\nmodel_list: [{model_name: a, litellm_params: {<<: *base, model: openai/b}}]"
    assert faults(base) == ["config.yaml:1: x: unknown key"]


# Environment


def test_references_are_resolved_in_any_text(folder):
    result = config(
        "model_list:\n- model_name: os.environ/NAME\n  litellm_params: {model: openai/a, api_key: os.environ/KEY,\n"
        "    rpm: os.environ/RPM, timeout: os.environ/WAIT, drop_params: os.environ/DROP, tags: [os.environ/NAME],\n"
        "    extra_body: {deep: [os.environ/NAME]}, api_base: not/os.environ/NAME}\n",
        NAME="gpt",
        KEY="sk-canary",
        RPM="10",
        WAIT="2.5",
        DROP="True",
    )
    params = result.model_list[0].litellm_params
    assert result.groups == ("gpt",)
    assert params.api_key.get_secret_value() == "sk-canary"
    assert (params.rpm, params.timeout, params.drop_params, params.tags) == (10, 2.5, True, ("gpt",))
    assert params.extra_body == {"deep": ["gpt"]}
    assert params.api_base == "not/os.environ/NAME"
    assert {type(text) for text in (params.tags[0], params.extra_body["deep"][0], result.groups[0])} == {str}


def test_all_unset_references_are_listed(folder):
    """O1: every unset reference, each once, and no further complaint about the empty value."""
    text = "general_settings:\n  master_key: os.environ/A\nrouter_settings:\n  timeout: os.environ/B\n  num_retries: os.environ/\n"
    assert faults(text, C="1") == [
        "config.yaml:2: general_settings.master_key: environment variable A is not set",
        "config.yaml:4: router_settings.timeout: environment variable B is not set",
        "config.yaml:5: router_settings.num_retries: environment variable (no name) is not set",
    ]


def test_an_empty_variable_is_set(folder):
    assert not config("general_settings: {master_key: os.environ/KEY}", KEY="").general_settings.master_key


def test_a_variable_with_the_wrong_content_is_not_quoted(folder):
    """F5: what came from the environment may be a secret."""
    assert faults("router_settings: {num_retries: os.environ/KEY}", KEY="sk-canary") == [
        "config.yaml:1: router_settings.num_retries: Input should be a valid integer, unable to parse string as an integer"
    ]


def test_environment_variables_come_first_and_are_given_back(folder):
    """They are exported by the caller; loading only looks through them, wherever in the file they stand."""
    import os

    result = config(
        "general_settings: {master_key: os.environ/COPY}\n"
        "environment_variables: {KEY: sk-canary, COPY: os.environ/KEY, HOME: os.environ/HOME, PORT: 8080, DEBUG: yes}\n",
        KEY="other",
        HOME="/root",
    )
    assert result.general_settings.master_key.get_secret_value() == "sk-canary"
    exported = {name: value.get_secret_value() for name, value in result.environment_variables.items()}
    assert exported == {"KEY": "sk-canary", "COPY": "sk-canary", "HOME": "/root", "PORT": "8080", "DEBUG": "yes"}
    assert "COPY" not in os.environ


@pytest.mark.parametrize("text", ["{'a=b': c}", "{'': c}", '{a: "\\0"}', "{a: [b]}", "{a: {b: c}}", "[a]"])
def test_what_no_environment_can_hold_is_refused(folder, text):
    assert faults(f"environment_variables: {text}")[0].startswith("config.yaml:1: environment_variables")


# Includes


def write_files(files):
    for name, text in files.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)


def test_included_maps_merge_and_lists_append(folder):
    """The including file's value stands, then the first include's; paths are relative to the including file."""
    write_files(
        {
            "config.yaml": "include: [sub/one.yaml, two.yaml]\nlitellm_settings: {num_retries: 1}\n"
            "model_list: [{model_name: a, litellm_params: {model: x/a}}]\n",
            "sub/one.yaml": "include: [deep.yaml]\nlitellm_settings: {num_retries: 2, request_timeout: 2}\n"
            "model_list:\n- {model_name: b, litellm_params: {model: x/b}}\n",
            "sub/deep.yaml": "model_list: [{model_name: d, litellm_params: {model: x/d}}]\n",
            "two.yaml": "litellm_settings: {request_timeout: 3, json_logs: true}\nrouter_settings: {timeout: 4}\n"
            "model_list:\n- {model_name: c, litellm_params: {model: x/c}}\n",
        }
    )
    result = load_config("config.yaml")
    assert result.groups == ("a", "b", "d", "c")
    assert result.litellm_settings.num_retries == 1
    assert result.litellm_settings.request_timeout == 2
    assert result.litellm_settings.json_logs
    assert result.router_settings.timeout == 4


def test_a_fault_in_an_included_file_has_that_files_line(folder):
    write_files(
        {
            "config.yaml": "include: [sub/more.yaml]\n" + GPT_4,
            "sub/more.yaml": "model_list:\n- model_name: b\n  litellm_params: {model: x/b, rpm: lots}\n"
            "  model_nam: c\n  model_nam: c\n",
        }
    )
    with pytest.raises(ConfigError) as raised:
        load_config("config.yaml")
    assert str(raised.value).splitlines() == [
        "sub/more.yaml:3: model_list.1.litellm_params.rpm: Input should be a valid integer, unable to parse string as an integer",
        "sub/more.yaml:4: model_list.1.model_nam: unknown key (did you mean model_name?)",
        "sub/more.yaml:5: model_list.0.model_nam: duplicate key (first on line 4)",
    ]


def test_joining_does_not_change_what_an_anchor_shows_elsewhere(folder):
    write_files(
        {
            "config.yaml": "include: [more.yaml]\nlitellm_settings: {default_fallbacks: &groups [a]}\n"
            "router_settings: {default_fallbacks: *groups}\nmodel_list: [{model_name: a, litellm_params: {model: x/a}}]\n",
            "more.yaml": "litellm_settings: {default_fallbacks: [b]}\n"
            "model_list: [{model_name: b, litellm_params: {model: x/b}}]\n",
        }
    )
    result = load_config("config.yaml")
    assert result.litellm_settings.default_fallbacks == ("a", "b")
    assert result.router_settings.default_fallbacks == ("a",)


def test_a_file_reached_twice_counts_once(folder):
    write_files(
        {
            "config.yaml": "include: [one.yaml, two.yaml]\n",
            "one.yaml": "include: [models.yaml]\n",
            "two.yaml": "include: [./models.yaml]\n",
            "models.yaml": GPT_4,
        }
    )
    assert len(load_config("config.yaml").model_list) == 1


@pytest.mark.parametrize(
    ("files", "report"),
    [
        (
            {"config.yaml": "a: 1\ninclude: [config.yaml]"},
            "config.yaml:2: include.0: a file cannot include itself, directly or through others",
        ),
        (
            {
                "config.yaml": "include: [one.yaml]",
                "one.yaml": "\ninclude: [two.yaml]",
                "two.yaml": "include: [one.yaml]",
            },
            "two.yaml:1: include.0: a file cannot include itself, directly or through others",
        ),
        ({"config.yaml": "include:\n- gone.yaml"}, "config.yaml:2: include.0: no such file"),
        ({"config.yaml": "include: [sub]", "sub/x": ""}, "config.yaml:1: include.0: no such file"),
        ({"config.yaml": 'include: ["\\0"]'}, "config.yaml:1: include.0: no such file"),
        ({"config.yaml": f"include: [{'x' * 5000}]"}, "config.yaml:1: include.0: no such file"),
        ({"config.yaml": "include: more.yaml"}, "config.yaml:1: include: Input should be a list"),
        ({"config.yaml": "include: [{a: b}]"}, "config.yaml:1: include.0: Input should be a valid string"),
        (
            {"config.yaml": "include: [bad.yaml]", "bad.yaml": "a: b: c"},
            "bad.yaml:1: not valid YAML: mapping values are not allowed here (is the line indented as it should be?)",
        ),
    ],
)
def test_bad_includes_are_reported(folder, files, report):
    """O1: with the file and the line that names them."""
    write_files(files)
    with pytest.raises(ConfigError) as raised:
        load_config("config.yaml")
    assert report in str(raised.value).splitlines()


def test_a_file_that_cannot_be_read_hides_no_names(folder):
    """A group that may stand in the unread file is not said to be missing."""
    text = "include: [gone.yaml]\nlitellm_settings: {default_fallbacks: [gpt-4]}\n"
    assert faults(text) == ["config.yaml:1: include.0: no such file"]


# Any text at all

NAMES = st.sampled_from(
    [
        "model_list",
        "model_name",
        "litellm_params",
        "model",
        "api_key",
        "rpm",
        "timeout",
        "fallbacks",
        "default_fallbacks",
        "general_settings",
        "litellm_settings",
        "router_settings",
        "environment_variables",
        "include",
        "master_key",
        "model_info",
        "id",
        "extra_headers",
        "tags",
        "model_group_alias",
        "hidden",
        "custom_provider_map",
        "provider",
        "custom_handler",
        "organization",
        "ssl_verify",
        "custom_auth",
    ]
)
YAML_TOKENS = st.sampled_from(
    [
        "\n",
        "\n  ",
        "\n    ",
        ": ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "&a ",
        "*a",
        "<<: ",
        "!x ",
        "|",
        ">",
        "'",
        '"',
        "#",
        "? ",
    ]
    + [
        "---",
        "%",
        "@",
        "\t",
        "0b_",
        "1",
        "-1.5",
        "yes",
        "~",
        "1e3",
        ".nan",
        "2024-01-01",
        "os.environ/X",
        "\x00",
        "é",
        "\ud800",
    ]
)
TEXTS = st.one_of(
    st.text(),
    st.lists(st.one_of(YAML_TOKENS, NAMES, st.text(max_size=3)), max_size=30).map("".join),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), NAMES),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(NAMES, st.text(max_size=4)), inner, max_size=4)
    ),
    max_leaves=12,
)


def raises_nothing_else(content: bytes):
    with tempfile.TemporaryDirectory() as name:
        file = Path(name, "config.yaml")
        file.write_bytes(content)
        try:
            load_config(file, environ={})
        except ConfigError as error:
            lines = str(error).splitlines()
            assert lines
            assert all(re.match(rf"{re.escape(str(file))}(:[1-9]\d*)?: .", line) for line in lines)


@settings(max_examples=150, deadline=timedelta(seconds=5))
@given(TEXTS)
@example("a: !!binary x")
@example("a: !!timestamp x")
@example("=: =")
@example("a: os.environ/\n\n b")
def test_any_text_loads_or_is_a_config_error(text):
    """O1: whatever the file holds, there is no other exception."""
    raises_nothing_else(text.encode("utf-8", "surrogatepass"))


@settings(max_examples=60, deadline=timedelta(seconds=5))
@given(st.binary(max_size=60))
def test_any_bytes_load_or_are_a_config_error(content):
    raises_nothing_else(content)


@settings(max_examples=150, deadline=timedelta(seconds=5))
@given(st.dictionaries(NAMES, VALUES, max_size=5))
def test_any_settings_load_or_are_a_config_error(data):
    """O1: well-formed files with values of any shape in any place."""
    raises_nothing_else(yaml.safe_dump(data, allow_unicode=True).encode("utf-8", "surrogatepass"))


# JSON writes what is beyond the basic plane as two surrogates, which YAML does not join.
PLAIN = st.text(st.characters(max_codepoint=0xD7FF), max_size=8).map(lambda text: "-" + text)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), PLAIN),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(PLAIN, inner, max_size=3)),
    max_leaves=10,
)


@settings(max_examples=60, deadline=timedelta(seconds=5))
@given(st.dictionaries(PLAIN, JSON, max_size=3))
def test_json_is_read_as_json(data):
    """A JSON document is YAML: what was read is what was written."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name, "config.yaml")
        file.write_text(json.dumps(data))
        assert load_files(file, {}).data == data
