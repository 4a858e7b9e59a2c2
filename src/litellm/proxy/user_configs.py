"""Clients' own configurations (`user_config`), kept so that one sent with every request is read once.

By the digest of what was sent, and apart for each caller: how one client's deployments fare is invisible to another (C14).
Bounded twice, so that memory stays flat whatever is sent (C13).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from litellm import _json
from litellm.exceptions import BadRequestError
from litellm.net.tls import Network
from litellm.proxy.errors import RequestError
from litellm.router.routing import Routing

MAX_CALLERS = 128
MAX_EACH = 8  # configurations of one caller
MAX_SIZE = 100_000  # bytes; ten deployments have some two thousand


class UserConfigs:
    """network: how the places in them are reached."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._callers: OrderedDict[str, OrderedDict[bytes, Routing]] = OrderedDict()

    def routing(self, caller: str, config: Mapping[str, Any]) -> Routing:
        """What `config` says, ready for use. Raises RequestError 400 that names what is wrong with it.

        caller: whose it is; the same configuration of somebody else is another one.
        """
        mine = self._callers.setdefault(caller, OrderedDict())
        self._callers.move_to_end(caller)
        if len(self._callers) > MAX_CALLERS:
            self._callers.popitem(last=False)
        sent = _json.encode(config)
        digest = sha256(sent).digest()
        if digest not in mine:
            mine[digest] = self._read(config, len(sent))
            if len(mine) > MAX_EACH:
                mine.popitem(last=False)
        mine.move_to_end(digest)
        return mine[digest]

    def _read(self, config: Mapping[str, Any], size: int) -> Routing:
        from litellm.router.user_config import read_user_config

        try:
            if size > MAX_SIZE:
                raise ValueError(f"it has {size} bytes, and may have {MAX_SIZE}")
            return read_user_config(config, network=self._network)
        except (BadRequestError, ValueError) as error:
            raise _refused(str(error).removeprefix("litellm.BadRequestError: ")) from None
        except RecursionError:
            raise _refused("it is nested too deeply") from None


def _refused(why: str) -> RequestError:
    return RequestError(400, f"user_config: {why}", param="user_config")
