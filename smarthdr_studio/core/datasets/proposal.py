"""What a folder seems to hold before anything is decoded: brackets, their frames, and what not.

A proposal is frozen. A person corrects it by functions that answer another one: `split`, `join`,
`add`, `leave_out`, `with_reference`, `with_step`. `scan.check` makes a catalogue of it.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from smarthdr_studio.core.datasets.grouping import Grouping, LeftOut, group_shots
from smarthdr_studio.core.datasets.layouts import (
    Candidate,
    find_candidates,
    frame_files,
    is_linked_test,
    is_picture,
    is_radiance,
    is_result,
    one_of_each_stem,
    scene_ids,
    split_of,
)
from smarthdr_studio.core.errors import BadDataset, BadScene, UnreadableImage
from smarthdr_studio.core.files import AnyPath, is_inside
from smarthdr_studio.core.imaging.bracket import Split
from smarthdr_studio.core.imaging.image_files import preview
from smarthdr_studio.core.imaging.radiometry import GAMMA, unit_ldr
from smarthdr_studio.core.imaging.shots import Shot, read_shot
from smarthdr_studio.core.words import counted

Progress = Callable[[int, int], None]

_MOST_ALONE: Final = 3  # frames of a folder that are one bracket, whatever their headers say
_READERS: Final = 4
_PREVIEW: Final = 128  # pixels, of which the mean brightness is taken


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedScene:
    """A likely bracket with the id and the split it has in a catalogue; nothing of it is decoded.

    `reference` is the frame that a person chose, `step` the EVs between two frames that one gave.
    `by_hand` says that a person put its frames together.
    """

    id: str
    split: Split
    files: Candidate
    reference: Path | None = None
    step: float | None = None
    by_hand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Every likely bracket in or below a folder, in no order, and pictures that belong to none."""

    root: Path
    scenes: tuple[ProposedScene, ...]
    left_out: tuple[LeftOut, ...] = ()

    def scene(self, scene_id: str) -> ProposedScene:
        """The bracket of that id. Raises BadScene."""
        for each in self.scenes:
            if each.id == scene_id:
                return each
        raise BadScene(f"{scene_id}: is no bracket of {self.root}; choose one of those shown.")


def propose(dataset: AnyPath, *, progress: Progress | None = None) -> Proposal:
    """Every likely bracket in or below `dataset`; of flat folders the headers are read, no pixel.

    `progress` hears how many of how many headers are read and may raise to stop. Raises BadDataset
    where there is nothing that could be a bracket.
    """
    dataset = Path(dataset)
    _is_folder(dataset)
    candidates = find_candidates(dataset)
    flat = [each for each in candidates if _is_flat(each)]
    shots = _read_all([path for each in flat for path in each.frames], progress=progress)
    found: list[Candidate] = []
    left_out: list[LeftOut] = []
    for each in candidates:
        if each in flat:
            parts, rest = _grouped(each, shots)
            found += parts
            left_out += rest
        else:
            found.append(each)
            left_out += [] if each.above else _results_beside(each)
    if not found:
        raise BadDataset(_nothing(dataset, left_out))
    return Proposal(root=dataset, scenes=_named(found, dataset), left_out=tuple(left_out))


def _is_folder(dataset: Path) -> None:
    if not dataset.exists():
        raise BadDataset(f"{dataset}: there is no such folder; give the one that holds the scenes.")
    if not dataset.is_dir():
        raise BadDataset(f"{dataset}: is a file; give the folder that holds the scenes.")


def _nothing(dataset: Path, left_out: Sequence[LeftOut]) -> str:
    if left_out:
        more = f" (and {len(left_out) - 1} more like it)" if len(left_out) > 1 else ""
        return f"{dataset}: holds no bracket{more}: {left_out[0].reason}"
    return (
        f"{dataset}: holds no scene; a scene is two or more exposures of one view, in a folder of "
        "its own with exposure.txt or straight off a camera."
    )


def _is_flat(candidate: Candidate) -> bool:
    """Whether its headers have to tell which of its pictures are one bracket."""
    many = len(candidate.frames) > _MOST_ALONE or candidate.above
    return many and candidate.exposures is None and candidate.layout == "folder"


def _read_all(paths: Sequence[Path], *, progress: Progress | None) -> dict[Path, Shot | LeftOut]:
    found: dict[Path, Shot | LeftOut] = {}
    with ThreadPoolExecutor(max_workers=_READERS) as pool:
        try:
            for done, (path, shot) in enumerate(
                zip(paths, pool.map(_shot, paths), strict=True), start=1
            ):
                found[path] = shot
                if progress is not None:
                    progress(done, len(paths))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return found


def _shot(path: Path) -> Shot | LeftOut:
    try:
        return read_shot(path)
    except UnreadableImage as error:
        return LeftOut(path=path, reason=str(error))


