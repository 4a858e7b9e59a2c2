"""Whether an idle connection has become readable: by unsolicited bytes, or by its end."""

from __future__ import annotations

import select
from collections.abc import Callable
from functools import partial


def watch(descriptor: int) -> Callable[[], object]:
    """A function that says (by a true value) whether `descriptor` can be read from now.

    It asks the system, which takes a microsecond, and not an event loop, which may not have come round since the last use:
    in a notebook it stands still between two calls.
    """
    if not hasattr(select, "poll"):  # Windows
        return lambda: select.select([descriptor], [], [], 0)[0]
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return partial(poll.poll, 0)
