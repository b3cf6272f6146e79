"""The files of a round in the folder of its run: labels from which it is resumed, and pictures.

rounds/0012.safetensors     the labels of a round
previews/00012/<scene>.jpg  small pictures, to see how a scene came out from round to round
"""

import shutil
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from smarthdr_studio.core.display import Rgb8, ToneMap, to_rgb8, tone_table
from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.files import AnyPath, found_in, is_disk_full, place_in, replacing
from smarthdr_studio.core.imaging.bracket import Half
from smarthdr_studio.core.records import open_plain, parse_lines
from smarthdr_studio.core.training.rounds import (
    history_path,
    recorded_rounds,
)

_Values = npt.NDArray[Any]
_TYPES: Final = {
    "F16": np.dtype(np.float16),
    "BOOL": np.dtype(np.bool_),
    "U16": np.dtype(np.uint16),
}
_LONGEST_HEADER: Final = 100 * 2**20  # what the safetensors format allows
_FILE_DAMAGE: Final = (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SceneLabel:
    """What the crops of one scene are held against; arrays of a file cannot be written to."""

    hdr: Half
    """H×W×3 linear radiance."""
    sigma: Half | None = None
    """H×W uncertainty in μ-law values; None is a ground truth, which is certain."""
    trusted: npt.NDArray[np.bool_] | None = None
    """H×W, True where the loss counts; None counts every pixel."""
    weight: Half | None = None
    """H×W in [0, 1], how much the loss counts a trusted pixel; None counts each whole."""
    structure: Half | None = None
    """H×W×3 linear radiance that a method with stages is held against beside `hdr`, if any."""
    frames: npt.NDArray[np.uint16] | None = None
    """3×H×W×3 camera values that are seen in place of the scene's, if any."""


def round_path(run: AnyPath, *, number: int) -> Path:
    """The file of one round in a run's folder."""
    return Path(run) / "rounds" / f"{number:04d}.safetensors"


def kept_rounds(run: AnyPath) -> frozenset[int]:
    """The rounds whose maps are still in a run's folder."""
    run = Path(run)
    found = found_in(run / "rounds", "*.safetensors")
    return frozenset(int(path.stem) for path in found if path.stem.isdecimal())


def open_round_file(path: AnyPath) -> Mapping[str, SceneLabel]:
    """The maps of every scene of a round; only what is touched is read from the disk.

    Raises LabelError where the file is missing, truncated or foreign.
    """
    path = Path(path)
    try:
        return _scenes(_pictures(path))
    except _FILE_DAMAGE as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise LabelError(
            f"{path}: the maps of this round cannot be read ({reason}); choose another round"
        ) from error


def _pictures(path: Path) -> dict[str, _Values]:
    with open_plain(path) as file:
        raw = np.memmap(file, dtype=np.uint8, mode="r")
    length = int(raw[:8].view(np.uint64)[0])
    if length > min(_LONGEST_HEADER, len(raw) - 8):
        raise ValueError("no safetensors file, or truncated")
    header = parse_lines(bytes(raw[8 : 8 + length]))
    data = raw[8 + length :]
    return {name: _picture(data, entry) for name, entry in header.items() if name != "__metadata__"}


def _picture(data: _Values, entry: Mapping[str, Any]) -> _Values:
    start, end = entry["data_offsets"]
    if not 0 <= start <= end <= len(data):
        raise ValueError("truncated")
    values: _Values = np.asarray(data[start:end]).view(_TYPES[entry["dtype"]])
    return values.reshape(entry["shape"])


def _scenes(pictures: Mapping[str, _Values]) -> dict[str, SceneLabel]:
    names = dict.fromkeys(name.rpartition("/")[0] for name in pictures)
    return {
        scene: _checked(
            SceneLabel(
                hdr=pictures[f"{scene}/hdr"],
                sigma=pictures.get(f"{scene}/sigma"),
                trusted=pictures.get(f"{scene}/trusted"),
                weight=pictures.get(f"{scene}/weight"),
                frames=pictures.get(f"{scene}/frames"),
            )
        )
        for scene in names
    }


def _checked(maps: SceneLabel) -> SceneLabel:
    height, width, channels = maps.hdr.shape
    for plane in (maps.sigma, maps.trusted, maps.weight):
        if channels != 3 or (plane is not None and plane.shape != (height, width)):
            raise ValueError("its maps do not fit each other")
    if maps.frames is not None and maps.frames.shape != (3, height, width, 3):
        raise ValueError("its frames do not fit its maps")
    return maps


def write_round(path: AnyPath, labels: Mapping[str, SceneLabel]) -> None:
    """All labels of a round in one safetensors file, whole or not at all."""
    path = Path(path)
    tensors: dict[str, np.ndarray[Any, Any]] = {}
    for scene, label in labels.items():
        tensors[f"{scene}/hdr"] = label.hdr
        if label.weight is not None:
            tensors[f"{scene}/weight"] = label.weight
        if label.sigma is not None:
            tensors[f"{scene}/sigma"] = label.sigma
        if label.trusted is not None:
            tensors[f"{scene}/trusted"] = label.trusted
        if label.frames is not None:
            tensors[f"{scene}/frames"] = label.frames
    with replacing(path) as draft:
        draft.touch()
        rights = draft.stat().st_mode
        save_file(tensors, draft)  # whose files nobody else may read
        draft.chmod(rights)


def drop_rounds(run: AnyPath, *, needed_from: int, keep_bytes: int) -> None:
    """Removes the oldest rounds, as many as it takes for the newer ones to fit in `keep_bytes`.

    From `needed_from` on a checkpoint may go on with them, so they stay whatever they take.
    """
    run = Path(run)
    left = keep_bytes
    for number in sorted(kept_rounds(run), reverse=True):
        path = round_path(run, number=number)
        left -= path.stat().st_size
        if left < 0 and number < needed_from:
            _remove(path)


def drop_later_rounds(run: AnyPath, *, than: int) -> None:
    """Removes rounds, records and previews of a past that a resumed run does not share."""
    run = Path(run)
    for number in kept_rounds(run):
        if number > than:
            _remove(round_path(run, number=number))
    for number in recorded_rounds(run):
        if number > than:
            _remove(history_path(run, number))
    drop_later_previews(run, than=than)


def _remove(path: Path) -> None:
    # Windows refuses while somebody looks at the file: it is removed another time.
    with suppress(PermissionError):
        path.unlink(missing_ok=True)


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
        for scene in _evenly_chosen(sorted(labels)):
            _write_file(place_in(folder, f"{scene}.jpg"), _as_jpeg(preview(labels[scene].hdr)))
    except OSError as error:
        if is_disk_full(error):
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


def drop_later_previews(run: AnyPath, *, than: int) -> None:
    """Removes those of rounds of a past that a resumed run does not share."""
    run = Path(run)
    for folder in (run / _FOLDER).glob("*"):
        if folder.name.isdecimal() and int(folder.name) > than:
            shutil.rmtree(folder, ignore_errors=True)


def _evenly_chosen(scenes: Sequence[str]) -> Sequence[str]:
    """As many of the scenes as are shown, evenly chosen; all where they are few."""
    count = min(len(scenes), _MOST_SCENES)
    return [scenes[at * len(scenes) // count] for at in range(count)]


def _write_file(path: Path, content: bytes) -> None:
    """Whole or not at all, but not made durable: after a power cut one may be missing."""
    draft = path.with_name(f".{uuid.uuid4().hex}.jpg")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _as_jpeg(picture: Rgb8) -> bytes:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    done, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise ValueError(f"OpenCV cannot write a picture of {picture.shape} as JPEG")
    return encoded.tobytes()
