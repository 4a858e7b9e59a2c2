"""C13, C14: clients' configurations are read once, apart for each caller, and never too many of them are kept."""

import gc

import pytest
from tests.unit.router.world import targets_of

from litellm.net.guard import Guard
from litellm.net.network import Network
from litellm.proxy.errors import RequestError
from litellm.proxy.user_configs import MAX_EACH, MAX_KEPT, MAX_SIZE, UserConfigs

NETWORK = Network(guard=Guard())


def config(seed=0, **more):
    params = {"model": "groq/x", "api_key": "sk-mine", "seed": seed, **more}
    return {"model_list": [{"model_name": "m", "litellm_params": params}]}


@pytest.fixture
def configs():
    return UserConfigs(NETWORK)


def test_read_once(configs):
    """C13: the same words, the same routing, whichever object they came in."""
    assert configs.routing("a", config()) is configs.routing("a", config())
    assert configs.routing("a", config(1)) is not configs.routing("a", config())


def test_apart_for_each_caller(configs):
    """C14."""
    one, two = configs.routing("a", config()), configs.routing("b", config())
    assert one is not two
    assert one.state is not two.state
    assert one.pool is not two.pool


def test_the_least_used_are_forgotten(configs):
    """C13: of each caller, and of callers."""
    kept = configs.routing("a", config())
    for seed in range(1, MAX_EACH):
        configs.routing("a", config(seed))
        assert configs.routing("a", config()) is kept, "what is used stays"
    second = configs.routing("a", config(1))
    for seed in range(MAX_EACH, 2 * MAX_EACH):
        configs.routing("a", config(seed))
    assert configs.routing("a", config()) is not kept
    assert configs.routing("a", config(1)) is not second

    kept = configs.routing("a", config())
    for caller in range(MAX_KEPT - MAX_EACH):
        configs.routing(f"c{caller}", config())
    assert configs.routing("a", config()) is kept
    for caller in range(MAX_KEPT):
        configs.routing(f"d{caller}", config())
    assert configs.routing("a", config()) is not kept


def test_another_callers_many_take_nothing_from_mine(configs):
    """C14: a flood of one caller's pushes out that caller's own."""
    mine = configs.routing("me", config())
    for seed in range(1000):
        configs.routing("flood", config(seed))
    assert configs.routing("me", config()) is mine


@pytest.mark.parametrize("wrong", [{}, config(redis="x"), {"model_list": "x"}, config(api_key="os.environ/X")], ids=str)
def test_what_is_wrong_is_not_kept(configs, wrong):
    """C13: 400 each time, with the field and without the class of an exception."""
    for _ in range(2):
        with pytest.raises(RequestError) as refused:
            configs.routing("a", wrong)
        assert (refused.value.status, refused.value.param) == (400, "user_config")
        assert refused.value.message.startswith("user_config: ")
        assert "Error" not in refused.value.message
        assert "sk-mine" not in refused.value.message


def test_what_is_too_large(configs):
    """C13: what is kept is bounded in number, so it has to be in size."""
    assert configs.routing("a", config(user="x" * (MAX_SIZE - 1000)))
    with pytest.raises(RequestError, match=str(MAX_SIZE)):
        configs.routing("a", config(user="x" * MAX_SIZE))


def test_its_places_are_a_clients(configs):
    """F2: with the guard that was given."""
    routing = configs.routing("a", config())
    assert [target.network for target in targets_of(routing.find("m"))] == [NETWORK]


def test_memory_stays_flat(configs):
    """C13: as many as are kept and two thousand more, all different: half an object of each would be seen."""

    def objects_after(seeds):
        for seed in seeds:
            configs.routing(f"caller-{seed % 100}", config(seed))
        gc.collect()
        return len(gc.get_objects())

    full = objects_after(range(4096))  # as many as are kept, and some
    assert objects_after(range(4096, 4096 + 2000)) <= full + 1000
