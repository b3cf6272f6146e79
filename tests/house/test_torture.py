"""The runner of the nights counts what parts told, goes on where it was stopped, tells failures."""

import importlib.util
import sys
from pathlib import Path

import pytest

PART = """
from by_night import SEED
def test_counted(record_property):
    record_property("kills", 3)
    assert SEED < {broken}, "lost"
"""


@pytest.fixture
def torture(monkeypatch):
    path = Path(__file__).parents[2] / "packaging" / "torture.py"
    spec = importlib.util.spec_from_file_location("torture", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "torture", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def night(torture, tmp_path, monkeypatch, capsys):
    """Runs two parts of one test and answers the status and what was said."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1] / "fixtures"))

    def run(*, broken=9, hours=1.0):
        part = tmp_path / "test_part.py"
        part.write_text(PART.format(broken=broken), encoding="utf-8")
        monkeypatch.setattr(torture, "INJECTIONS", (torture.Injection("kills", str(part), 2),))
        words = ["torture", "--into", str(tmp_path / "into"), "--hours", str(hours)]
        monkeypatch.setattr(sys, "argv", words)
        return torture.main(), capsys.readouterr().out

    return run


def test_counts_are_added_up_and_nothing_is_repeated(night):
    status, said = night()
    assert status == 0
    assert "| kills | 2 of 2 | 6 kills | 0 | 20" in said
    assert said.count("nothing lost") == 2
    status, said = night(broken=0)
    assert (status, said.count("nothing lost")) == (0, 0)
    assert "| kills | 2 of 2 | 6 kills | 0 | 20" in said


def test_a_failure_is_told_with_the_words_that_repeat_it(night, tmp_path):
    status, said = night(broken=1)
    assert status == 1
    assert "| kills | 2 of 2 | 6 kills | 1 | 20" in said
    assert "SMARTHDR_SEED=1" in said
    assert "::test_counted (see part-0-1.txt)" in said
    (log,) = (tmp_path / "into").glob("*.txt")
    assert 'assert SEED < 1, "lost"' in log.read_text(encoding="utf-8")


def test_a_pytest_that_dies_has_passed_nothing_and_is_a_failure(night, tmp_path, torture):
    status, said = night(broken="__import__('os')._exit(7)")
    assert status == 1
    assert "0 tests in" in said
    assert "pytest itself died" in said
    assert "-1 tests" not in said


def test_what_there_was_no_time_for_is_marked(night):
    status, said = night(hours=-1)
    assert status == 0
    assert "| kills | 0 of 2 | not run yet | 0 |  |" in said


def test_the_guide_keeps_what_was_not_done_in_the_last_night(torture, monkeypatch):
    both = tuple(torture.Injection(name, f"test_{name}.py", 1) for name in ("kills", "disks"))
    monkeypatch.setattr(torture, "INJECTIONS", both)
    part = torture.PartResult(passed=1, skipped=0, failed=[], counts={"kills": 3}, seconds=1)
    before = torture.summed_up({"test_kills.py 0": part}, "a" * 40)
    after = torture.summed_up({"test_disks.py 0": part}, "b" * 40, before=before)
    (kept,) = [row for row in before.splitlines() if row.startswith("| kills")]
    assert kept.endswith(f"{'a' * 12} |")
    assert kept in after.splitlines()
    assert f"| disks | 1 of 1 | 3 kills | 0 | {kept.split()[-3]} {'b' * 12} |" in after


def test_every_part_names_tests_that_exist(torture):
    for injection in torture.INJECTIONS:
        file, _, name = injection.tests.partition("::")
        text = (torture.ROOT / file).read_text(encoding="utf-8")
        assert f"def {name or 'test_'}" in text
