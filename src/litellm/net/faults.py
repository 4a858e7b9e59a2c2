"""What breaks on the way to an upstream, raised alike by all transports."""

from __future__ import annotations

from typing import Literal

FaultKind = Literal["connect", "tls", "closed", "protocol", "timeout", "url", "blocked", "busy"]


class TransportFault(Exception):  # noqa: N818 - it is not an error class that users see; the engine translates it
    """The exchange broke before an answer was complete. `kind` says how; the text says what and where."""

    def __init__(self, kind: FaultKind, text: str) -> None:
        super().__init__(text)
        self.kind = kind
