"""Makes the pages of docs/ that list what the code knows: providers, the config file, and the seeds with their tests."""

import ast
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from litellm.operations import CHAT
from litellm.providers.auth.scheme import Scheme, bearer
from litellm.providers.spec import ByModel, Provider
from litellm.providers.table import NOT_YET, ROWS
from litellm.proxy.config import known, schema
from litellm.proxy.config.secrets import Secret
from litellm.wire.quirks import Quirks

DOCS = Path(__file__).resolve().parent.parent / "docs"
NONE = "–"


def cell(text: str) -> str:
    """Text that can stand between two bars."""
    return text.replace("|", "\\|").replace("\n", " ")


def code(*names: str) -> str:
    return ", ".join(f"`{name}`" for name in names) or NONE


def table(*head: str, rows: Iterator[tuple[str, ...]]) -> list[str]:
    lines = [" | ".join(head), " | ".join("---" for _ in head), *(" | ".join(map(cell, row)) for row in rows)]
    return [f"| {line} |" for line in lines]


# --- docs/providers.md -------------------------------------------------------------------------------------------------

PROVIDERS = """\
# Providers

<!-- Written by scripts/docs --write from src/litellm/providers/table.py. Do not edit. -->

{count} providers that take OpenAI's chat format. Write the name and a slash in front of the model:
`groq/llama-3.1-8b-instant`. The request goes to the base URL with `/chat/completions` appended, unless the notes name
another path. Where the base is {none}, pass `api_base=…` or set its variable.

- Of several variables, the first that is set counts.
- A key from the environment is used only when the provider was named, as a prefix, as `custom_llm_provider`, or by a bare
  model name that is in its notes; not when it was only recognised by the host of `api_base`.
- The role `developer` is sent as `system`, except to those that are noted to know it.
- Parameters that are not mentioned are sent as they are, also those nobody has heard of.

The rows were made from the vendors' documentation. Only those noted as *tested* have been run against the real service. If
a row is wrong, [changing it](adding-a-provider.md) is one line.

"""

NOT_YET_PAGE = """

## Not yet

These speak formats of their own, which are not built yet. Naming one is a `BadRequestError` that says so:
{names}.
"""


def providers_page() -> str:
    rows = (
        (f"`{row.name}`", base(row), code(*row.key), code(*row.base_env), "; ".join(notes(row)) or NONE)
        for row in sorted(ROWS, key=lambda row: row.name)
    )
    lines = table("Name", "Base URL", "Key from", "Base from", "Notes", rows=rows)
    page = PROVIDERS.format(count=len(ROWS), none=NONE) + "\n".join(lines)
    return page + NOT_YET_PAGE.format(names=code(*sorted(NOT_YET)))


def base(row: Provider) -> str:
    return code(row.base) if row.base else NONE


def notes(row: Provider) -> Iterator[str]:
    if row.status == "tested":
        yield "*tested*"
    if row.name == "mock":
        yield "answers without a network, see [mock.md](mock.md)"
    if CHAT.dialect not in row.dialects:
        yield "text completions; chat is made into one prompt"
        return
    if row.login:
        yield f"takes {row.login}, which is not built; a token can be passed as `api_key`"
    if row.aliases:
        yield f"also as {code(*row.aliases)}"
    if row.names:
        yield f"bare names: {code(*row.names)}"
    if row.key_optional:
        yield "needs no key"
    if row.key_stays_home:
        yield "a key from the environment is not sent to another `api_base`"
    if row.prefix:
        yield f"path `{row.prefix}` before the operation's"
    if row.base_suffix:
        yield f"`{row.base_suffix}` is appended to a base without it"
    for placeholder, variables in row.variables.items():
        yield f"`{{{placeholder}}}` from {code(*variables)}"
    yield from map(elsewhere, row.by_model)
    yield from authorization(row.auth)
    for header, variable in row.env_headers.items():
        yield f"header `{header}` from `{variable}`"
    if row.unsupported:
        yield f"does not take {code(*row.unsupported)}"
    yield from edits(row.quirks)


def elsewhere(place: ByModel) -> str:
    parts = [
        f"{what} `{to}`" for what, to in (("base", place.base), ("path", place.prefix), ("model", place.model)) if to
    ]
    return f"models like `{place.pattern}`: {', '.join(parts)}"


def authorization(scheme: Scheme) -> Iterator[str]:
    headers = {name: text for name, text in scheme.headers.items() if (name, text) not in bearer().headers.items()}
    hosts = f" at {code(*scheme.only_hosts)}" if scheme.only_hosts else ""
    for name, text in headers.items():
        yield f"key in header `{name}`{hosts}" if text == "{key}" else f"header `{name}: {text}`"


