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
from litellm.net.network import Network
from litellm.proxy.errors import RequestError
from litellm.router.routing import Routing

MAX_KEPT = 1024  # configurations
MAX_EACH = 256  # of one caller: where all have the master key, everybody is one
MAX_SIZE = 100_000  # bytes; ten deployments have some two thousand
_NONE: OrderedDict[bytes, Routing] = OrderedDict()


class UserConfigs:
    """network: how the places in them are reached."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._callers: OrderedDict[str, OrderedDict[bytes, Routing]] = OrderedDict()
        self._count = 0

    def routing(self, caller: str, config: Mapping[str, Any]) -> Routing:
        """What `config` says, ready for use. Raises RequestError 400 that names what is wrong with it.

        caller: whose it is; the same configuration of somebody else is another one.
        """
        sent = _encoded(config)
        digest = sha256(sent).digest()
        mine = self._callers.get(caller, _NONE)
        if digest not in mine:
            routing = self._read(config)
            mine = self._callers.setdefault(caller, OrderedDict())
            mine[digest] = routing
            self._count += 1
            self._make_room(mine)
        self._callers.move_to_end(caller)
        mine.move_to_end(digest)
        return mine[digest]

    def _make_room(self, mine: OrderedDict[bytes, Routing]) -> None:
        """Forget what was not asked for the longest: of this caller, then of the one who was away the longest."""
        while len(mine) > MAX_EACH:
            mine.popitem(last=False)
            self._count -= 1
        while self._count > MAX_KEPT:
            caller, theirs = next(iter(self._callers.items()))
            theirs.popitem(last=False)
            self._count -= 1
            if not theirs:
                del self._callers[caller]

    def _read(self, config: Mapping[str, Any]) -> Routing:
        from litellm.router.user_config import read_user_config

        try:
            return read_user_config(config, network=self._network)
        except (BadRequestError, ValueError) as error:
            raise _refused(str(error).removeprefix("litellm.BadRequestError: ")) from None
        except RecursionError:
            raise _refused("it is nested too deeply") from None


def _encoded(config: Mapping[str, Any]) -> bytes:
    sent = _json.encode(config)
    if len(sent) > MAX_SIZE:
        raise _refused(f"it has {len(sent)} bytes, and may have {MAX_SIZE}")
    return sent


def _refused(why: str) -> RequestError:
    return RequestError(400, f"user_config: {why}", param="user_config")
