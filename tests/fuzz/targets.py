"""All targets, by name."""

from importlib.util import find_spec

from tests.fuzz.responses import ANSWERS, EVENTS, ZIPPED

TARGETS = {"response": ANSWERS, "unzip": ZIPPED, "sse": EVENTS}
if find_spec("litellm.server") is not None:
    from tests.fuzz.requests import REQUESTS

    TARGETS["request"] = REQUESTS
