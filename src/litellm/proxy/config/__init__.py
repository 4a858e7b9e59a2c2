"""The config file: read, checked as a whole, and given back as typed values.

    config = load_config("config.yaml")
    config.model_list[0].litellm_params.api_key  # Secret('**********')

All problems are reported at once, by file and line; see `ConfigError`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from litellm.proxy.config.checks import ValidationContext
from litellm.proxy.config.files import user_code
from litellm.proxy.config.groups import groups_in
from litellm.proxy.config.load import Loaded, load_files, locate
from litellm.proxy.config.report import ConfigError, Problem, dotted, in_order
from litellm.proxy.config.schema import (
    ConfigFile,
    CustomProvider,
    DeploymentConfig,
    GeneralSettings,
    GroupAlias,
    LitellmParams,
    LitellmSettings,
    ModelInfo,
    RouterSettings,
)
from litellm.proxy.config.secrets import Secret, hide_credentials, reveal_all, seal_credentials
from litellm.proxy.config.unknown import remove_unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from litellm.proxy.config.report import KeyPath

__all__ = [
    "Config",
    "ConfigError",
    "CustomProvider",
    "DeploymentConfig",
    "GeneralSettings",
    "GroupAlias",
    "LitellmParams",
    "LitellmSettings",
    "ModelInfo",
    "Problem",
    "RouterSettings",
    "Secret",
    "dotted",
    "load_config",
    "reveal_all",
]

if TYPE_CHECKING:
    Examine = Callable[[DeploymentConfig, frozenset[str]], tuple[str, str] | None]

# In place of pydantic's messages that speak of Python types.
_MESSAGES = {
    "dict_type": "Input should be a map",
    "model_type": "Input should be a map",
    "tuple_type": "Input should be a list",
}


@dataclass(frozen=True, slots=True)
class Config:
    """A config file that is fit for use."""

    path: Path
    model_list: tuple[DeploymentConfig, ...]
    litellm_settings: LitellmSettings
    router_settings: RouterSettings
    general_settings: GeneralSettings
    environment_variables: dict[str, Secret]  # exported at the server's start, not by loading
    warnings: tuple[Problem, ...]
    lines: Mapping[KeyPath, tuple[str, int]] = field(default_factory=dict, repr=False)
    """Where each setting stands, for problems that are found later."""

    def place(self, path: KeyPath) -> tuple[str, int | None]:
        """File and line of the setting at `path`, or of the nearest thing above it."""
        return locate(self.lines, path, str(self.path))

    @property
    def groups(self) -> tuple[str, ...]:
        """The names of the model groups, each once, in the file's order."""
        return tuple(dict.fromkeys(deployment.model_name for deployment in self.model_list))


def load_config(
    path: str | os.PathLike[str], *, environ: Mapping[str, str] | None = None, examine: Examine | None = None
) -> Config:
    """Read and check a config file, the files it includes and the Python files it names.

    `os.environ/NAME` is looked up in the file's own environment_variables and in `environ`, which is `os.environ` unless
    given. examine: says what is wrong with a deployment besides its form, so that it is reported with all the rest; it is
    given the deployment and the names of the file's own providers, and gives a key of litellm_params and a sentence.
    Raises `ConfigError`, whose text is the report of all problems, and nothing else.

        try:
            config = load_config("config.yaml")
        except ConfigError as error:
            print(error)  # config.yaml:6: model_list.0.litellm_params.rpm: Input should be a valid integer …
    """
    file = Path(path)
    loaded = load_files(file, os.environ if environ is None else environ)
    meant = remove_unknown(loaded, ConfigFile)
    with user_code(file.parent, loaded.environment) as find_handler:
        groups = groups_in(loaded.data) if loaded.complete else None
        settings = _validated(loaded, ValidationContext(groups, find_handler), meant)
        if examine is not None:
            _examine_deployments(loaded, ValidationContext(groups, find_handler), examine)
        if settings is None or any(problem.severity == "error" for problem in loaded.problems):
            raise ConfigError(loaded.problems)
    return Config(
        path=file,
        model_list=settings.model_list,
        litellm_settings=settings.litellm_settings,
        router_settings=settings.router_settings,
        general_settings=settings.general_settings,
        environment_variables=settings.environment_variables,
        warnings=in_order(loaded.problems),
        lines=loaded.lines,
    )


def _examine_deployments(loaded: Loaded, context: ValidationContext, examine: Examine) -> None:
    """Ask about each deployment that is well-formed, also when others are not."""
    entries, providers = loaded.data.get("model_list"), loaded.data.get("litellm_settings")
    mapped = providers.get("custom_provider_map") if isinstance(providers, dict) else None
    provider_names = {entry.get("provider") for entry in mapped or () if isinstance(entry, dict)}
    for at, entry in enumerate(entries if isinstance(entries, list) else ()):
        try:
            deployment = DeploymentConfig.model_validate(entry, context=context)
        except ValidationError:
            continue
        found = examine(deployment, frozenset(map(str, provider_names)))
        if found is not None:
            loaded.report(("model_list", at, "litellm_params", found[0]), found[1])


def _validated(loaded: Loaded, context: ValidationContext, meant: set[KeyPath]) -> ConfigFile | None:
    """The settings, or None after reporting what is wrong with them; never what the faulty values are."""
    reported = {
        (problem.file, problem.line, problem.path) for problem in loaded.problems if problem.severity == "error"
    }
    try:
        return ConfigFile.model_validate(loaded.data, context=context)
    except ValidationError as invalid:
        for error in invalid.errors(include_url=False, include_context=False, include_input=False):
            path = tuple(part for part in error["loc"] if part != "[key]")
            if path in meant or (*loaded.place(path), dotted(path)) in reported:
                continue
            what = _MESSAGES.get(error["type"], error["msg"])
            if error["type"] == "handler":  # may quote an exception of the user's own code
                exported = seal_credentials(loaded.environment, credential=True)
                what = hide_credentials(what, [loaded.data, exported])
            loaded.report(path, what)
    return None
