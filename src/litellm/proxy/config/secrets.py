"""Text that must not be seen: a type that shows `**********` wherever it ends up by accident."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, Final, NoReturn, SupportsIndex

from pydantic import SecretStr
from pydantic_core import CoreSchema, core_schema

from litellm._credentials import hide, names_credential, spellings

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler

_NOT_TEXT: Final = "Input should be a valid string (put quotes around it)"


class Secret(SecretStr):
    """pydantic's SecretStr, which cannot be pickled: a pickle ends up on disks and in queues.

    >>> key = Secret("sk-1234")
    >>> print(f"{key} {key!r} {key == Secret('sk-1234')} {key.get_secret_value()}")
    ********** Secret('**********') True sk-1234
    """

    def __eq__(self, other: object) -> bool:
        """Compare in constant time, so that a master key cannot be guessed letter by letter."""
        return isinstance(other, Secret) and hmac.compare_digest(self._bytes(), other._bytes())

    __hash__ = SecretStr.__hash__

    def _bytes(self) -> bytes:
        # surrogatepass: environment variables may hold bytes that are no UTF-8, and comparing them must not fail.
        return self.get_secret_value().encode("utf-8", "surrogatepass")

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self  # immutable, and a copy is made by way of the pickling that is refused below

    def __copy__(self) -> Secret:
        return self

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a Secret cannot be pickled; pass the config file's path and load it there")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = super().__get_pydantic_core_schema__(source, handler)
        return core_schema.custom_error_schema(schema, "secret_type", custom_error_message=_NOT_TEXT)


def seal_credentials(value: Any, *, credential: bool = False) -> Any:
    """A copy of free-form settings in which each text under a credential's name is a `Secret`.

    >>> seal_credentials({"region": "eu", "client_secret": "hush", "nested": [{"token": "t"}]})
    {'region': 'eu', 'client_secret': Secret('**********'), 'nested': [{'token': Secret('**********')}]}
    """
    match value:
        case str():
            return Secret(value) if credential else str(value)
        case dict():
            return {
                key: seal_credentials(item, credential=credential or names_credential(key))
                for key, item in value.items()
            }
        case list() | tuple():
            return [seal_credentials(item, credential=credential) for item in value]
    return value


def reveal_all(value: Any) -> Any:
    """The opposite of `seal_credentials`: a copy with plain texts, for the code that talks to the provider.

    >>> reveal_all({"client_secret": Secret("hush"), "retries": [1, 2]})
    {'client_secret': 'hush', 'retries': [1, 2]}
    """
    match value:
        case Secret():
            return value.get_secret_value()
        case dict():
            return {key: reveal_all(item) for key, item in value.items()}
        case list() | tuple():
            return [reveal_all(item) for item in value]
    return value


def hide_credentials(text: str, settings: Any) -> str:
    """Mask in `text`, such as an exception's, every credential that `settings` hold, in all its spellings.

    >>> hide_credentials("bad key sk-1234!", {"model_list": [{"api_key": "sk-1234"}]})
    'bad key **********!'
    """
    match settings:
        case Secret():
            return hide(text, spellings(settings.get_secret_value()))
        case dict() | list():
            for item in seal_credentials(settings).values() if isinstance(settings, dict) else settings:
                text = hide_credentials(text, item)
    return text
