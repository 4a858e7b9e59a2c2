"""Makes an Outgoing, what dialects see of a call, with a clock and a maker of ids."""

from __future__ import annotations

import time
import uuid
from functools import partial

from litellm.wire.protocol import Outgoing


def new_id() -> str:
    """A unique id."""
    return str(uuid.uuid4())


# outgoing("model", body, stream=…, show_usage=…)
outgoing = partial(Outgoing, now=time.time, new_id=new_id)
