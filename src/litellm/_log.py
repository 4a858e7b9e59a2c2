"""The one logger, silent until somebody asks: a library prints nothing."""

from __future__ import annotations

import json
import logging
import re
import sys

log = logging.getLogger("LiteLLM")
log.addHandler(logging.NullHandler())

# What keys look like in the wild; used where text that we did not write (an upstream's error) is shown to people.
_SECRETS = re.compile(r"\b(?:sk|pk|gsk|xai|hf|r8|nvapi|AIza|Bearer )[-_ ]?[A-Za-z0-9._\-]{11,}[A-Za-z0-9_\-]")


def mask(text: str, *secrets: str) -> str:
    """Replace `secrets`, and whatever looks like a key, in `text`.

    >>> mask("Incorrect API key provided: sk-abcdefghijklmnop.")
    'Incorrect API key provided: **********.'
    """
    for secret in secrets:
        if len(secret) > 3:
            text = text.replace(secret, "**********")
    return _SECRETS.sub("**********", text)


class _MaskingFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))


class _JSONFormatter(_MaskingFormatter):
    """One JSON object per line, for log collectors."""

    def format(self, record: logging.LogRecord) -> str:
        told = {"timestamp": self.formatTime(record), "level": record.levelname, "message": super().format(record)}
        return json.dumps(told, ensure_ascii=False)


def turn_on(level: int = logging.DEBUG, *, as_json: bool = False) -> None:
    """Send our log lines from `level` up to stderr. Asked for twice, it still prints once."""
    log.setLevel(level)
    if not any(isinstance(handler.formatter, _MaskingFormatter) for handler in log.handlers):
        handler = logging.StreamHandler(sys.stderr)
        text = _MaskingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
        handler.setFormatter(_JSONFormatter("%(message)s") if as_json else text)
        log.addHandler(handler)
