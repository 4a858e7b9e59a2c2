"""Playing an upstream: its answers come from a script, by the way that a network's take, so that what works with them works
there."""

from __future__ import annotations

from litellm.engine import mock, mock_models
from litellm.engine.call import Call
from litellm.net.messages import Script, Timeouts
from litellm.providers.backend import Mock
from litellm.providers.rekey import with_mock
from litellm.providers.target import Target
from litellm.wire.protocol import Outgoing


def play(call: Call, target: Target, out: Outgoing) -> Script:
    """What is answered to a request: the target's mock, or what its model does, where `mock/` has one of that name."""
    mock_spec = target.backend.mock  # type: ignore[union-attr]  # by which this was picked
    return mock_models.played(target, out) if mock_spec is None else mock.scripted(call, target, mock_spec)


def mocked(mock_spec: Mock, call: Call, target: Target, timeouts: Timeouts) -> Target:  # noqa: ARG001 - the signature of a Retarget
    """`partial(mocked, mock_spec)` is a Retarget that has any target answer with that."""
    return with_mock(target, mock_spec)
