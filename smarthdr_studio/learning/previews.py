"""Small pictures of every round's pseudo-labels, to see how a scene came out from round to round.

previews/00012/<scene>.jpg
"""

import shutil
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import cv2

from smarthdr_studio.core.bracket import Half
from smarthdr_studio.core.display import Rgb8, ToneMap, to_rgb8, tone_table
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.learning.crops import SceneLabel
from smarthdr_studio.learning.faults import is_full

_LONG_SIDE: Final = 192
_QUALITY: Final = 80
_MOST_SCENES: Final = 500  # about 4 MB a round, whatever the pool
_FOLDER: Final = "previews"


def write_previews(run: AnyPath, labels: Mapping[str, SceneLabel], *, number: int) -> None:
    """One JPEG for each scene of a round, long side 192 pixels, each whole or not at all.

    Of more than 500 scenes it is 500 spread evenly over their names, in every round the same as
    long as the scenes are. A round is as good without them. Raises OSError where the disk is full.
    """
    run = Path(run)
    folder = preview_folder(run, number)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for scene in _spread(sorted(labels)):
            _write(folder / f"{scene}.jpg", _encoded(preview(labels[scene].hdr)))
    except OSError as error:
        if is_full(error):
            raise


def preview(hdr: Half) -> Rgb8:
    """H×W×3 linear radiance as a small picture on the μ-law."""
    height, width = hdr.shape[:2]
    scale = _LONG_SIDE / max(height, width)
    picture = to_rgb8(hdr, tone_table(ToneMap.MU_LAW))
    if scale >= 1:
        return picture
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small: Rgb8 = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype("uint8")
    return small


def preview_folder(run: AnyPath, number: int) -> Path:
    """Where the small pictures of a round lie."""
    return Path(run) / _FOLDER / f"{number:05d}"


def forget_later_previews(run: AnyPath, *, than: int) -> None:
    """Removes those of rounds of a past that a resumed run does not share."""
    run = Path(run)
    for folder in (run / _FOLDER).glob("*"):
        if folder.name.isdecimal() and int(folder.name) > than:
            shutil.rmtree(folder, ignore_errors=True)


def _spread(scenes: Sequence[str]) -> Sequence[str]:
    """As many of the scenes as are shown, evenly chosen; all where they are few."""
    count = min(len(scenes), _MOST_SCENES)
    return [scenes[at * len(scenes) // count] for at in range(count)]


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, but not made durable: after a power cut one may be missing."""
    draft = path.with_name(f".{uuid.uuid4().hex}.jpg")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _encoded(picture: Rgb8) -> bytes:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    done, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise ValueError(f"OpenCV cannot write a picture of {picture.shape} as JPEG")
    return encoded.tobytes()
