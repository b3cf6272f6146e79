"""Pictures of one scene as several runs saw it: small previews, or rounds that are kept whole."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from smarthdr_studio.core.display import DisplaySettings, Rgb8, to_rgb8, tone_table
from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.round_files import kept_rounds, open_round_file, round_path
from smarthdr_studio.studio.state import RunPicture
from smarthdr_studio.studio.tasks import Report

_LARGEST: Final = 1600  # pixels of the long side: more than a part of a screen shows


def read_run_pictures(
    report: Report,
    *,
    runs: Sequence[Path],
    scene: str,
    display: DisplaySettings,
    common: bool,
) -> tuple[RunPicture, ...]:
    """One picture a run: the scene after its last round, or after the last that all of them made.

    A round that is kept whole is shown as the views show it; else its preview, which is small.
    """
    rounds = [_rounds_of(run) for run in runs]
    made = [known for known in rounds if known]
    shared = max(frozenset.intersection(*made), default=None) if made and common else None
    pictures = []
    for done, (run, known) in enumerate(zip(runs, rounds, strict=True)):
        report("", done, len(runs))
        number = shared if common and known else max(known, default=None)
        pictures.append(_picture(run, number, scene, display))
    return tuple(pictures)


def _rounds_of(run: Path) -> frozenset[int]:
    folders = (run / "previews").glob("*")
    previews = frozenset(int(folder.name) for folder in folders if folder.name.isdecimal())
    return previews | kept_rounds(run)


def _picture(run: Path, number: int | None, scene: str, display: DisplaySettings) -> RunPicture:
    if number is None:
        return RunPicture(run=run.name)
    whole = _kept(run, number, scene, display)
    small = _preview(run, number, scene) if whole is None else None
    return RunPicture(
        run=run.name,
        round=number,
        rgb8=small if whole is None else whole,
        small=small is not None,
    )


def _preview(run: Path, number: int, scene: str) -> Rgb8 | None:
    path = run / "previews" / f"{number:05d}" / f"{scene}.jpg"
    try:
        held = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError:
        return None
    bgr = cv2.imdecode(held, cv2.IMREAD_COLOR) if held.size else None
    return None if bgr is None else np.ascontiguousarray(bgr[..., ::-1], dtype=np.uint8)


def _kept(run: Path, number: int, scene: str, display: DisplaySettings) -> Rgb8 | None:
    path = round_path(run, number=number)
    if not path.is_file():
        return None
    try:
        maps = open_round_file(path).get(scene)
    except LabelError:  # its preview may still serve
        return None
    if maps is None:
        return None
    step = -(-max(maps.hdr.shape[:2]) // _LARGEST)
    table = tone_table(
        display.tone_map, exposure_ev=display.exposure_ev, mu=display.mu, gamma=display.gamma
    )
    return to_rgb8(np.ascontiguousarray(maps.hdr[::step, ::step]), table)
