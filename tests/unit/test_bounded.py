"""A Bounded never holds more than its maximum, however it is filled, and forgets by age."""

import copy
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm._bounded import Bounded


@given(st.integers(1, 5), st.lists(st.integers(0, 9)))
def test_it_holds_the_youngest(maximum, keys):
    """In the order in which they came; what is put in again keeps its age."""
    bounded, model = Bounded(maximum), []
    for number, key in enumerate(keys):
        bounded[key] = number
        if key not in model:
            model = [*model, key][-maximum:]
        assert list(bounded) == model
        assert bounded[key] == number


@pytest.mark.parametrize(
    "put",
    [
        lambda bounded, key: bounded.update({key: 1}), lambda bounded, key: bounded.setdefault(key, 1),
        lambda bounded, key: bounded.update([(key, 1)]), lambda bounded, key: bounded.__setitem__(key, 1),
    ],
)  # fmt: skip
def test_there_is_no_way_past_its_maximum(put):
    bounded = Bounded(3)
    for key in range(30):
        put(bounded, key)
    assert list(bounded) == [27, 28, 29]


def test_what_is_forgotten_can_be_closed():
    closed = []
    bounded = Bounded(2, forget=closed.append)
    bounded.update(a=1, b=2, c=3)
    bounded["b"] = 4
    assert (closed, bounded) == ([1], {"b": 4, "c": 3})


def test_setdefault_keeps_what_is_there():
    bounded = Bounded(2)
    bounded["a"] = 1
    assert (bounded.setdefault("a", 2), bounded.setdefault("b", 3)) == (1, 3)


def test_a_copy_is_a_dict_of_the_same_entries():
    bounded = Bounded(2)
    bounded["a"] = 1
    assert copy.copy(bounded) == {"a": 1}


def test_threads_may_share_one():
    bounded, failures = Bounded(50), []

    def fill(start):
        try:
            for number in range(start, start + 5_000):
                bounded[number] = number
                bounded.get(number - 3)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=fill, args=(start * 5_000,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(bounded) <= 50 + len(threads)
    bounded["one more"] = 1
    assert len(bounded) <= 50
