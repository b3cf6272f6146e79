"""Which folders look like scenes, by the names of their files alone (METHOD §10)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.layouts.naming import natural_key
from smarthdr_studio.core.layouts.roles import (
    align_ratio_file,
    exposure_file,
    frame_files,
    ground_truth_files,
    layout_name,
    worded_samples,
)

_DEEPEST: Final = 6
_SPANNING: Final = re.compile(r"(.+)_([123])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The files of one likely scene, not yet opened.

    `parts` names it inside the dataset. The frames are in the order of their names, so that they
    pair with the numbers of the exposure file; there may be too many or too few of them.
    """

    folder: Path
    parts: tuple[str, ...]
    frames: tuple[Path, ...]
    exposures: Path | None
    ground_truths: tuple[Path, ...]
    align_ratio: Path | None
    layout: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    folder: Path
    parts: tuple[str, ...]
    files: tuple[Path, ...]
    folders: tuple[Path, ...]


def find_candidates(dataset: AnyPath) -> list[Candidate]:
    """Every likely scene in or below `dataset`, which may itself be one; opens no file."""
    return _search(_list(Path(dataset), parts=()))


def _list(folder: Path, *, parts: tuple[str, ...]) -> _Listing:
    try:
        # Hidden entries include the "._" doubles that macOS leaves on foreign disks.
        entries = [each for each in folder.iterdir() if not each.name.startswith((".", "__"))]
    except OSError:
        entries = []
    entries.sort(key=lambda each: natural_key(each.name))
    inner = [each for each in entries if each.is_dir()]
    return _Listing(
        folder=folder,
        parts=parts,
        files=tuple(each for each in entries if each.is_file()),
        # A project inside the dataset holds images of its own.
        folders=tuple(each for each in inner if each.suffix != ".shdr"),
    )


def _search(here: _Listing) -> list[Candidate]:
    if any(each.name.casefold() == "ghosted" for each in here.folders):
        return [_with_ghosted_frames(here)]
    own = [*_worded(here)] or [*_single(here)]
    if any(len(each.frames) == 3 and each.exposures for each in own):
        return own
    inner = _search_below(here)
    # Pictures that lie above scenes illustrate the dataset.
    return inner or own


def _search_below(here: _Listing) -> list[Candidate]:
    if len(here.parts) >= _DEEPEST:
        return []
    below = [_list(each, parts=(*here.parts, each.name)) for each in here.folders]
    spanning, taken = _spanning(here, below)
    found = [each for listing in below if listing.folder not in taken for each in _search(listing)]
    return spanning + found


def _single(here: _Listing) -> Iterator[Candidate]:
    """The folder as one scene, if anything in it says so."""
    ground_truths = ground_truth_files(here.files)
    frames = frame_files(here.files)
    exposures = exposure_file(here.files)
    announced = exposures is not None or layout_name(frames, ground_truths) != "folder"
    if len(frames) >= 2 or (announced and (frames or ground_truths or exposures)):
        yield Candidate(
            folder=here.folder,
            parts=here.parts,
            frames=frames,
            exposures=exposures,
            ground_truths=ground_truths,
            align_ratio=align_ratio_file(here.files),
            layout=layout_name(frames, ground_truths),
        )


def _worded(here: _Listing) -> Iterator[Candidate]:
    """Samples named PREFIX_short, PREFIX_medium, PREFIX_long, many in one folder (NTIRE 2021)."""
    for prefix, frames in worded_samples(here.files).items():
        beside = [each for each in here.files if prefix and each.stem.startswith(f"{prefix}_")]
        files = beside if prefix else here.files
        yield Candidate(
            folder=here.folder,
            parts=(*here.parts, prefix) if prefix else here.parts,
            frames=frames,
            exposures=exposure_file(files),
            ground_truths=ground_truth_files(files),
            align_ratio=align_ratio_file(files),
            layout="ntire" if align_ratio_file(files) else "folder",
        )


def _with_ghosted_frames(here: _Listing) -> Candidate:
    """Prabhakar 2019: moving frames in `ghosted`, ground truth and exposures beside or in it."""
    named = {each.name.casefold(): _list(each, parts=()).files for each in here.folders}
    frames = frame_files(named["ghosted"])
    beside = [*here.files, *named["ghosted"], *named.get("reference", ())]
    return Candidate(
        folder=here.folder,
        parts=here.parts,
        frames=frames,
        exposures=exposure_file(beside),
        ground_truths=ground_truth_files([*here.files, *named["ghosted"]]),
        align_ratio=None,
        layout="prabhakar",
    )


def _spanning(here: _Listing, below: Sequence[_Listing]) -> tuple[list[Candidate], set[Path]]:
    """Challenge123: frame k of scene NNN lies in NNN_k, everything else in NNN_2."""
    groups: dict[str, dict[int, _Listing]] = {}
    for listing in below:
        matched = _SPANNING.fullmatch(listing.folder.name)
        if matched and _step(listing, int(matched[2])):
            groups.setdefault(matched[1], {})[int(matched[2])] = listing
    found: list[Candidate] = []
    taken: set[Path] = set()
    for name, steps in groups.items():
        # A folder that stands alone with all three frames is a scene of its own.
        if len(steps) < 3 and any(_has_every_step(each) for each in steps.values()):
            continue
        middle = steps.get(2, next(iter(steps.values())))
        frames = [_step(listing, k) for k, listing in sorted(steps.items())]
        taken.update(each.folder for each in steps.values())
        found.append(
            Candidate(
                folder=middle.folder,
                parts=(*here.parts, name),
                frames=tuple(each for each in frames if each),
                exposures=exposure_file(middle.files),
                ground_truths=ground_truth_files(middle.files),
                align_ratio=None,
                layout="challenge123",
            )
        )
    return found, taken


def _has_every_step(listing: _Listing) -> bool:
    return all(_step(listing, k) for k in (1, 2, 3))


def _step(listing: _Listing, k: int) -> Path | None:
    names = (each for each in listing.files if each.stem.casefold() == f"ldr_img_{k}")
    return next(names, None)
