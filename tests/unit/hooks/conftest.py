import pytest

from litellm.hooks.dispatch import Dispatcher
from litellm.hooks.observers import Callbacks


@pytest.fixture
def dispatcher():
    made = Dispatcher()
    yield made
    assert made.close(10)


@pytest.fixture
def callbacks(dispatcher):
    return Callbacks(dispatcher)
