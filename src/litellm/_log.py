"""The one logger, silent until somebody asks: a library prints nothing."""

from __future__ import annotations

import json
import logging
import sys

from litellm._credentials import mask

log = logging.getLogger("LiteLLM")
log.addHandler(logging.NullHandler())


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
