"""Text that must not be seen: a type that shows `**********` wherever it ends up by accident."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NoReturn, SupportsIndex

from pydantic_core import CoreSchema, PydanticCustomError, SchemaSerializer, core_schema

from litellm._credentials import names_credential

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler

MASK: Final = "**********"
_WORTH_HIDING: Final = 6  # shorter ones turn up in ordinary words

_AS_TEXT = core_schema.to_string_ser_schema(when_used="json")


class Secret:
    """A text that masks itself in `str`, `repr`, `format` and JSON, and refuses to be pickled.

    >>> key = Secret("sk-1234")
    >>> print(f"{key} {key!r} {key == Secret('sk-1234')} {key.fingerprint()} {key.reveal()}")
    ********** Secret('**********') True 88dc28d0 sk-1234

    As the type of a pydantic field it takes text and nothing else. An empty one is false, as an empty text is.
    """

    __slots__ = ("_text",)

    # Where the field's type is Any, as in a free-form map, pydantic asks the value itself how to write it as JSON.
    __pydantic_serializer__ = SchemaSerializer(core_schema.any_schema(serialization=_AS_TEXT))

    def __init__(self, text: str) -> None:
        self._text = str(text)  # a plain str, also when a subclass of it comes in

    def reveal(self) -> str:
        """The text itself. Call this where it is put to use, and nowhere earlier."""
        return self._text

    def fingerprint(self) -> str:
        """Eight hex digits that tell two secrets apart in a message without giving either away."""
        return sha256(self._bytes()).hexdigest()[:8]

    def _bytes(self) -> bytes:
        # surrogatepass: environment variables may hold bytes that are no UTF-8, and comparing them must not fail.
        return self._text.encode("utf-8", "surrogatepass")

    def __eq__(self, other: object) -> bool:
        """Compare in constant time, so that a master key cannot be guessed letter by letter."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._bytes(), other._bytes())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __bool__(self) -> bool:
        return bool(self._text)

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self  # immutable; also spares deepcopy the pickling that is refused below

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a Secret cannot be pickled; pass the config file's path and load it there")

    @classmethod
    def _from_input(cls, value: object) -> Secret:
        if isinstance(value, Secret):
            return value
        if isinstance(value, str):
            return cls(value)
        raise PydanticCustomError("string_type", "Input should be a valid string (put quotes around it)")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(cls._from_input, serialization=_AS_TEXT)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "format": "password", "writeOnly": True}


def mask_credentials(value: Any, *, credential: bool = False) -> Any:
    """A copy of free-form settings in which each text under a credential's name is a `Secret`.

    >>> mask_credentials({"region": "eu", "client_secret": "hush", "nested": [{"token": "t"}]})
    {'region': 'eu', 'client_secret': Secret('**********'), 'nested': [{'token': Secret('**********')}]}
    """
    match value:
        case str():
            return Secret(value) if credential else str(value)
        case dict():
            return {
                key: mask_credentials(item, credential=credential or names_credential(key))
                for key, item in value.items()
            }
        case list() | tuple():
            return [mask_credentials(item, credential=credential) for item in value]
    return value


def reveal_all(value: Any) -> Any:
    """The opposite of `mask_credentials`: a copy with plain texts, for the code that talks to the provider.

    >>> reveal_all({"client_secret": Secret("hush"), "retries": [1, 2]})
    {'client_secret': 'hush', 'retries': [1, 2]}
    """
    match value:
        case Secret():
            return value.reveal()
        case dict():
            return {key: reveal_all(item) for key, item in value.items()}
        case list() | tuple():
            return [reveal_all(item) for item in value]
    return value


def hide_credentials(text: str, settings: Any) -> str:
    """Mask in `text`, which somebody else wrote, every credential that `settings` hold.

    >>> hide_credentials("bad key sk-1234!", {"model_list": [{"api_key": "sk-1234"}]})
    'bad key **********!'
    """
    match settings:
        case Secret() if len(settings.reveal()) >= _WORTH_HIDING:
            return text.replace(settings.reveal(), MASK)
        case dict() | list():
            for item in mask_credentials(settings).values() if isinstance(settings, dict) else settings:
                text = hide_credentials(text, item)
    return text