def edits(quirks: Quirks) -> Iterator[str]:
    if not quirks.developer_as_system:
        yield "knows the role `developer`"
    for ours, theirs in quirks.rename.items():
        yield f"`{ours}` is sent as `{theirs}`"
    for name, value in quirks.force.items():
        yield f"`{name}` is always sent as `{json.dumps(value)}`"
    for name, value in quirks.clamp.items():
        yield f"`{name}` at most {value:g}"
    if quirks.flatten_text_parts:
        yield "text parts are joined to one string"
    if quirks.fold_system:
        yield "system messages are folded into user messages"
    if quirks.drop_message_fields:
        yield f"{code(*quirks.drop_message_fields)} is taken out of messages"


# --- docs/config.md ----------------------------------------------------------------------------------------------------

CONFIG = """\
# The config file, key by key

<!-- Written by scripts/docs --write from src/litellm/proxy/config. Do not edit. -->

Every key that `litellm --config` reads. [proxy.md](proxy.md) explains how they work together, and
`litellm check config.yaml` says what is wrong with a file. A key that is in none of these tables is an error, except in
`litellm_params` and `model_info`, which may hold more.

Any text may be `os.environ/NAME`, which stands for the value of that variable. *Secret* values are masked wherever they
would be printed. Seconds and prices are numbers and may have a fraction.
"""

KNOWN = """
## Known, but not there yet

Keys of LiteLLM's that this release does not act on. A `*` stands for any ending.

**Ignored with a warning**, because nothing becomes less safe without them:

{ignored}

**Refused**, because a server without them would be more open, less limited or differently routed than its
configuration says. Remove them to start. A value of `null` or `false` is only warned of:

{refused}
"""

# What the schema's descriptions promise and the code does not keep yet. Whoever builds it takes the line out of here.
NOTHING = "*No effect yet.*"
CAVEATS: dict[tuple[type[BaseModel], str], str] = {}

SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("Top level", schema.ConfigFile),
    ("model_list", schema.DeploymentConfig),
    ("litellm_params", schema.LitellmParams),
    ("model_info", schema.ModelInfo),
    ("litellm_settings", schema.LitellmSettings),
    ("custom_provider_map", schema.CustomProvider),
    ("router_settings", schema.RouterSettings),
    ("routing_strategy_args", schema.StrategyArgs),
    ("retry_policy", schema.RetryPolicy),
    ("allowed_fails_policy", schema.AllowedFailsPolicy),
    ("model_group_alias", schema.GroupAlias),
    ("general_settings", schema.GeneralSettings),
    ("custom_auth_settings", schema.CustomAuthSettings),
)
TITLES = {model: title for title, model in SECTIONS}
MORE = {
    schema.LitellmParams: (
        "Besides these keys, OpenAI's chat parameters (`temperature`, `max_tokens`, …) are defaults for requests to this "
        "deployment, and so are further keys that we do not know, such as `top_k`, unless they belong to the access of "
        "another provider (`aws_…`, `vertex_…`) or are named like a credential. A provider of your own is handed "
        "all keys, as `litellm_params`."
    ),
}
# What the types do not say in a reader's words.
SHOWN_AS: dict[Any, str] = {
    schema.Fallbacks: "list of maps: name to list of names",
    schema.DefaultFallbacks: "list of names",
    schema.Texts: "text, or list of texts",
    schema.Verify: "boolean or path",
    schema.MapMasked: "map",
    schema.Headers: "map of texts (secret)",
    schema.Handler: "`module.instance`",
    schema.Callbacks: "list of names or `module.instance`",
}


def config_page() -> str:
    lines = [CONFIG]
    for title, model in SECTIONS:
        lines += [f"## {title}", "", first_sentence(model), ""]
        if model in MORE:
            lines += [MORE[model], ""]
        rows = ((f"`{key}`", kind(field), default(field), text(model, key, field)) for key, field in fields(model))
        lines += [*table("Key", "Type", "Default", "", rows=rows), ""]
    return "\n".join(lines) + KNOWN.format(ignored=key_list(known.IGNORED), refused=key_list(known.REFUSED))


