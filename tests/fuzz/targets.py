"""All targets, by name."""

from tests.fuzz.requests import REQUESTS
from tests.fuzz.responses import ANSWERS, EVENTS, ZIPPED

TARGETS = {"response": ANSWERS, "unzip": ZIPPED, "sse": EVENTS, "request": REQUESTS}
