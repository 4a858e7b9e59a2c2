"""What all public objects have in common: attributes, items, `get`, and every field that an upstream sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict

# Types of leaves: what they are by contract, taken at run time as they come. An answer is not thrown away because an
# upstream wrote `created` as a string, and nothing warns when it is dumped again.
if TYPE_CHECKING:
    Text = str
    Integer = int
    Number = int | float
else:
    Text = Integer = Number = Any


class OpenAIObject(BaseModel):
    """A pydantic object that can also be read like a mapping. Fields it does not know are kept.

    A missing name raises AttributeError in both spellings, which is what LiteLLM's users test for.
    """

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """The object for what an upstream sent. Unlike the constructor it takes no word of `data` for one of its own."""
        made: Self = cls.__pydantic_validator__.validate_python(data, self_instance=cls.__new__(cls))
        return made

    def __getitem__(self, key: str) -> Any:
        return getattr(self, key)

    def get(self, key: str, default: Any = None) -> Any:
        return getattr(self, key, default)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and hasattr(self, key)

    def __str__(self) -> str:
        return repr(self)

    def keys(self) -> Iterator[str]:
        yield from (key for key, _ in self)

    def json(self, **options: Any) -> dict[str, Any]:  # type: ignore[override]  # LiteLLM's json() is a dict
        return self.model_dump(**options)

    def to_dict(self, **options: Any) -> dict[str, Any]:
        return self.model_dump(**options)

    def dict(self, **options: Any) -> dict[str, Any]:  # last, for below it `dict` is this method
        return self.model_dump(**options)
