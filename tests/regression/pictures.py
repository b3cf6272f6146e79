"""Takes the screenshots of a tree by its own script, and holds two sets against each other."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from sides import Side

_PATIENCE_S = 3600


def take(side: Side, folder: Path) -> None:
    """Run packaging/screenshots.py of a side in a screen of its own."""
    screen = ["xvfb-run", "-a", "-s", "-screen 0 1440x900x24"]
    if shutil.which(screen[0]) is None:
        sys.exit("--screenshots needs xvfb-run")
    script = str(side.tree / "packaging" / "screenshots.py")
    done = subprocess.run(
        [*screen, sys.executable, script, "--to", str(folder / "pictures")],
        cwd=side.tree,
        env=side.environment() | {"QT_QPA_PLATFORM": "xcb"},
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    (folder / "told.txt").write_text(f"exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    if done.returncode != 0:
        sys.exit(f"{script} of the {side.name} tree failed; see {folder / 'told.txt'}")


def differences(old: Path, new: Path, *, beside: Path | None) -> Iterator[str]:
    """A sentence for each picture that differs; pairs of them are kept in `beside`."""
    before, after = (
        {path.name: path for path in sorted((folder / "pictures").glob("*.png"))}
        for folder in (old, new)
    )
    for name in sorted(set(before) | set(after)):
        if name not in after:
            yield f"{name} is not taken any more"
        elif name not in before:
            yield f"{name} is taken now"
        elif found := _difference(name, before[name], after[name], beside):
            yield found


def _difference(name: str, old: Path, new: Path, beside: Path | None) -> str:
    one, other = cv2.imread(str(old)), cv2.imread(str(new))
    if one.shape == other.shape:
        differs = (one != other).any(axis=2)
        if not differs.any():
            return ""
        ys, xs = np.nonzero(differs)
        box = f"x {xs.min()}–{xs.max()}, y {ys.min()}–{ys.max()}"
        words = f"{name}: {100 * differs.mean():.3f} % of pixels, within {box}"
    else:
        words = f"{name}: {one.shape[1]}×{one.shape[0]} became {other.shape[1]}×{other.shape[0]}"
    if beside is not None:
        _keep(beside / name, one, other)
        words += f"; see {beside / name}"
    return words


def _keep(path: Path, one: np.ndarray, other: np.ndarray) -> None:
    """Old, new, and where they differ in red, side by side."""
    parts = [one, other]
    if one.shape == other.shape:
        marked = other // 3
        marked[(one != other).any(axis=2)] = (0, 0, 255)
        parts.append(marked)
    height = max(part.shape[0] for part in parts)
    padded = [np.pad(p, ((0, height - p.shape[0]), (0, 8), (0, 0))) for p in parts]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.hstack(padded))
