"""The one logger, silent until it is turned on: a library prints nothing."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable

from litellm._credentials import mask

log = logging.getLogger("LiteLLM")
log.addHandler(logging.NullHandler())


MAX_LENGTH = 2_000  # characters of a message that are shown; what upstreams and clients say has no end otherwise
MAX_TRACE = 20_000  # of a traceback: half from its beginning, half from its end


class _TextFormatter(logging.Formatter):
    """One line for each record, whatever is quoted in it; the lines of a traceback follow it indented, so that none of
    them can pass for a record."""

    def format(self, record: logging.LogRecord) -> str:
        head = f"{self.formatTime(record)} {record.levelname} {record.name}: {_visible(_excerpt(record.getMessage()))}"
        return "\n    ".join([head, *map(_visible, self.trace(record))])

    def trace(self, record: logging.LogRecord) -> list[str]:
        """The lines of the record's traceback, if it has one."""
        text = self.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else ""
        return mask(_shortened(text)).split("\n") if text else []


class _JSONFormatter(_TextFormatter):
    """One JSON object per line, for log collectors; controls of terminals and lines are escapes in it too."""

    def format(self, record: logging.LogRecord) -> str:
        message = "\n".join([_excerpt(record.getMessage()), *self.trace(record)])
        fields = {"timestamp": self.formatTime(record), "level": record.levelname, "message": message}
        return _printable(json.dumps(fields, ensure_ascii=False), lambda each: json.dumps(each)[1:-1])


def _excerpt(text: str) -> str:
    """The beginning of a message, masked. It is cut once more before, since masking looks at all of it."""
    shown = mask(text[: 2 * MAX_LENGTH])
    return shown if len(text) <= MAX_LENGTH else f"{shown[:MAX_LENGTH]}… ({len(text)} characters)"


def _shortened(text: str) -> str:
    if len(text) <= MAX_TRACE:
        return text
    return f"{text[: MAX_TRACE // 2]}… ({len(text)} characters) …{text[-MAX_TRACE // 2 :]}"


def _visible(text: str) -> str:
    r"""`text` on one line, its control characters as escapes.

    >>> _visible("a\nb\x1b[2J é")
    'a\\nb\\x1b[2J é'
    """
    return _printable(text, lambda each: each.encode("unicode_escape").decode())


def _printable(text: str, escape: Callable[[str], str]) -> str:
    """`text`, with an escape for each character that would not be shown."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else escape(each) for each in text)


def report(title: str, lines: str) -> None:
    """Log an error that we explain in several lines: each is a record."""
    for line in (title, *lines.splitlines()):
        log.error("%s", line)


def turn_on(level: int = logging.DEBUG, *, as_json: bool = False) -> None:
    """Send our log lines from `level` up to stderr. Asked for twice, it still prints once."""
    log.setLevel(level)
    if not any(isinstance(handler.formatter, _TextFormatter) for handler in log.handlers):
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_JSONFormatter() if as_json else _TextFormatter())
        log.addHandler(handler)
