"""What importing loads, seen from a fresh interpreter."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "torchvision", "PySide6", "shiboken6", "pyqtgraph", "superqt"}
QT = HEAVY - {"torch", "torchvision"}

_WALK = """
import importlib, pkgutil, sys
package = importlib.import_module({package!r})
for found in pkgutil.walk_packages(getattr(package, "__path__", []), package.__name__ + "."):
    importlib.import_module(found.name)
print(*sorted({heavy!r} & set(sys.modules)))
"""


def loaded_by(program: str) -> set[str]:
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=300
    )
    assert answer.returncode == 0, answer.stderr
    return set(answer.stdout.splitlines()[-1].split() if answer.stdout.strip() else ())


@pytest.mark.parametrize(
    ("package", "heavy"),
    [
        ("smarthdr_studio.core", HEAVY),
        ("smarthdr_studio.cli", HEAVY),
        ("smarthdr_studio.learning", QT),
    ],
)
def test_importing_every_module_of_a_room_loads_nothing_heavy(package, heavy):
    assert loaded_by(_WALK.format(package=package, heavy=heavy)) == set()


_LIGHT = (
    ("--help",),
    ("masks", "--help"),
    ("new", "nowhere.shdr", "no-such-dataset"),
    ("--version",),
)


def test_the_light_verbs_load_neither_torch_nor_qt():
    """One after the other in one process, told after each: what is loaded once stays."""
    program = (
        "import sys\nfrom smarthdr_studio.cli import main\n"
        f"for words in {_LIGHT!r}:\n"
        "    main(words)\n"
        f"    print()\n    print('loaded', words, *sorted({HEAVY!r} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert answer.returncode == 0, answer.stderr
    told = [line for line in answer.stdout.splitlines() if line.startswith("loaded ")]
    assert told == [f"loaded {words}" for words in _LIGHT]


def test_the_window_does_not_load_the_command_line_library():
    program = (
        "import sys\nfrom smarthdr_studio.cli import main\nmain(['no-such-folder'])\n"
        "print(*({'typer', 'rich', 'torch'} & set(sys.modules)))"
    )
    assert loaded_by(program) == set()


def test_the_window_opens_without_what_only_measuring_and_planning_need():
    late = {"torch", "scipy", "skimage", "pydantic", "typer"}
    program = (
        "import sys\nimport smarthdr_studio.studio.window\n"
        f"print(*sorted({late!r} & set(sys.modules)))"
    )
    assert loaded_by(program) == set()
