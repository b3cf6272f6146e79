"""The import contracts hold, and each of them fails when it is broken."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "importlinter"
]["contracts"]
NAMES = {contract["id"]: contract["name"] for contract in _CONTRACTS}

# contract: where a line is planted, and the line. Some hide inside a function, where it counts too.
VIOLATIONS = {
    "rooms": ("core/imaging/radiometry.py", "import smarthdr_studio.learning.radiometry"),
    "core": ("core/imaging/radiometry.py", "def _late():\n    import torch"),
    "learning": ("learning/radiometry.py", "def _late():\n    from PySide6 import QtCore"),
    "doors": ("studio/widgets/planted.py", "def _late():\n    import smarthdr_studio.learning"),
    "core-floors": (
        "core/imaging/radiometry.py",
        "def _late():\n    import smarthdr_studio.core.trust.masking",
    ),
    "floors": ("studio/theme.py", "def _late():\n    import smarthdr_studio.studio.state"),
    "circles": (
        "core/errors.py",
        "def _late():\n    import smarthdr_studio.core.trust.masking",
    ),
}


def lint(root: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    asked = [word for contract in contracts for word in ("--contract", contract)]
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", *asked],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={"PATH": "", "PYTHONPATH": str(root), "COLUMNS": "200", "PYTHONUTF8": "1"},
    )


@pytest.fixture
def copy(tmp_path):
    """The package and its contracts, to be spoilt."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "smarthdr_studio", tmp_path / "smarthdr_studio", ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_contract_is_kept():
    answer = lint(ROOT)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    for name in NAMES.values():
        assert f"{name} KEPT" in answer.stdout


def test_every_contract_is_tried_with_a_violation():
    assert set(VIOLATIONS) == set(NAMES)


@pytest.mark.parametrize("contract", sorted(VIOLATIONS))
def test_a_planted_violation_breaks_its_contract(contract, copy):
    place, line = VIOLATIONS[contract]
    path = copy / "smarthdr_studio" / place
    text = path.read_text(encoding="utf-8") if path.exists() else '"""Planted."""\n'
    path.write_text(f"{text}\n\n{line}\n", encoding="utf-8")
    answer = lint(copy, contract)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert f"{NAMES[contract]} BROKEN" in answer.stdout


def test_features_of_the_studio_are_strangers_to_each_other(copy):
    features = ("viewer", "trust", "curation", "training", "runs", "dataset")
    for one, other in zip(features, (*features[1:], features[0]), strict=True):
        planted = copy / "smarthdr_studio" / "studio" / one / "planted.py"
        line = f"def _late():\n    import smarthdr_studio.studio.{other}"
        planted.write_text(f'"""Planted."""\n\n\n{line}\n', encoding="utf-8")
    answer = lint(copy, "floors")
    assert answer.returncode == 1
    for one, other in zip(features, (*features[1:], features[0]), strict=True):
        pair = f"studio.{one}.planted -> smarthdr_studio.studio.{other}"
        assert pair in answer.stdout.replace("\n", " ")


def test_a_new_file_without_a_place_breaks_the_rooms(copy):
    (copy / "smarthdr_studio" / "helpers.py").write_text('"""Planted."""\n', encoding="utf-8")
    answer = lint(copy, "rooms")
    assert answer.returncode == 1
    assert "helpers" in answer.stdout
