"""Whether the machine itself stood still: a process on each core that does nothing but wake up.

A core that is taken away from a virtual machine, 100 ms at a time, stalls whatever ran on it; no
program can do anything about that. usage as a program: witness.py CORE
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Self

_SLEEP_S, _LATE_S = 0.003, 0.012
_FIRST = 50  # of the real-time priorities: before everything that the benchmark does


class Witness:
    """While it is entered, notes every moment in which a core served nobody.

    `why_not` says why nothing can be known: without real-time priority a process may be late
    because others are at work, which is just what a benchmark wants to see.
    """

    def __init__(self) -> None:
        self.why_not = _why_not()
        self.still: list[tuple[float, float]] = []  # from, to; seconds of time.perf_counter
        self._processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        if not self.why_not:
            self._processes = [
                subprocess.Popen(
                    [sys.executable, __file__, str(core)], stdout=subprocess.PIPE, text=True
                )
                for core in sorted(os.sched_getaffinity(0))
            ]
        return self

    def __exit__(self, *_error: object) -> None:
        for process in self._processes:
            process.terminate()
            told, _ = process.communicate()
            lines = (line.split() for line in told.splitlines())
            self.still += [(float(words[0]), float(words[1])) for words in lines if len(words) == 2]

    def excuses(self, begun: float, ended: float) -> bool:
        """Whether a core stood still for most of this time."""
        lost = (min(to, ended) - max(since, begun) for since, to in self.still)
        return any(each > (ended - begun) / 2 for each in lost)


def _why_not() -> str:
    if not hasattr(os, "sched_setscheduler"):
        return "only Linux lets a process say so"
    tried = subprocess.run([sys.executable, __file__], check=False, capture_output=True)
    return "" if tried.returncode == 0 else "needs the right to real-time priority"


def _be_first(cores: Iterable[int]) -> None:
    os.sched_setaffinity(0, cores)
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_FIRST))


def watch(core: int) -> None:
    """Print when the core stood still, until somebody ends this process."""
    _be_first({core})
    before = time.perf_counter()
    while True:
        time.sleep(_SLEEP_S)
        now = time.perf_counter()
        if now - before > _LATE_S:
            print(before, now, flush=True)
        before = now


if __name__ == "__main__":
    if len(sys.argv) > 1:
        with suppress(KeyboardInterrupt):
            watch(int(sys.argv[1]))
    else:
        _be_first(os.sched_getaffinity(0))
