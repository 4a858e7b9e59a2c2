"""Every door opens, and shows the same errors."""

import pytest
from tests.fakes import behaviour as act
from tests.suite.doors import Failure, text_of


def test_every_door_answers(door, up, streamed):
    assert text_of(door.ask(streamed=streamed)) == "Hello from upstream."
    assert up.requests[0].fields["model"] == "m"


def test_every_door_tells_a_failure(door, up, streamed):
    up.next(act.error(400, "No, thanks."))
    with pytest.raises(Failure, match="No, thanks") as told:
        door.ask(streamed=streamed)
    assert told.value.status == 400
    assert len(up.requests) == 1
