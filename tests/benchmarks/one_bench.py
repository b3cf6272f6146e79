"""Runs one benchmark and keeps its rows in a file.

usage: one_bench.py NAME ROWS.json [--long]
"""

import importlib
import inspect
import json
import sys
from dataclasses import asdict
from pathlib import Path

from skipped import skipped
from table import Row

# Takes more than a minute and knows no shorter way.
ONLY_LONG = ("bench_networks",)


def rows_of(name: str, *, long: bool) -> list[Row]:
    """What the benchmark measured; one that is long and cannot be cut short is left out."""
    bench = importlib.import_module(name)
    if "long" in inspect.signature(bench.main).parameters:
        return bench.main(long=long)
    if name in ONLY_LONG and not long:
        return [skipped((bench.__doc__ or name).splitlines()[0], reason="only with --long")]
    return bench.main()


if __name__ == "__main__":
    name, rows = sys.argv[1:3]
    answer = rows_of(name, long="--long" in sys.argv)
    Path(rows).write_text(json.dumps([asdict(each) for each in answer]), encoding="utf-8")
