"""What holds for every test: none fails because a machine is slow, and none takes all its cores.

Nor does any depend on what the processor can do: all see one without bfloat16 arithmetic.
"""

import gc
import os
from collections.abc import Iterator

# Before numpy, OpenCV or torch is imported: each of the processes that test has one core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

from smarthdr_studio.core import environment

# Until all tests are collected: what is imported stays, and to look through it takes seconds.
gc.disable()

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_collection_finish() -> None:
    """From here on there is garbage again."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True, scope="session")
def _plain_processor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No network is tried for its speed, which would decide what is computed in."""
    told = tmp_path_factory.mktemp("processor") / "cpuinfo"
    told.write_text("flags\t\t: fpu sse2 avx2\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environment, "_PROCESSORS", told)
        yield


@pytest.fixture(autouse=True)
def garbage_of_the_test() -> None:
    """Garbage is looked for in what the test makes, not in all that was ever imported.

    To look through torch and Qt takes a quarter of a second, and every training does so twice.
    """
    gc.collect()  # what the test before held to its end is garbage only now, and would be frozen
    gc.freeze()
