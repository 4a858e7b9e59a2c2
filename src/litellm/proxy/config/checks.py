"""What pydantic does not check by itself: quoted numbers, group names that must exist, handlers that must import.

Two of the checks need to know more than the value. They find it in the validation context, `ValidationContext`; without one
(a schema used on its own) they let everything pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from litellm.hooks.observers import BUILT_IN, METHODS
from litellm.proxy.config.files import HandlerError
from litellm.proxy.config.load import EnvText
from litellm.proxy.config.report import did_you_mean
from litellm.proxy.config.secrets import Secret, seal_credentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from litellm.proxy.config.groups import Groups


@dataclass(frozen=True, slots=True)
class ValidationContext:
    """What a value is checked against."""

    groups: Groups | None  # None: not known, so nothing can be said against a name
    find_handler: Callable[[str], object]


def _context(info: ValidationInfo) -> ValidationContext:
    return (
        info.context
        if isinstance(info.context, ValidationContext)
        else ValidationContext(None, lambda reference: reference)
    )


def not_quoted(kind: str) -> Callable[[Any], Any]:
    """A check that refuses `"10"` and `true` as numbers, which pydantic would take; the environment has only texts."""

    def check(value: Any) -> Any:
        if isinstance(value, bool):
            raise PydanticCustomError("not_a_number", "Input should be a valid {kind}", {"kind": kind})
        # `1e-6` is a text to YAML 1.1, which wants a dot in it.
        written = isinstance(value, str) and not isinstance(value, EnvText) and "e" not in value.lower()
        if written and _is_number(value):
            raise PydanticCustomError("quoted_number", "Input should be a valid {kind}, without quotes", {"kind": kind})
        return value

    return check


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def one_message(text: str) -> WrapValidator:
    """One sentence for a union, of which pydantic would tell what each member has against the value."""

    def validate(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValidationError:
            raise PydanticCustomError("union", "{text}", {"text": text}) from None

    return WrapValidator(validate)


def unique(attribute: str) -> AfterValidator:
    """No two entries of a list with the same `attribute`, such as `model_info.id`: one would hide the other."""

    def check(entries: tuple[Any, ...]) -> tuple[Any, ...]:
        first: dict[str, int] = {}
        for index, entry in enumerate(entries):
            name = attrgetter(attribute)(entry)
            if name is not None and first.setdefault(name, index) != index:
                places = {"first": first[name], "second": index, "attribute": attribute}
                raise PydanticCustomError(
                    "not_unique", "entries {first} and {second} have the same {attribute}", places
                )
        return entries

    return AfterValidator(check)


def _known_group(name: str, info: ValidationInfo) -> str:
    groups = _context(info).groups
    if groups is not None and name not in groups:
        hint = did_you_mean(name, groups.names)
        raise PydanticCustomError("unknown_group", "no such group in model_list{hint}", {"hint": hint})
    return name


def _known_source(name: str, info: ValidationInfo) -> str:
    groups = _context(info).groups
    return name if groups is not None and groups.has_source(name) else _known_group(name, info)


def _known_target(target: str | dict[str, Any], info: ValidationInfo) -> Any:
    name = target if isinstance(target, str) else target.get("model")
    if isinstance(name, str):
        _known_group(name, info)
    return seal_credentials(target)


def _import(reference: Any, info: ValidationInfo) -> Any:
    if not isinstance(reference, str):
        raise PydanticCustomError("string_type", "Input should be a valid string")
    try:
        return _context(info).find_handler(str(reference))
    except HandlerError as error:
        raise PydanticCustomError("handler", "{why}", {"why": str(error)}) from None


def _callback(reference: Any, info: ValidationInfo) -> Any:
    """An object beside the config file, or the name of a callback that we bring along."""
    if isinstance(reference, str) and "." not in reference:
        if reference not in BUILT_IN:
            hint = did_you_mean(reference, BUILT_IN)
            raise PydanticCustomError(
                "unknown_callback",
                "no callback of that name; write file.object for one of your own{hint}",
                {"hint": hint},
            )
        return str(reference)
    found = _import(reference, info)
    if not callable(found) and not _is_logger(found) and found != reference:
        raise PydanticCustomError("callback", "not a callback: name a function, or an instance of a CustomLogger")
    return found


def _is_logger(found: object) -> bool:
    """Whether it has a method of a logger's."""
    return any(callable(getattr(found, name, None)) for methods in METHODS.values() for name, _, _ in methods)


def _function(reference: Any, info: ValidationInfo) -> Any:
    found = _import(reference, info)
    if not callable(found) and found != reference:  # the same: it was not looked up
        raise PydanticCustomError("function", "not a function")
    return found


def _exportable(value: Secret) -> Secret:
    if "\0" in value.get_secret_value():
        raise PydanticCustomError("environment", "not a text that an environment variable can hold")
    return value


GroupName = Annotated[str, AfterValidator(_known_group)]
FallbackSource = Annotated[str, AfterValidator(_known_source)]
FallbackTarget = Annotated[
    str | dict[str, Any],
    one_message("Input should be the name of a group, or a map of overrides"),
    AfterValidator(_known_target),
]
Handler = Annotated[Any, AfterValidator(_import)]
Function = Annotated[Any, AfterValidator(_function)]
Callback = Annotated[Any, AfterValidator(_callback)]
EnvName = Annotated[str, Field(pattern=r"^[^=\x00]+$")]
EnvValue = Annotated[Secret, AfterValidator(_exportable)]
AnyMasked = Annotated[Any, AfterValidator(seal_credentials)]
MapMasked = Annotated[dict[str, Any], AfterValidator(seal_credentials)]
