"""What dialects see of a call, with the clock and the ids that they have none of themselves."""

from __future__ import annotations

import time
import uuid
from functools import partial

from litellm.wire.protocol import Outgoing


def new_id() -> str:
    """An id that nobody else has."""
    return str(uuid.uuid4())


# outgoing("model", body, stream=…, show_usage=…)
outgoing = partial(Outgoing, now=time.time, new_id=new_id)
