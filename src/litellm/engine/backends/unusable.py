"""A backend that cannot be asked: a deployment says what it lacks when it is its turn, so that others are served."""

from __future__ import annotations

import copy

from litellm.engine.call import Answer, Call
from litellm.engine.opened import Opened
from litellm.net.messages import Timeouts
from litellm.net.steps import Flow
from litellm.providers.target import Target


def attempt(call: Call, target: Target, timeouts: Timeouts) -> Flow[Answer | Opened]:  # noqa: ARG001 - the signature of all backends
    """Raise why, in a copy: what is raised gathers the traces of its call."""
    raise copy.copy(target.backend.error)  # type: ignore[union-attr]  # by which this was picked