def _grouped(
    candidate: Candidate, shots: dict[Path, Shot | LeftOut]
) -> tuple[list[Candidate], list[LeftOut]]:
    """The brackets of one flat folder, and what belongs to none."""
    read = [shots[path] for path in one_of_each_stem(candidate.frames)]
    usable = [each for each in read if isinstance(each, Shot)]
    damaged = [each for each in read if isinstance(each, LeftOut)]
    if candidate.above and not any(each.ev is not None for each in usable):
        return [], []
    found = group_shots(usable, brightness=_brightness)
    pictures = _pictures(candidate.folder)
    groups = _as_candidates(candidate, found, pictures)
    told = {each.path for each in (*found.left_out, *damaged)}
    taken = {path for each in groups for path in (*each.frames, *each.ground_truths)} | told
    return groups, [*damaged, *found.left_out, *_beside(pictures, taken)]


def _as_candidates(
    candidate: Candidate, found: Grouping, pictures: Sequence[Path]
) -> list[Candidate]:
    groups = [tuple(shot.path for shot in group) for group in found.groups]
    if len(groups) == 1:
        return [replace(candidate, frames=groups[0], above=False)]
    taken = frozenset(candidate.frames)
    others = [each for each in pictures if each not in taken]
    return [
        replace(
            candidate,
            parts=(*candidate.parts, frames[0].stem),
            frames=frames,
            ground_truths=_truths_of(frames, others),
            above=False,
        )
        for frames in groups
    ]


def _truths_of(frames: Sequence[Path], others: Sequence[Path]) -> tuple[Path, ...]:
    """Of a folder with several brackets only what is named after a frame: IMG_1_gt.exr."""
    stems = tuple(f"{frame.stem.casefold()}{link}" for frame in frames for link in "_-. ")
    return tuple(
        each
        for each in others
        if not is_result(each)
        and each.stem.casefold().startswith(stems)
        and (is_radiance(each) or each.stem.casefold().endswith("gt"))
    )


def _pictures(folder: Path) -> tuple[Path, ...]:
    """The pictures right inside, but for links to one another."""
    entries = (each for each in folder.iterdir() if not each.name.startswith("."))
    files = (each for each in entries if is_picture(each) and each.is_file())
    return tuple(sorted(e for e in files if not (e.is_symlink() and is_inside(folder, e))))


def _beside(pictures: Sequence[Path], taken: Iterable[Path]) -> list[LeftOut]:
    """Pictures of a flat folder that are no frame of any bracket, each with its reason."""
    taken = set(taken)
    stems = {path.stem.casefold() for path in taken}
    found = []
    for path in pictures:
        if path in taken:
            continue
        if path.stem.casefold() in stems and not is_radiance(path):
            why = "is the same shot as another file of this name, which is used."
        elif is_result(path):
            why = _RESULT_REMEDY
        elif is_radiance(path):
            why = (
                "may be the ground truth of any of these brackets; name it after a frame, FRAME_gt."
            )
        else:
            why = "is named like a preview or a mask, not like a frame; rename it if it is one."
        found.append(LeftOut(path=path, reason=f"{path}: {why}"))
    return found


_RESULT_REMEDY: Final = (
    "looks like what another program merged, so it is not learned from; call it gt if it is the "
    "ground truth."
)


def _results_beside(candidate: Candidate) -> list[LeftOut]:
    """Radiance that a scene in a folder of its own does without."""
    if candidate.layout != "folder" or candidate.ground_truths or not candidate.folder.is_dir():
        return []
    return [
        LeftOut(path=path, reason=f"{path}: {_RESULT_REMEDY}")
        for path in _pictures(candidate.folder)
        if is_radiance(path) and is_result(path)
    ]


def _brightness(path: Path) -> float:
    light = unit_ldr(preview(path, side=_PREVIEW)) ** GAMMA
    return float(np.log2(max(float(light.mean()), 2.0**-20)))


def _named(candidates: Sequence[Candidate], root: Path) -> tuple[ProposedScene, ...]:
    """Each with its id and its split."""
    ids = scene_ids([each.parts for each in candidates], root_name=root.resolve().name)
    # One scene in Hu's naming settles what its neighbours without ground truth are.
    hu = {each.folder.parent for each in candidates if each.layout == "hu"}

    def named(one: Candidate, name: str) -> ProposedScene:
        if one.layout == "kalantari-wu" and one.folder.parent in hu:
            one = replace(one, layout="hu")
        told = split_of(one.parts, layout=one.layout)
        return ProposedScene(
            id=name, split="test" if is_linked_test(one, dataset=root) else told, files=one
        )

    return tuple(named(one, name) for one, name in zip(candidates, ids, strict=True))


def split(proposal: Proposal, scene_id: str, *, at: int) -> Proposal:
    """Two brackets of one: the frames before place `at`, and the others. Raises BadScene.

    A single frame belongs to no bracket, and is left out.
    """
    scene = proposal.scene(scene_id)
    first, second = scene.files.frames[:at], scene.files.frames[at:]
    if not first or not second:
        raise BadScene(f"{scene_id}: cannot be split there; choose a frame inside it.")
    parts = [part for part in (first, second) if len(part) > 1]
    alone = [path for part in (first, second) if len(part) == 1 for path in part]
    kept = [_of_frames(proposal, scene, frames) for frames in parts]
    told = tuple(
        LeftOut(path=path, reason=f"{path}: was split off and is a single frame; join it again.")
        for path in alone
    )
    return _with_scenes(proposal, {scene_id: kept}, left_out=(*proposal.left_out, *told))


