"""What is written to stderr: a line for each record, whatever is quoted in it."""

import io
import json
import logging
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.fakes import behaviour as act
from tests.fakes.upstream import Upstream

import litellm
from litellm import _log

FORGED = "x\n2026-01-01 00:00:00,000 CRITICAL LiteLLM: FORGED \x1b[2J"
KEY = "sk-" + "abcdefghijkl" * 4


@pytest.fixture(autouse=True)
def silent_again():
    """What a test turned on is turned off, for the sake of those that come after it."""
    before, level = list(_log.log.handlers), _log.log.level
    yield
    _log.log.handlers[:] = before
    _log.log.setLevel(level)


@pytest.fixture(params=[False, True], ids=["text", "JSON"])
def as_json(request):
    return request.param


def written(say, *, as_json: bool = False) -> str:
    """What `say` has put on stderr."""
    _log.log.handlers[:] = []
    stderr, sys.stderr = sys.stderr, io.StringIO()
    try:
        _log.turn_on(logging.DEBUG, as_json=as_json)
        say()
        return sys.stderr.getvalue()
    finally:
        sys.stderr = stderr


def fail(text: str) -> None:
    try:
        raise ValueError(text)
    except ValueError:
        _log.log.exception("it failed: %s", "badly")


@given(st.text())
def test_a_record_is_one_line(text):
    """With every control character shown, and no other than the one at its end."""
    lines = written(lambda: _log.log.warning("said: %s", text))
    assert lines.endswith("\n")
    assert lines[:-1].isprintable()
    assert lines.splitlines() == [lines[:-1]]


@given(st.text())
def test_a_record_is_one_json_object(text):
    (line,) = written(lambda: _log.log.warning("said: %s", text), as_json=True).split("\n")[:-1]
    assert json.loads(line)["message"] == f"said: {text}"


@given(st.text())
@example("a\x9b2J\u2028b\x7f\U000e0001")
def test_a_json_line_steers_no_terminal_and_no_reader_of_lines(text):
    """With the controls escaped, beyond those that JSON would have escaped by itself."""
    line = written(lambda: _log.log.warning("said: %s", text), as_json=True).removesuffix("\n")
    assert line.isprintable()
    assert json.loads(line)["message"] == f"said: {text}"


@given(st.text())
def test_no_line_of_a_traceback_passes_for_a_record(text):
    lines = written(lambda: fail(f"{FORGED}{text}")).splitlines()
    assert "it failed: badly" in lines[0]
    assert lines[1] == "    Traceback (most recent call last):"
    assert all(line.startswith("    ") and line.isprintable() for line in lines[1:])
    assert any(line.startswith("    ValueError: x") for line in lines)


def test_a_traceback_stays_readable():
    lines = written(lambda: fail("as it was")).splitlines()
    assert lines[-1] == "    ValueError: as it was"
    assert any(line.strip().startswith("raise ValueError") for line in lines)


@pytest.mark.parametrize("say", [lambda text: _log.log.warning("said: %s", text), fail], ids=["a message", "an error"])
@pytest.mark.parametrize("text", ["x" * 3_000_000, "x\n" * 1_000_000, FORGED * 30_000], ids=["long", "lines", "forged"])
def test_a_record_is_an_excerpt_of_what_is_long(text, say, as_json):
    told = written(lambda: say(text), as_json=as_json)
    assert len(told) < 60_000
    assert str(len(text))[:3] in told, "it says how long it was"


def test_a_key_is_masked_also_where_a_message_is_cut(as_json):
    for before in range(_log.MAX_LENGTH - len(KEY), _log.MAX_LENGTH + 1):
        assert "abcdefghijkl" not in written(lambda at=before: _log.log.warning("x" * at + " " + KEY), as_json=as_json)


def test_an_upstream_cannot_write_the_log():
    """Neither other records nor the screen, nor as much as it likes."""
    with Upstream() as up:
        up.default = act.events([{"error": {"message": FORGED + "y" * 100_000, "type": "server_error"}}])

        def ask() -> None:
            with pytest.raises(litellm.exceptions.LiteLLMError) as raised:
                list(litellm.completion("openai/m", [], api_base=up.base, api_key="k", stream=True, num_retries=0))
            _log.log.warning("a stream broke: %s", raised.value)

        lines = written(ask).splitlines()
    assert [line for line in lines if line.startswith("2026-01-01")] == []
    assert all(line.isprintable() and len(line) < 2 * _log.MAX_LENGTH for line in lines)
