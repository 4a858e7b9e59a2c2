"""How many examples hypothesis tries. MORE_EXAMPLES=50 tries fifty times as many, and others each time."""

import os

from hypothesis import HealthCheck, Phase, settings

MORE = int(os.environ.get("MORE_EXAMPLES", "1"))


def examples(count: int) -> settings:
    """Settings for a property test: without a deadline, the same examples every time, no time spent on explanations."""
    return settings(
        max_examples=count * MORE,
        derandomize=MORE == 1,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    )
