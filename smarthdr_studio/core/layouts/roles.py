"""Which file of a scene is a frame, the ground truth or the exposures, by its name."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.layouts.naming import natural_key

_CAMERA_SUFFIXES: Final = frozenset({".tif", ".tiff", ".png", ".jpg", ".jpeg"})
_RADIANCE_SUFFIXES: Final = frozenset({".hdr", ".exr", ".pic"})

# The published names of frames; the first that fits at least two files wins, so what lies beside
# (static references, previews) is left alone.
_FRAME_STEMS: Final = tuple(
    re.compile(each)
    for each in (
        r"input_\d_aligned",
        r"input_ghosted_\d",
        r"input_\d",
        r"ldr_img_\d",
        r"img\d",
        r"\d",
    )
)
_BESIDE: Final = re.compile(
    r"(ref_\d|ref_hdr|input_reference|preview|thumb|mask|flow|result|pred|output|tonemap).*|.*_tm"
)
_GROUND_TRUTH: Final = re.compile(
    r"hdrimg|ref_hdr(_aligned)?(_linear)?|hdr_img|gt_hdr|hdr_gt|(.+_)?gt|ground_?truth"
)
_EXPOSURES: Final = re.compile(r"(.*_)?(exposures?(_values?)?|exp|evs?|expo(sure)?bias)")
_ALIGN_RATIO: Final = re.compile(r"(.+_)?align_?ratio")
# The stems of the first frame and of the ground truth, a blank between.
_LAYOUTS: Final = tuple(
    (layout, re.compile(form))
    for layout, form in (
        ("hu", r"input_0_aligned .*|.* ref_hdr_aligned_linear"),
        ("kalantari-wu", r"input_\d_aligned .*|.* ref_hdr_aligned"),
        ("prabhakar", r"input_ghosted_\d .*|.* gt_hdr"),
        ("challenge123", r"ldr_img_\d .*|.* hdr_img"),
        ("ntire", r"\d gt"),
        ("tel", r"input_\d hdrimg"),
        ("kalantari", r".* hdrimg"),
    )
)
_WORDS: Final = {
    "short": 0, "under": 0, "medium": 1, "middle": 1, "reference": 1, "long": 2, "over": 2,
}  # fmt: skip
_WORDED: Final = re.compile(rf"(?:(.+)[_-])?({'|'.join(_WORDS)})")


def frame_files(files: Iterable[AnyPath]) -> tuple[Path, ...]:
    """The camera frames among `files`, in the order of their names; any number of them."""
    paths = [Path(each) for each in files]
    images = [
        each
        for each in paths
        if each.suffix.casefold() in _CAMERA_SUFFIXES and not _is_named(each, _GROUND_TRUTH)
    ]
    for stem in _FRAME_STEMS:
        named = [each for each in images if _is_named(each, stem)]
        if len(named) >= 2:
            return _by_name(named)
    plain = [each for each in images if not _is_named(each, _BESIDE)]
    by_suffix = [[e for e in plain if e.suffix == suffix] for suffix in {e.suffix for e in plain}]
    threes = [group for group in by_suffix if len(group) == 3]
    return _by_name(threes[0] if len(threes) == 1 else plain)


def ground_truth_files(files: Sequence[AnyPath]) -> tuple[Path, ...]:
    """What may be the ground truth: the file with a published name, else every radiance file."""
    paths = [Path(each) for each in files]
    images = [
        each for each in paths if each.suffix.casefold() in _RADIANCE_SUFFIXES | _CAMERA_SUFFIXES
    ]
    named = [each for each in images if _is_named(each, _GROUND_TRUTH)]
    if named:
        return (min(named, key=_truth_rank),)
    return _by_name([each for each in images if each.suffix.casefold() in _RADIANCE_SUFFIXES])


def exposure_file(files: Iterable[AnyPath]) -> Path | None:
    """The file that lists the EVs; text goes before .npy."""
    paths = [Path(each) for each in files]
    named = [
        each
        for each in paths
        if each.suffix.casefold() in {".txt", ".npy"} and _is_named(each, _EXPOSURES)
    ]
    return min(named, key=_exposure_rank, default=None)


def align_ratio_file(files: Iterable[AnyPath]) -> Path | None:
    """The file that scales a 16-bit ground truth (NTIRE 2021)."""
    paths = [Path(each) for each in files]
    named = (each for each in paths if each.suffix == ".npy" and _is_named(each, _ALIGN_RATIO))
    return next(named, None)


def worded_samples(files: Iterable[AnyPath]) -> dict[str, tuple[Path, ...]]:
    """Frames named by word (short, medium, long) under their common prefix, shortest first."""
    paths = [Path(each) for each in files]
    samples: dict[str, list[Path]] = {}
    for each in paths:
        matched = _WORDED.fullmatch(each.stem.casefold())
        if matched and each.suffix.casefold() in _CAMERA_SUFFIXES:
            prefix = each.stem[: len(matched[1])] if matched[1] else ""
            samples.setdefault(prefix, []).append(each)
    return {
        prefix: tuple(sorted(frames, key=lambda each: _rank(each)))
        for prefix, frames in samples.items()
        if len(frames) >= 2
    }


def layout_name(frames: Sequence[AnyPath], ground_truths: Sequence[AnyPath]) -> str:
    """Which published set the names belong to, or "folder"."""
    frame_paths = [Path(each) for each in frames]
    truth_paths = [Path(each) for each in ground_truths]
    names = " ".join(
        files[0].stem.casefold() if files else "?" for files in (frame_paths, truth_paths)
    )
    return next((layout for layout, form in _LAYOUTS if form.fullmatch(names)), "folder")


def _truth_rank(path: Path) -> tuple[bool, bool]:
    # A picture of the same name beside is its tone-mapped preview.
    return path.suffix.casefold() not in _RADIANCE_SUFFIXES, not path.stem.endswith("_linear")


def _exposure_rank(path: Path) -> tuple[bool, bool, int]:
    # ref_exp.txt belongs to the static frames beside.
    return path.suffix != ".txt", path.name.startswith("ref"), len(path.name)


def _is_named(path: Path, pattern: re.Pattern[str]) -> bool:
    return pattern.fullmatch(path.stem.casefold()) is not None


def _by_name(files: Sequence[Path]) -> tuple[Path, ...]:
    return tuple(sorted(files, key=lambda each: natural_key(each.name)))


def _rank(path: Path) -> int:
    matched = _WORDED.fullmatch(path.stem.casefold())
    return _WORDS[matched[2]] if matched else len(_WORDS)
