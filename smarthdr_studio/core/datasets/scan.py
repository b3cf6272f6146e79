"""A dataset folder as a catalogue of scenes, what was left out, and what starts labelled."""

import math
import os
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from smarthdr_studio.core.datasets.layouts import (
    Candidate,
    find_candidates,
    natural_key,
    scene_ids,
    split_of,
)
from smarthdr_studio.core.errors import (
    BadDataset,
    BadScene,
    ProjectError,
    StudioError,
    UnreadableImage,
)
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.imaging.bracket import Catalogue, Scene, Skipped, Split
from smarthdr_studio.core.imaging.exposure import evs_from_exif, read_evs
from smarthdr_studio.core.imaging.image_files import (
    frame_orientations,
    image_size,
    read_frame,
    read_radiance,
)

_EVERY: Final = 4
_CLIPPED: Final = 1e-3
# An align ratio counts from 16-bit values; a smaller one can only count from values in [0, 1].
_SMALLEST_16_BIT_RATIO: Final = 256.0


def inspect(candidate: Candidate, *, scene_id: str, split: Split) -> tuple[Scene, Skipped | None]:
    """The candidate as a scene, under frame first, every file opened once.

    A ground truth that cannot be read or is of another size is left out of the scene, and comes
    back beside it with its sentence. Raises BadScene or UnreadableImage with one sentence that
    names the file and the remedy.
    """
    frames = _three(candidate)
    turns = frame_orientations(frames)
    height, width = _one_size(frames, turns)
    evs = _exposures(candidate, frames)
    order = sorted(range(3), key=lambda i: evs[i])
    under, reference, over = (frames[i] for i in order)
    low, middle, high = (evs[i] for i in order)
    _plausible((under, reference, over), evs=(low, middle, high))
    truth, left_out = _ground_truth(candidate), None
    if truth is not None:
        try:
            _fits(truth, height=height, width=width)
        except (BadScene, UnreadableImage) as error:
            left_out = Skipped(path=candidate.folder, reason=str(error), scene=scene_id)
            truth = None
    scene = Scene(
        id=scene_id,
        frames=(under, reference, over),
        evs=(low, middle, high),
        height=height,
        width=width,
        split=split,
        ground_truth=truth,
        ground_truth_gain=_gain(candidate),
        layout=candidate.layout,
    )
    return scene, left_out


def _three(candidate: Candidate) -> tuple[Path, Path, Path]:
    match candidate.frames:
        case (under, reference, over):
            return under, reference, over
        case ():
            raise BadScene(f"{candidate.folder}: holds no frames; put the three frames into it.")
        case (*some,) if len(some) < 3:
            names = " and ".join(each.name for each in some)
            raise BadScene(
                f"{candidate.folder}: holds {len(some)} of three frames ({names}); add the missing."
            )
    raise BadScene(
        f"{candidate.folder}: holds {len(candidate.frames)} frames, {candidate.frames[0].name} to "
        f"{candidate.frames[-1].name}; leave the three to be used in a folder of their own."
    )


def _one_size(frames: Sequence[Path], turns: Sequence[int]) -> tuple[int, int]:
    sizes = [image_size(p, orientation=turn) for p, turn in zip(frames, turns, strict=True)]
    for path, (height, width) in zip(frames, sizes, strict=True):
        if (height, width) != sizes[0]:
            raise BadScene(
                f"{path}: is {width}×{height} but {frames[0].name} is {sizes[0][1]}×{sizes[0][0]}; "
                "crop or export the three frames to one size."
            )
    return sizes[0]


def _exposures(candidate: Candidate, frames: Sequence[Path]) -> Sequence[float]:
    if candidate.exposures is None:
        return evs_from_exif(frames)
    evs = read_evs(candidate.exposures)
    if len(evs) != len(frames):
        raise BadScene(
            f"{candidate.exposures}: holds {len(evs)} exposure values for {len(frames)} frames; "
            "write one EV for each frame, one a line, in the order of the frames' names."
        )
    return evs


def _plausible(frames: Sequence[Path], *, evs: Sequence[float]) -> None:
    looks = [_look_at(each) for each in frames]
    means = [each.mean for each in looks]
    _refuse_few_bits(frames, looks)
    for i in (1, 2):
        if means[i] <= means[i - 1]:
            raise BadScene(
                f"{frames[i]}: has the exposure {evs[i]:g} EV but is no brighter than "
                f"{frames[i - 1].name} at {evs[i - 1]:g} EV; put the EVs in the order of the "
                "frames' names or replace the frame."
            )


class _Look(NamedTuple):
    mean: float
    most: int
    at_most: float  # share of values as large as the largest