def fields(model: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    return list(model.model_fields.items())


def first_sentence(model: type[BaseModel]) -> str:
    return (inspect.getdoc(model) or "").partition(". ")[0].rstrip(".") + "."


def text(model: type[BaseModel], key: str, field: FieldInfo) -> str:
    return " ".join(filter(None, (field.description, CAVEATS.get((model, key)))))


def default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    empty = value is None or value in ((), {}) or field.default_factory is not None
    return NONE if empty else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def kind(field: FieldInfo) -> str:
    for alias, words in SHOWN_AS.items():
        if declared_as(field, alias):
            return words
    return words_for(field.annotation)


def declared_as(field: FieldInfo, alias: Any) -> bool:
    """Whether a field was declared as `alias`, or `alias | None`. pydantic takes an outer Annotated apart."""
    if field.metadata:
        return get_origin(alias) is Annotated and get_args(alias) == (field.annotation, *field.metadata)
    whole = field.annotation
    members = [part for part in get_args(whole) if part is not NoneType] if is_union(whole) else [whole]
    return members == [alias]


def is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, UnionType)


PLAIN = {bool: "boolean", int: "integer", float: "number", str: "text", Secret: "text (secret)", Any: "any"}


def words_for(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation in PLAIN:
        return PLAIN[annotation]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[map](#{TITLES[annotation].lower().replace(' ', '-')})"
    if origin is Literal:
        return code(*inner)
    if is_union(annotation):
        return " or ".join(words_for(part) for part in inner if part is not NoneType)
    if origin is tuple:
        return f"list of {plural(words_for(inner[0]))}"
    if origin is dict:
        return f"map of {plural(words_for(inner[1]))}"
    return words_for(inner[0])  # Annotated


def plural(words: str) -> str:
    if words.startswith("[map]"):
        return words.replace("[map]", "[maps]", 1)
    return words.replace("text", "texts", 1)


def key_list(keys: dict[str, frozenset[str]]) -> str:
    return "\n".join(f"- {where(section)}: {code(*sorted(names))}" for section, names in keys.items())


def where(section: str) -> str:
    return f"`{section.rpartition('.')[2]}`" if section else "top level"


# --- the command -------------------------------------------------------------------------------------------------------

# --- docs/seeds.md ------------------------------------------------------------------------------------------------------

SEEDS_PAGE = """\
# The five documents

<!-- Written by scripts/docs --write from tests/contract/seeds and the tests that run it. Do not edit. -->

This project began with five pages of LiteLLM's documentation. Every snippet of theirs is kept word for word in
`tests/contract/seeds` (only the indentation that web pages lose is restored), and these tests run it as it stands: host,
port and keys as printed. What cannot work as printed, the test's name says.

"""
SEEDS = {
    "000": "OpenAI-Compatible Endpoints",
    "001": "Custom API Server (OpenAI Format)",
    "002": "OpenAI-Compatible Endpoints, with remarks",
    "003": "Use with Langchain, OpenAI SDK, LlamaIndex, Curl",
    "004": "Custom API Server (Custom Format)",
}
CONTRACT = DOCS.parent / "tests" / "contract"


def seeds_page() -> str:
    tests = dict(tests_of_seeds())
    lines = [SEEDS_PAGE]
    for number, title in SEEDS.items():
        files = sorted(file.name for file in (CONTRACT / "seeds").glob(f"{number}_*"))
        rows = ((code(name), ", ".join(code(test) for test in tests.get(name, ())) or NONE) for name in files)
        lines += [f"## {number} {title}\n\n", "\n".join(table("snippet", "run by", rows=rows)), "\n\n"]
    return "".join(lines).rstrip() + "\n"


def tests_of_seeds() -> Iterator[tuple[str, list[str]]]:
    """Snippet → the tests that name it, also by a parameter and an f-string."""
    found: dict[str, list[str]] = {}
    snippets = {file.name for file in (CONTRACT / "seeds").iterdir()}
    for file in sorted(CONTRACT.glob("test_seed*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for name in sorted(names_in(node) & snippets):
                    found.setdefault(name, []).append(node.name)
    yield from found.items()


def names_in(test: ast.FunctionDef) -> set[str]:
    """The texts in a test, f-strings filled with its parameters."""
    nodes = [inner for part in (*test.decorator_list, *test.body) for inner in ast.walk(part)]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            for text in list(texts):
                parts = (part.value if isinstance(part, ast.Constant) else text for part in node.values)
                texts.add("".join(map(str, parts)))
    return texts


PAGES: dict[str, Callable[[], str]] = {
    "providers.md": providers_page,
    "config.md": config_page,
    "seeds.md": seeds_page,
}


def main() -> int:
    if "--write" in sys.argv:
        for name, make in PAGES.items():
            (DOCS / name).write_text(make(), encoding="utf-8")
        return 0
    stale = [name for name, make in PAGES.items() if not is_current(DOCS / name, make())]
    for name in stale:
        print(f"docs/{name} is out of date: run scripts/docs --write", file=sys.stderr)
    return 1 if stale else 0


def is_current(path: Path, page: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == page


if __name__ == "__main__":
    sys.exit(main())
