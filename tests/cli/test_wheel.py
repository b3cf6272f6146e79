"""What is shipped works where the checkout is absent: wheel and sdist, built and used elsewhere."""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from smarthdr_studio import __version__

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("hatchling") is None, reason="needs hatchling, to build with"),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with a wheel and an sdist of this checkout."""
    folder = tmp_path_factory.mktemp("built")
    script = (
        "import sys; from hatchling import build; "
        "build.build_wheel(sys.argv[1]); build.build_sdist(sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", script, str(folder)], cwd=ROOT, check=True)
    return folder


def elsewhere(installed, *words, cwd):
    """Run the shipped program as if nothing else of it were on the machine."""
    home = cwd / "home"
    home.mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "PYTHONPATH": str(installed),
        "PYTHONSAFEPATH": "1",
        "QT_QPA_PLATFORM": "offscreen",
        "HOME": str(home),
    }
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


OPENED = """
import sys
from pathlib import Path
import smarthdr_studio
from PySide6.QtCore import QTimer
from smarthdr_studio.core.environment import resource
from smarthdr_studio.studio.application import shown
application, window = shown(Path(sys.argv[1]))
left = [400]
def look():
    left[0] -= 1
    if window.session.state.shown or not left[0]:
        print("shown:", window.session.state.shown, smarthdr_studio.__file__, resource("guide"))
        window.close()
        application.quit()
timer = QTimer(interval=50)
timer.timeout.connect(look)
timer.start()
application.exec()
"""


def test_the_wheel_opens_a_window_and_trains_where_the_checkout_is_absent(built, tmp_path):
    (wheel,) = built.glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(installed)
    verb = ("-m", "smarthdr_studio")
    version = elsewhere(installed, *verb, "--version", cwd=tmp_path)
    assert version.stdout == f"smarthdr-studio {__version__}\n"
    assert wheel.name.startswith(f"smarthdr_studio-{__version__}-")
    sample = ("sample", "s", "--scenes", "4", "--size", "128x96", "--labelled", "2")
    tiny = (
        *("schedule.epochs=1", "schedule.warmup_epochs=0", "schedule.steps_per_epoch=1"),
        *("network.name=light", "batch.crop=32", "batch.stride=32", "batch.labelled=1"),
        *("batch.unlabelled=1", "loss.perceptual_weight=0", "held_out=1", "device=cpu"),
    )
    settings = [part for each in tiny for part in ("--set", each)]
    for words in (sample, ("new", "p.shdr", "s"), ("train", "p.shdr", *settings)):
        done = elsewhere(installed, *verb, *words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    window = elsewhere(installed, "-c", OPENED, "p.shdr", cwd=tmp_path)
    assert window.returncode == 0, window.stderr
    (told,) = [line for line in window.stdout.splitlines() if line.startswith("shown: ")]
    assert told.split()[1:] == [
        told.split()[1],
        str(installed / "smarthdr_studio" / "__init__.py"),
        str(installed / "smarthdr_studio" / "_resources" / "guide"),
    ]
    assert told.split()[1] != "None"


def test_every_picture_and_page_that_the_guide_names_is_shipped(built):
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
        guide = "smarthdr_studio/_resources/guide/"
        pages = sorted(n for n in names if n.startswith(guide) and n.endswith(".md"))
        assert [Path(page).name for page in pages] == sorted(
            path.name for path in (ROOT / "resources" / "guide").glob("*.md")
        )
        for page in pages:
            for named in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", packed.read(page).decode()):
                assert f"{guide}{named}" in names, page


def test_the_sdist_holds_all_that_a_wheel_is_built_from(built):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    assert {"pyproject.toml", "LICENSE", "README.md", "CHANGELOG.md"} <= names
    assert {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "resources").rglob("*.md")
    } <= names
    assert not [name for name in names if name.startswith((".git/", ".venv/"))]