def join(proposal: Proposal, scene_id: str, other: str) -> Proposal:
    """One bracket of two. Raises BadScene where they lie in different folders."""
    more = proposal.scene(other).files.frames
    return _joined(proposal, scene_id, more, gone=other)


def add(proposal: Proposal, scene_id: str, picture: AnyPath) -> Proposal:
    """A bracket with one more picture, which was left out so far. Raises BadScene."""
    return _joined(proposal, scene_id, (Path(picture),), gone=None)


def _joined(
    proposal: Proposal, scene_id: str, more: tuple[Path, ...], *, gone: str | None
) -> Proposal:
    scene = proposal.scene(scene_id)
    if any(path.parent != scene.files.frames[0].parent for path in more):
        raise BadScene(
            f"{scene_id}: its frames lie in another folder than {more[0]}; join what lies together."
        )
    frames = tuple(dict.fromkeys((*scene.files.frames, *more)))
    joined: dict[str, list[ProposedScene]] = {} if gone is None else {gone: []}
    joined[scene_id] = [_of_frames(proposal, scene, frames)]
    left_out = tuple(each for each in proposal.left_out if each.path not in frames)
    return _with_scenes(proposal, joined, left_out=left_out)


def leave_out(proposal: Proposal, scene_id: str, frames: Sequence[AnyPath] = ()) -> Proposal:
    """The proposal without a bracket, or without some of its frames. Raises BadScene."""
    scene = proposal.scene(scene_id)
    gone = tuple(map(Path, frames)) or scene.files.frames
    kept = tuple(path for path in scene.files.frames if path not in gone)
    if len(kept) < 2:
        gone, kept = scene.files.frames, ()
    told = tuple(LeftOut(path=path, reason=f"{path}: was left out by hand.") for path in gone)
    rest = [_of_frames(proposal, scene, kept)] if kept else []
    return _with_scenes(proposal, {scene_id: rest}, left_out=(*proposal.left_out, *told))


def with_reference(proposal: Proposal, scene_id: str, frame: AnyPath | None) -> Proposal:
    """The proposal with this frame of a bracket as its reference; None lets the pixels decide."""
    scene, chosen = proposal.scene(scene_id), None if frame is None else Path(frame)
    if chosen is not None and chosen not in scene.files.frames:
        raise BadScene(f"{frame}: is no frame of {scene_id}; choose one of its own.")
    changed = replace(scene, reference=chosen)
    scenes = tuple(changed if each is scene else each for each in proposal.scenes)
    return replace(proposal, scenes=scenes)


def with_step(proposal: Proposal, step: float | None) -> Proposal:
    """The proposal with one EV step between neighbours of every bracket; None as it was found."""
    return replace(proposal, scenes=tuple(replace(e, step=step) for e in proposal.scenes))


def _of_frames(proposal: Proposal, scene: ProposedScene, frames: tuple[Path, ...]) -> ProposedScene:
    """The bracket of these frames; it keeps a ground truth unless it became only a part."""
    files, folder = scene.files, frames[0].parent
    part = not set(files.frames) <= set(frames)
    alone = frame_files(_pictures(folder)) == frames
    above = folder.relative_to(proposal.root).parts
    return replace(
        scene,
        files=replace(
            files,
            folder=folder,
            parts=above if alone else (*above, frames[0].stem),
            frames=frames,
            exposures=None if part else files.exposures,
            ground_truths=_truths_of(frames, files.ground_truths) if part else files.ground_truths,
        ),
        reference=scene.reference if scene.reference in frames else None,
        by_hand=True,
    )


def _with_scenes(
    proposal: Proposal,
    instead: dict[str, list[ProposedScene]],
    *,
    left_out: tuple[LeftOut, ...],
) -> Proposal:
    scenes = [new for old in proposal.scenes for new in instead.get(old.id, [old])]
    named = _named([each.files for each in scenes], proposal.root)
    again = tuple(replace(scene, id=name.id) for scene, name in zip(scenes, named, strict=True))
    return replace(proposal, scenes=again, left_out=left_out)


def found_in_words(proposal: Proposal) -> str:
    """How many brackets of how many frames, and how many pictures are left out."""
    sizes = sorted({len(each.files.frames) for each in proposal.scenes})
    frames = " or ".join(map(str, sizes)) if len(sizes) < 4 else f"{sizes[0]} to {sizes[-1]}"
    words = f"{counted(len(proposal.scenes), 'bracket')} of {frames} frames"
    left = len(proposal.left_out)
    return f"{words}; {counted(left, 'picture')} left out" if left else words
