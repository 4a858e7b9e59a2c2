"""Reading the configuration again while the old one serves."""

from __future__ import annotations

from collections.abc import Callable

from litellm._log import log, report
from litellm.proxy.config import ConfigError
from litellm.proxy.state import Proxy

# Gives the Proxy of the configuration as it is now, from the one in use. Raises ConfigError for one that is no good.
Reload = Callable[[Proxy | None], Proxy]


def reloaded(reload: Reload, before: Proxy | None = None) -> Proxy | None:
    """The Proxy of the configuration as it is now; None, and a line in the log, for one that is no good."""
    try:
        return reload(before)
    except ConfigError as error:
        report("not reloaded; the configuration in use serves on:", str(error))
    except Exception:  # noqa: BLE001 - whatever a file of the user's raises must not end the server
        log.exception("not reloaded; the configuration in use serves on")
    return None
