"""Opens a sample project with the desktop bundle on a screen nobody sees; tells its start time.

Then it trains for a moment and writes the model in every form there is.

usage: python packaging/try_bundle.py PROGRAM PICTURE.png
Nothing but the program, Xvfb and the file that Xvfb keeps its screen in are used; the bundle's own
verbs make the project.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

SIZE = (1600, 1000)
FORMS = {
    "bundle": "shdrmodel",
    "safetensors": "safetensors",
    "torchscript": "pt",
    "onnx": "onnx",
}
BRIEFLY = ("--set", "schedule.epochs=2", "--set", "schedule.warmup_epochs=1")
QUIET = 1.5  # seconds without a change on the screen, after which all is shown
PATIENCE = 180.0
NUMBER = ":87"


def screen(file: Path) -> np.ndarray:
    """What Xvfb shows, H×W×3 uint8, BGR: the file is an XWD dump, whose header says its length."""
    raw = np.fromfile(file, dtype=np.uint8)
    begins, colours = (int.from_bytes(raw[at : at + 4].tobytes(), "big") for at in (0, 76))
    pixels = raw[begins + 12 * colours :][: SIZE[0] * SIZE[1] * 4]
    return pixels.reshape(SIZE[1], SIZE[0], 4)[..., :3]


def opened(
    program: Path, project: Path, file: Path, environment: dict[str, str]
) -> tuple[float, float, np.ndarray]:
    """Seconds until there is a window, and until it is at rest, and what it shows then."""
    began = time.monotonic()
    first = last = 0.0
    before = screen(file)
    at_work = subprocess.Popen([program, project], env=environment)
    try:
        while at_work.poll() is None and time.monotonic() - began < PATIENCE:
            time.sleep(0.03)
            now, moment = screen(file), time.monotonic() - began
            if not np.array_equal(now, before):
                first, last, before = first or moment, moment, now
            if (
                first
                and moment - last > QUIET
                and np.unique(now[::8, ::8].reshape(-1, 3), axis=0).shape[0] > 500
            ):
                return first, last, now
    finally:
        at_work.terminate()
        at_work.wait()
    sys.exit(f"{program}: showed no picture within {PATIENCE:.0f} s")


def train_and_export(program: Path, project: Path, into: Path, environment: dict[str, str]) -> None:
    """Train by the bundle's own verbs and export; what fails, fails here."""
    began = time.monotonic()
    words = (program, "train", project, "--preset", "quick", *BRIEFLY)
    subprocess.run(words, env=environment, check=True, stdout=subprocess.DEVNULL)
    print(f"two epochs of quick: {time.monotonic() - began:.0f} s")
    (run,) = (each.name for each in (project / "runs").iterdir() if each.is_dir())
    for form, suffix in FORMS.items():
        made = into / f"model.{suffix}"
        words = (program, "runs", "export", project, run, "--as", form, "-o", made)
        subprocess.run(words, env=environment, check=True)
        if not made.stat().st_size:
            sys.exit(f"{made} is empty")


def main(program: Path, picture: Path) -> None:
    """Make a project, open it twice, say how long that took."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        environment = {**os.environ, "HOME": folder, "DISPLAY": NUMBER, "QT_QPA_PLATFORM": "xcb"}
        for name in (
            "LD_LIBRARY_PATH",
            "PYTHONPATH",
            "XDG_DATA_HOME",
            "XDG_CONFIG_HOME",
            "XDG_STATE_HOME",
            "XDG_CACHE_HOME",
        ):
            environment.pop(name, None)
        sample, project = place / "sample", place / "sample.shdr"
        for words in (("sample", sample), ("new", project, sample)):
            subprocess.run([program, *words], env=environment, check=True)
        size = f"{SIZE[0]}x{SIZE[1]}x24"
        server = subprocess.Popen(
            ["Xvfb", NUMBER, "-screen", "0", size, "-fbdir", folder, "-nolisten", "tcp"]
        )
        try:
            file = place / "Xvfb_screen0"
            while not file.exists() or file.stat().st_size < SIZE[0] * SIZE[1] * 4:
                time.sleep(0.1)
            for title in ("first start", "again"):
                window, rest, shown = opened(program, project, file, environment)
                print(f"{title}: a window after {window:.1f} s, all is shown after {rest:.1f} s")
            cv2.imwrite(str(picture), shown)
        finally:
            server.terminate()
            server.wait()
        train_and_export(program, project, place, environment)
    print(f"What it showed is in {picture}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