def _look_at(path: Path) -> _Look:
    frame = read_frame(path)
    few = frame[::_EVERY, ::_EVERY]
    most = int(frame.max())
    return _Look(mean=float(few.mean()), most=most, at_most=float((few == most).mean()))


def _refuse_few_bits(frames: Sequence[Path], looks: Sequence[_Look]) -> None:
    """A bracket clipped at 4095 holds 12 bits in 16: its light would be off by a factor of 450."""
    most = max(each.most for each in looks)
    bits = next((bits for bits in (10, 12, 14) if most == 2**bits - 1), None)
    clipped = next((i for i in (2, 1, 0) if looks[i].most == most), 0)
    if bits is None or looks[clipped].at_most < _CLIPPED:
        return
    raise BadScene(
        f"{frames[clipped]}: clips at {most}, so it holds {bits} bits in 16; multiply the values "
        f"of all three frames by {65535 / most:g} and save them again."
    )


def _ground_truth(candidate: Candidate) -> Path | None:
    if len(candidate.ground_truths) > 1:
        names = ", ".join(each.name for each in candidate.ground_truths)
        raise BadScene(
            f"{candidate.folder}: holds more than one ground truth ({names}); keep one of them."
        )
    return candidate.ground_truths[0] if candidate.ground_truths else None


def _fits(truth: Path, *, height: int, width: int) -> None:
    rows, columns = image_size(truth)
    if (rows, columns) != (height, width):
        raise BadScene(
            f"{truth}: is {columns}×{rows} but the frames are {width}×{height}; "
            "replace it with a ground truth of their size or take it out of the folder."
        )
    read_radiance(truth)


def _gain(candidate: Candidate) -> float:
    """What brings the ground truth to METHOD §1: 1 in all sets but NTIRE, HDR = gt / alignratio.

    The other sets store the scale of the shortest frame. What NTIRE stores beyond its ratio (the
    camera curve, the exposure counted from) is documented for its score only, and not undone here.
    """
    path = candidate.align_ratio
    if path is None:
        return 1.0
    try:
        ratio = float(np.load(path, allow_pickle=False).ravel()[0])
    except (OSError, ValueError, EOFError, IndexError, TypeError) as error:
        raise BadScene(f"{path}: is no number; copy it again from its source.") from error
    if not (math.isfinite(ratio) and ratio > 0):
        raise BadScene(f"{path}: holds {ratio:g}, not a ratio above 0; copy it again.")
    return (65535.0 if ratio >= _SMALLEST_16_BIT_RATIO else 1.0) / ratio


Progress = Callable[[int, int], None]
_Found = tuple[Scene | None, Skipped | None]


def find_scenes(dataset: AnyPath, *, progress: Progress | None = None) -> Catalogue:
    """Every scene in `dataset`, whichever published layout it has (METHOD §10); nothing is written.

    The folder may itself be one scene. Each file is decoded once, to check it: about as long as
    reading the set. `progress` hears how many of how many are done and may raise to stop. Raises
    BadDataset where no scene can be used; a scene that cannot is in `skipped`, with its sentence,
    and so is a ground truth that its scene does without.
    """
    dataset = Path(dataset)
    found = _inspect_all(named_candidates(dataset), progress=progress)
    scenes = [scene for scene, _ in found if scene is not None]
    skipped = [left_out for _, left_out in found if left_out is not None]
    if not scenes:
        more = f" (and {len(skipped) - 1} more like it)" if len(skipped) > 1 else ""
        raise BadDataset(f"{dataset}: no scene can be used{more}: {skipped[0].reason}")
    return Catalogue(
        root=dataset,
        scenes=tuple(sorted(scenes, key=lambda each: natural_key(each.id))),
        skipped=tuple(sorted(skipped, key=lambda each: natural_key(str(each.path)))),
    )


def _is_folder(dataset: Path) -> None:
    if not dataset.exists():
        raise BadDataset(f"{dataset}: there is no such folder; give the one that holds the scenes.")
    if not dataset.is_dir():
        raise BadDataset(f"{dataset}: is a file; give the folder that holds the scenes.")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCandidate:
    """A likely scene with the id and the split it has in a catalogue; no file of it was opened."""

    id: str
    split: Split
    files: Candidate


