"""P5: memory that a burst took goes back to the system, where the C library would keep it."""

from __future__ import annotations

import json
import platform

from tests.processes import run_python

SCRIPT = """
import json
from litellm.server import memory

def resident():
    with open("/proc/self/statm", encoding="utf-8") as file:
        return int(file.read().split()[1]) * 4096

memory.mmap_large_blocks()
sizes = [resident()]
long = [b"x" * 5_000_000 for _ in range(20)]  # the first one that is freed would raise the threshold for the others
del long[0]
long.append(b"x" * 5_000_000)
sizes.append(resident())
del long
sizes.append(resident())
short = [b"x" * (1000 + 7 * n % 60_000) for n in range(4000)]
kept = short[::50]
sizes.append(resident())
del short
memory.trim_heap()
sizes.append(resident())
print(json.dumps([size / 1e6 for size in sizes]))
"""


def test_memory_goes_back():
    """P5: long bodies at once, what lies between others when asked. Nothing breaks where the library is another."""
    done = run_python(SCRIPT)
    assert done.returncode == 0, done.stderr
    before, full, after, scattered, trimmed = json.loads(done.stdout)
    if platform.libc_ver()[0] == "glibc":
        assert full > before + 90
        assert after < before + 10
        assert scattered > after + 40
        assert trimmed < after + 20
