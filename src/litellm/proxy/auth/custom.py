"""`general_settings.custom_auth`: a function of the administrator's own that says who is calling.

It is LiteLLM's: `async def user_api_key_auth(request: Request, api_key: str) -> UserAPIKeyAuth | str`. A text is a key to
be looked at in the usual way; whatever it raises keeps the caller out.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from inspect import isawaitable, iscoroutinefunction
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from litellm._containment import contained
from litellm._credentials import mask
from litellm._log import log
from litellm.net.steps import Ask
from litellm.net.transport import AsyncTransport
from litellm.proxy.auth.authenticator import Authenticator, Caller, presented_key
from litellm.proxy.errors import RequestError
from litellm.proxy.hooks.refusals import as_answer
from litellm.proxy.http import Exchange
from litellm.router.regions import parse_region
from litellm.types.hooks import LitellmUserRoles, UserAPIKeyAuth

if TYPE_CHECKING:
    from starlette.requests import Request

Mode = Literal["on", "auto", "off"]
_UNENFORCED = ("max_budget", "soft_budget", "rpm_limit", "tpm_limit", "max_parallel_requests", "expires")


class CustomAuth:
    """Asks `function`. mode "auto": a request that it refuses may still show the master key.

    Raises ImportError without starlette, whose Request such functions are written against.
    """

    def __init__(
        self, function: Callable[..., Any], mode: Mode, authenticator: Authenticator, io: AsyncTransport
    ) -> None:
        try:
            import starlette.requests  # noqa: F401 - better missed at the start than at the first request
        except ImportError as error:
            raise ImportError("custom_auth needs the package starlette: pip install 'litellm[proxy]'") from error
        self._function = function
        self._mode = mode
        self._authenticator = authenticator
        self._io = io
        self._warned = False

    async def admit(self, http: Exchange) -> Caller:
        """The caller. Raises RequestError 401, or with the status of the function's own exception."""
        key = presented_key(http.headers)
        try:
            result = await self._ask(request_of(http), key)
        except BaseException as error:
            refusal = _refusal(contained(error))
            if self._mode == "auto" and self._authenticator.has_key:
                return self._authenticator.admit(http.headers)
            raise refusal from error
        if isinstance(result, str) and self._authenticator.has_key:
            return self._authenticator.admit({b"authorization": b"Bearer " + result.encode()})
        try:
            return self._caller(_known(result, key), key)
        except (TypeError, ValueError) as error:
            log.error("custom_auth: %s", error)
            raise RequestError(401, "Authentication Error, the server's custom_auth gave no usable answer") from error

    async def _ask(self, request: Request, key: str) -> Any:
        # In a thread, if it is no coroutine function: it may block.
        if _is_async(self._function):
            return await self._function(request, key)
        answer = await self._io.perform(Ask(self._function, None, (request, key)))
        return await answer if isawaitable(answer) else answer

    def _caller(self, known: UserAPIKeyAuth, key: str) -> Caller:
        if known.blocked:
            raise RequestError(401, "Authentication Error, this key is blocked")
        unheeded = [name for name in _UNENFORCED if getattr(known, name) is not None]
        if unheeded and not self._warned:
            self._warned = True
            log.warning("custom_auth set %s, which this release does not enforce", ", ".join(unheeded))
        return Caller(
            key_hash=known.api_key or known.token or (sha256(key.encode()).hexdigest() if key else ""),
            is_admin=known.user_role == LitellmUserRoles.PROXY_ADMIN,
            models=tuple(known.models),
            region=parse_region(known.allowed_model_region),
            known=known,
        )


def _known(result: Any, key: str) -> UserAPIKeyAuth:
    """What the function gave, without the key that was shown, which callbacks must not see. Raises
    TypeError for what says nothing about a caller."""
    try:
        known = UserAPIKeyAuth(**result) if isinstance(result, dict) else result
    except ValidationError as error:
        wrong = ", ".join(str(each["loc"][0]) for each in error.errors(include_input=False))
        raise TypeError(f"the dict that it gave is no UserAPIKeyAuth: {wrong}") from None
    if not isinstance(known, UserAPIKeyAuth):
        raise TypeError(
            f"it gave {type(result).__name__}, but must give a UserAPIKeyAuth, or a key where there is a master key"
        )
    if key and key in (known.api_key, known.token):
        digest = sha256(key.encode()).hexdigest()
        return known.model_copy(update={"api_key": digest, "token": digest})
    return known


def _is_async(function: Callable[..., Any]) -> bool:
    return iscoroutinefunction(function) or iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


def request_of(http: Exchange) -> Request:
    """The exchange as the Request that such functions are written against: fastapi's is starlette's."""
    from starlette.requests import Request

    from litellm.server.asgi import scope_of

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": http.body, "more_body": False}

    scope = {**scope_of(http), "headers": http.fields.copy(), "path_params": {}}
    return Request(scope, receive)


def _refusal(error: Exception) -> RequestError:
    """The refusal of a caller: in the function's own words, if its exception was made to say so. A plain `Exception` is,
    which is how LiteLLM's functions refuse; any other class without a status of refusal is a failure, for the log alone."""
    answer = as_answer(error)
    if isinstance(answer, RequestError):
        words = f"Authentication Error, {answer.message}"
        return RequestError(answer.status, words, kind=answer.kind, param=answer.param, headers=answer.headers)
    if type(error) is Exception:
        log.debug("custom_auth refused", exc_info=error)
        return RequestError(401, f"Authentication Error, {mask(str(error))}")
    log.error("custom_auth failed: %s", mask(repr(error)), exc_info=error)
    return RequestError(401, "Authentication Error, the server's custom_auth failed; its log has the details")
