"""For all tests: which of them run after the others, with one neighbour at the most: those that measure time, need port
4000, or need each other."""

from __future__ import annotations

from contextlib import suppress

import pytest

with suppress(ModuleNotFoundError):  # the environments of real clients do without
    import hypothesis

    # A timing decides no test. The first example of one may have to load what all others find.
    hypothesis.settings.register_profile("ours", deadline=None)
    hypothesis.settings.load_profile("ours")

collect_ignore = ["clients", "pages"]  # scripts/test-clients and scripts/test-pages run them, with what they need

# What most of these assert is bounded in time by what was promised (an abort seen within 250 ms, a wait of at least so long).
# Beside three other processes on two cores they would test the machine.
ALONE = (
    "tests/contract/test_seed_003.py",
    "tests/contract/test_seeds.py",
    "tests/e2e/test_proxy_garbage.py",
    "tests/e2e/test_proxy_handlers.py",
    "tests/e2e/test_proxy_heartbeats.py",
    "tests/e2e/test_proxy_leaving.py",
    "tests/e2e/test_proxy_overload.py",
    "tests/e2e/test_proxy_reload.py",
    "tests/e2e/test_proxy_stopping.py",
    "tests/e2e/test_secrets.py",  # its last test reads the log of all the others
    "tests/suite/test_c5_blocking.py",
    "tests/suite/test_r3_retries.py",
    "tests/suite/test_r6_cancellation.py",
    "tests/suite/test_s6_clocks.py",
    "tests/suite/test_s8_abort.py",
    "tests/unit/net/test_leaving.py",
    "tests/unit/proxy/test_overload.py",
    "tests/unit/net/test_loops.py",
    "tests/unit/net/test_transport_clocks.py",
    "tests/unit/net/test_transport_faults.py",
    "tests/unit/net/test_transport_oddities.py",
    "tests/unit/test_fakes.py",
    "tests/unit/test_fakes_network.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(ALONE):
            item.add_marker(pytest.mark.alone)
