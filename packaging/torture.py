"""Runs the injections of the tests by night and sums up what they found; see packaging/torture.sh.

Every part is one call of pytest with a seed of its own. What a part counted (files, kills,
refusals) it tells by `record_property`; this adds it up. What was done at this commit is not
repeated.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "resources" / "guide" / "10-fault-injection.md"
_MARK: Final = "<!-- summary -->"
_FAILED: Final = ("failure", "error")
_OTHERWISE: Final = (*_FAILED, "skipped")  # what a test that passed has none of


@dataclass(frozen=True, slots=True)
class Injection:
    """Tests that are repeated under `seeds` seeds."""

    name: str
    tests: str
    seeds: int


INJECTIONS: Final = (
    Injection(
        "Files with bytes changed, cut or put in, given to every reader",
        "tests/core/test_reader_fuzz.py::test_nor_do_many_more",
        20,
    ),
    Injection(
        "Two processes that decide at random and are killed (SIGKILL)",
        "tests/core/test_safekeeping_kills.py",
        2,
    ),
    Injection(
        "Trainings paused, stopped, closed and killed, then compared bit for bit",
        "tests/learning/test_interrupted.py",
        6,
    ),
    Injection(
        "Verbs on a disk that is full at each of its pages",
        "tests/cli/test_full_disks.py",
        1,
    ),
    Injection(
        "Very many scenes and runs in one project",
        "tests/cli/test_large_projects.py",
        1,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartResult:
    """What one call of pytest found. `counts` are what its tests told; `failed` their names."""

    passed: int
    skipped: int
    failed: list[str]
    counts: dict[str, int]
    seconds: float


def main() -> int:
    """Do what is left, and sum up; 1 where something was lost."""
    options = _options()
    options.into.mkdir(parents=True, exist_ok=True)
    begun, commit = time.monotonic(), _commit()
    done = _read(options.into / "done.json", commit)
    for injection, seed in _parts():
        key = f"{injection.tests} {seed}"
        if key in done or not injection.name.startswith(options.only):
            continue
        if time.monotonic() - begun > options.hours * 3600:
            print(f"{options.hours:g} hours are over; the same command goes on", flush=True)
            break
        print(f"{injection.name}, seed {seed} …", flush=True)
        done[key] = _run(injection, seed, options.into)
        _write(options.into / "done.json", commit, done)
        print(f"  {_in_words(done[key])}", flush=True)
    kept = PAGE.read_text(encoding="utf-8").partition(_MARK)[2] if options.guide else ""
    summary = summed_up(done, commit, before=kept)
    (options.into / "summary.md").write_text(summary, encoding="utf-8")
    if options.guide:
        before = PAGE.read_text(encoding="utf-8").partition(_MARK)[0]
        PAGE.write_text(f"{before}{_MARK}\n\n{summary}", encoding="utf-8")
    print(f"\n{summary}")
    return int(any(part.failed for part in done.values()))


def summed_up(done: dict[str, PartResult], commit: str, *, before: str = "") -> str:
    """A table of all that was done, with what was counted and of which commit, as Markdown.

    What was not done now stands as the summary `before` has it.
    """
    day = datetime.now(UTC).date().isoformat()
    lines = ["| injection | parts | counted | failed | of |", "|---|---:|---|---:|---|"]
    rows = [line for line in before.splitlines() if line.count("|") == lines[0].count("|")]
    for injection in INJECTIONS:
        keys = [f"{injection.tests} {seed}" for seed in range(injection.seeds)]
        parts = [done[key] for key in keys if key in done]
        earlier = [row for row in rows if row.startswith(f"| {injection.name} |")]
        if earlier and not parts:
            lines.append(earlier[0])
            continue
        counts: Counter[str] = Counter()
        for part in parts:
            counts.update(part.counts)
        told = ", ".join(f"{number:,} {what}" for what, number in counts.items())
        failed = sum(len(part.failed) for part in parts)
        skipped = sum(part.skipped for part in parts)
        told = told or ("not possible on this machine" if skipped else "not run yet")
        when = f"{day}, {commit[:12]}" if parts else ""
        lines.append(
            f"| {injection.name} | {len(parts)} of {len(keys)} | {told} | {failed} | {when} |"
        )
    minutes = round(sum(part.seconds for part in done.values()) / 60)
    lines += [
        "",
        f"{_machine()}, Python {platform.python_version()}; "
        f"the parts done last took {minutes} minutes.",
    ]
    lines += [f"- failed: `{name}`" for part in done.values() for name in part.failed]
    return "\n".join(lines) + "\n"


def _machine() -> str:
    """Its system, processor and memory, as far as that is told."""
    name, memory = platform.machine(), ""
    with suppress(OSError, IndexError, ValueError):
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        name = told.split("model name")[1].partition(":")[2].partition("\n")[0].strip()
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        memory = f", {pages / 2**30:.0f} GiB"
    return f"{platform.system()}, {os.cpu_count()} cores of {name}{memory}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Repeat the injections of the tests by night.")
    parser.add_argument("--into", type=Path, default=ROOT / ".torture")
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--guide", action="store_true")
    parser.add_argument("--only", default="", help="injections whose name begins so")
    return parser.parse_args()


def _parts() -> Iterator[tuple[Injection, int]]:
    """One seed of each injection before the second of any."""
    for seed in range(max(injection.seeds for injection in INJECTIONS)):
        for injection in INJECTIONS:
            if seed < injection.seeds:
                yield injection, seed


def _run(injection: Injection, seed: int, into: Path) -> PartResult:
    report = into / "part.xml"
    report.unlink(missing_ok=True)
    begun = time.monotonic()
    environment = os.environ | {"SMARTHDR_NIGHTLY": "1", "SMARTHDR_SEED": str(seed)}
    command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}"]
    command += ["-o", "junit_family=xunit1", "-p", "no:cacheprovider", injection.tests]
    log = into / f"part-{INJECTIONS.index(injection)}-{seed}.txt"
    with log.open("w", encoding="utf-8") as stream:
        subprocess.run(
            command, cwd=ROOT, env=environment, stdout=stream, stderr=stream, check=False
        )
    if not report.is_file():
        cases: Sequence[ET.Element] = []
        failed = [f"{injection.tests} (pytest itself died; see {log.name})"]
    else:
        cases = list(ET.parse(report).iter("testcase"))
        failed = [
            f"SMARTHDR_NIGHTLY=1 SMARTHDR_SEED={seed} {case.get('classname')}::{case.get('name')}"
            f" (see {log.name})"
            for case in cases
            if any(case.find(how) is not None for how in _FAILED)
        ]
    if not failed:
        log.unlink()
    skipped = sum(case.find("skipped") is not None for case in cases)
    counts: Counter[str] = Counter()
    for told in (each for case in cases for each in case.iter("property")):
        counts[told.get("name", "")] += int(told.get("value", "0"))
    return PartResult(
        passed=sum(not set(_OTHERWISE) & {part.tag for part in case} for case in cases),
        skipped=skipped,
        failed=failed,
        counts=dict(counts),
        seconds=round(time.monotonic() - begun, 1),
    )


def _in_words(part: PartResult) -> str:
    counted = "".join(f", {number:,} {what}" for what, number in part.counts.items())
    verdict = f"{len(part.failed)} failed: {part.failed[0]}" if part.failed else "nothing lost"
    return f"{part.passed} tests in {part.seconds:.0f} s{counted}; {verdict}"


def _commit() -> str:
    told = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return told.stdout.strip() or "unknown"


def _read(path: Path, commit: str) -> dict[str, PartResult]:
    """What was done at this commit; nothing where another was tried."""
    if not path.is_file():
        return {}
    kept = json.loads(path.read_text(encoding="utf-8"))
    if kept["commit"] != commit:
        print(f"begun anew: {path} is about commit {kept['commit'][:12]}", flush=True)
        return {}
    return {key: PartResult(**part) for key, part in kept["parts"].items()}


def _write(path: Path, commit: str, done: dict[str, PartResult]) -> None:
    kept = {"commit": commit, "parts": {key: asdict(part) for key, part in done.items()}}
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    draft.replace(path)


if __name__ == "__main__":
    sys.exit(main())
