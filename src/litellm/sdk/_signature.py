"""What help() and inspect show of the calls: their parameters by name.

Type checkers see **params: Any, because unknown names are allowed and no type can say so.
"""

from __future__ import annotations

import inspect
from typing import Any

from litellm.types.params import ControlParams
from litellm.types.router_words import types_of, words_of


def set_signature(function: Any, params: type) -> None:
    """Let `function`, which takes **params, show the names in `params` and those that steer any call."""
    signature = inspect.signature(function)
    *named, keywords = signature.parameters.values()
    given = {parameter.name for parameter in named}
    keyword_only = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in {**params.__annotations__, **ControlParams.__annotations__}.items()
        if name not in given
    ]
    function.__signature__ = signature.replace(parameters=[*named, *keyword_only, keywords])


def set_words_signature(function: Any, params: type) -> None:
    """Let `function`, which takes **words, show those that `params` of types/router_words.py declares, with defaults."""
    signature = inspect.signature(function)
    *named, _ = signature.parameters.values()
    types = types_of(params)
    keyword_only = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=word.default, annotation=types[name])
        for name, word in words_of(params).items()
    ]
    function.__signature__ = signature.replace(parameters=[*named, *keyword_only])