def named_candidates(dataset: AnyPath) -> tuple[NamedCandidate, ...]:
    """Every likely scene in or below `dataset`, as `find_scenes` will name it, in no order.

    Raises BadDataset where there is none.
    """
    dataset = Path(dataset)
    _is_folder(dataset)
    candidates = find_candidates(dataset)
    if not candidates:
        raise BadDataset(
            f"{dataset}: holds no scene; a scene is a folder with three frames and exposure.txt."
        )
    ids = scene_ids([each.parts for each in candidates], root_name=dataset.resolve().name)
    # One scene in Hu's naming settles what its neighbours without ground truth are.
    hu = {each.folder.parent for each in candidates if each.layout == "hu"}

    def named(one: Candidate, name: str) -> NamedCandidate:
        if one.layout == "kalantari-wu" and one.folder.parent in hu:
            one = replace(one, layout="hu")
        return NamedCandidate(id=name, split=split_of(one.parts, layout=one.layout), files=one)

    return tuple(named(one, name) for one, name in zip(candidates, ids, strict=True))


def _inspect_all(
    candidates: Sequence[NamedCandidate], *, progress: Progress | None
) -> list[_Found]:
    def look(one: NamedCandidate) -> _Found:
        try:
            return inspect(one.files, scene_id=one.id, split=one.split)
        except StudioError as error:
            return None, Skipped(path=one.files.folder, reason=str(error))
        except Exception as error:  # noqa: BLE001 (one folder never costs the dataset)
            what = f"{type(error).__name__}: {error}".partition("\n")[0].rstrip(".")
            folder = one.files.folder
            reason = f"{folder}: cannot be looked at ({what}); replace its files or move it."
            return None, Skipped(path=folder, reason=reason)

    # Decoding leaves the interpreter lock, so threads help; each holds a few frames in memory.
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        found: list[_Found] = []
        try:
            for done, result in enumerate(pool.map(look, candidates), start=1):
                found.append(result)
                if progress is not None:
                    progress(done, len(candidates))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return found


FILE_NAME: Final = "labelled.txt"
_FEW: Final = 5  # as the paper: 5 of 74


def labelled_by_default(catalogue: Catalogue) -> tuple[str, ...]:
    """The ids in the dataset's labelled.txt, else five spread evenly, else all that can be.

    Five where every training scene has a ground truth, because then the few-label case is
    being studied; where only some have one, those are the labels there are. Listed scenes that
    could not be loaded are passed over: the catalogue says why it skipped them. A scene whose
    ground truth was left out counts as one that has one, or a bad file would make every other
    ground truth a label.
    """
    train = sorted(scene.id for scene in catalogue.scenes if scene.split == "train")
    with_truth = {scene.id for scene in catalogue.scenes if scene.ground_truth is not None}
    candidates = [name for name in train if name in with_truth]
    if (listed := catalogue.root / FILE_NAME).is_file():
        return tuple(name for name in read_labelled(listed) if name in candidates)
    lost = {each.scene for each in catalogue.skipped}
    if len(candidates) + sum(name in lost for name in train) < len(train):
        return tuple(candidates)
    last = len(candidates) - 1
    if last < _FEW:
        return tuple(candidates)
    return tuple(candidates[round(i * last / (_FEW - 1))] for i in range(_FEW))


def read_labelled(path: AnyPath, *, catalogue: Catalogue | None = None) -> tuple[str, ...]:
    """Scene ids from a text file, one a line, # begins a comment; repeated ones count once.

    With a catalogue the ids are checked against it. Raises ProjectError.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(f"{path}: cannot be read ({reason}); give a list of ids") from None
    except UnicodeDecodeError:
        raise ProjectError(f"{path}: not a text file; give one scene id a line in UTF-8") from None
    names = (line.partition("#")[0].strip() for line in lines)
    labelled = tuple(dict.fromkeys(name for name in names if name))
    if catalogue is not None:
        refuse_unusable(catalogue, labelled, named_in=path)
    return labelled


def refuse_unusable(
    catalogue: Catalogue, labelled: Collection[str], *, named_in: AnyPath | None = None
) -> None:
    """Raises ProjectError if an id is unknown, a test scene, or has no ground truth."""
    named_in = None if named_in is None else Path(named_in)
    by_id = {scene.id: scene for scene in catalogue.scenes}
    source = named_in or catalogue.root
    if unknown := [name for name in labelled if name not in by_id]:
        raise ProjectError(
            f"{source}: {_listed(unknown)} is no scene of {catalogue.root}; "
            f"its scenes are {_listed(sorted(by_id))}"
        )
    if tests := [name for name in labelled if by_id[name].split == "test"]:
        raise ProjectError(
            f"{source}: {_listed(tests)} is for testing only; label training scenes instead"
        )
    if without := [name for name in labelled if by_id[name].ground_truth is None]:
        raise ProjectError(f"{source}: {_listed(without)} has no ground truth; leave it unlabelled")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
