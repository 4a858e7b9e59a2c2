"""Clients' own configurations (`user_config`), kept so that one sent with every request is read once.

By the digest of what was sent, and apart for each caller: how one client's deployments fare is invisible to another.
Bounded twice, so that memory stays flat whatever is sent.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from litellm import _json
from litellm.exceptions import BadRequestError, text_of
from litellm.net.network import Network
from litellm.proxy.errors import RequestError
from litellm.router.routing import Routing
from litellm.router.state import State

MAX_KEPT = 1024  # configurations
MAX_EACH = 256  # of one caller: all who have the master key are one
MAX_SIZE = 100_000  # bytes; ten deployments have some two thousand


class Known(NamedTuple):
    """A configuration that was read, and the network that its deployments were made for."""

    network: Network
    routing: Routing


class Store:
    """The configurations that were read, by caller and digest."""

    def __init__(self) -> None:
        self._callers: OrderedDict[str, OrderedDict[bytes, Known]] = OrderedDict()
        self._count = 0

    def find(self, caller: str, digest: bytes) -> Known | None:
        """What is known, which counts as used by that."""
        mine = self._callers.get(caller)
        if mine is None or digest not in mine:
            return None
        self._callers.move_to_end(caller)
        mine.move_to_end(digest)
        return mine[digest]

    def put(self, caller: str, digest: bytes, known: Known) -> None:
        mine = self._callers.setdefault(caller, OrderedDict())
        self._count += digest not in mine
        mine[digest] = known
        self._callers.move_to_end(caller)
        self._make_room(mine)

    def _make_room(self, mine: OrderedDict[bytes, Known]) -> None:
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


class UserConfigs:
    """network: how the places in them are reached. store: what outlives a reload."""

    def __init__(self, network: Network, store: Store | None = None) -> None:
        self._network = network
        self.store = store or Store()

    def routing(self, caller: str, config: Mapping[str, Any]) -> Routing:
        """What `config` says, ready for use. Raises RequestError 400 that names what is wrong with it.

        caller: whose it is; the same configuration of another caller is another one.
        """
        sent = _encoded(config)
        digest = sha256(sent).digest()
        known = self.store.find(caller, digest)
        if known is None or known.network != self._network:  # another network: the same limits, but other connections
            known = Known(self._network, self._read(config, known and known.routing.state))
            self.store.put(caller, digest, known)
        return known.routing

    def _read(self, config: Mapping[str, Any], state: State | None) -> Routing:
        from litellm.router.user_config import read_user_config

        try:
            return read_user_config(config, network=self._network, state=state)
        except (BadRequestError, ValueError) as error:
            raise _refused(text_of(error)) from None
        except RecursionError:
            raise _refused("it is nested too deeply") from None


def _encoded(config: Mapping[str, Any]) -> bytes:
    try:
        sent = _json.encode(config)
    except _json.UNWRITABLE as error:
        raise _refused(str(error)) from None
    if len(sent) > MAX_SIZE:
        raise _refused(f"it has {len(sent)} bytes, and may have {MAX_SIZE}")
    return sent


def _refused(why: str) -> RequestError:
    return RequestError(400, f"user_config: {why}", param="user_config")
