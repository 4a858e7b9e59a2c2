"""Which parameters are sent: what lies at the ends of paths is dropped, in a time that grows with their number alone."""

import copy
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm.providers.policy import KEEP_ALL, Policy, apply, without

BODY = {
    "tools": [{"x": 1, "y": {"x": 2, "z": 3}}, {"x": 4}, ["x", "y"]],
    "user": {"id": 7, "x": None},
    "seed": 5,
}


@pytest.mark.parametrize(
    ("paths", "name", "left"),
    [
        (["seed"], "seed", ...),
        (["seed", "seed"], "seed", ...),
        (["user.id"], "user", {"x": None}),
        (["user.id", "user"], "user", ...),
        (["user", "user.id"], "user", ...),
        (["tools[*].x"], "tools", [{"y": {"x": 2, "z": 3}}, {}, ["x", "y"]]),
        (["tools[*].x", "tools[0].y.z"], "tools", [{"y": {"x": 2}}, {}, ["x", "y"]]),
        (["tools[0].y.x", "tools[-3].y.z"], "tools", [{"x": 1, "y": {}}, {"x": 4}, ["x", "y"]]),
        (["tools[0]", "tools[1]"], "tools", [["x", "y"]]),
        (["tools[0]", "tools[-1]", "tools[0]"], "tools", [{"x": 4}]),
        (["tools[*]"], "tools", []),
        (["tools[2][0]"], "tools", [*BODY["tools"][:2], ["y"]]),
        (["tools[9].x", "tools.x", "seed.x", "user[0]", "user[*]", "", ".", "[]", "[0]"], "tools", BODY["tools"]),
    ],
)
def test_what_lies_at_the_ends_of_paths_is_dropped(paths, name, left):
    before = copy.deepcopy(BODY)
    after = without(BODY, paths)
    assert after.get(name, ...) == left
    assert {key: after[key] for key in BODY if key != name} == {key: BODY[key] for key in BODY if key != name}
    assert before == BODY, "the original is not touched"


values = st.recursive(
    st.integers(0, 9), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner)
)


@given(values, st.lists(st.lists(st.sampled_from(["a", "b", "[0]", "[-1]", "[*]"]), min_size=1).map(".".join)))
def test_no_order_and_no_repetition_of_paths_changes_what_is_dropped(value, paths):
    assert without(value, paths) == without(value, [*reversed(paths), *paths])


def calls_of(function, *args):
    """How many functions of Python run: what it costs, whatever else the machine is doing."""
    count = 0

    def count_call(_frame, event, _arg):
        nonlocal count
        count += event == "call"

    sys.setprofile(count_call)
    try:
        function(*args)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "sized",
    [
        lambda n: ({f"k{i}": 1 for i in range(n)}, [f"k{i}" for i in range(n)]),
        lambda n: ({"tools": [{"x": 1}] * n}, ["tools[*].x"] * n),
        lambda n: ({"tools": [{"x": 1}] * n}, [f"tools[{i}].x" for i in range(n)]),
        lambda n: ({"tools": [[1] * n]}, [f"tools[*][{i}]" for i in range(n)]),
        lambda n: ({"tools": [{"x": 1}] * n}, [f"tools[*].k{i}" for i in range(n)]),
    ],
    ids=["names", "one path again and again", "each place", "places in a list of a list", "names in each of a list"],
)
def test_the_work_grows_with_the_body_and_the_paths_and_not_with_their_product(sized):
    small, large = (calls_of(without, *sized(n)) for n in (300, 1200))
    assert large < 4.4 * small


@pytest.mark.parametrize(
    "paths", [["tools[*].x"], ["tools[0].x", "tools[-1].y", "tools[*].z"], ["tools[*][*].x", "tools[*][0]"]]
)
def test_items_that_are_no_objects_cost_no_call(paths):
    """A body may hold millions of numbers and texts, and the event loop waits."""
    few, many = (calls_of(without, {"tools": [[1] * n, *["x"] * n]}, paths[:2]) for n in (3, 3000))
    assert many - few < 100


def test_dropping_copies_the_body_once_for_any_number_of_paths():
    copies = 0

    class Counted(dict):
        def items(self):
            nonlocal copies
            copies += 1
            return super().items()

    apply(Policy(additional_drop_params=tuple(f"k{i}" for i in range(500))), (), Counted(k1=1, k2=2), "p", "m")
    assert copies == 1


def test_a_body_without_anything_to_drop_is_passed_as_it_is():
    assert apply(KEEP_ALL, (), BODY, "p", "m") is BODY
