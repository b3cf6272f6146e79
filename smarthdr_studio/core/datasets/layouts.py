"""Dataset layouts (METHOD §10): scene ids and splits by folder, the role of a file by name."""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.imaging.bracket import Split

_TRAIN: Final = re.compile(r"train(ing)?(\d*|[_\- ].*)", re.IGNORECASE)
_TEST: Final = re.compile(r"(test(ing)?|val(id(ation)?)?)(\d*|[_\- ].*)", re.IGNORECASE)
_TEST_SCENE: Final = re.compile(r"test_?set_\d+", re.IGNORECASE)
_LONGEST_ID: Final = 180  # bytes; file systems allow 255, of which names of files take their part
_UNSAFE: Final = re.compile(r"[^\w.\-+]+")
# Hu 2020 numbers its scenes through: 001-085 train, 086-100 test.
_HU_LAST_TRAINING: Final = 85


def natural_key(name: str) -> tuple[tuple[int, int | str], ...]:
    """Sorts "scene 9" before "scene 10", whatever the case."""
    pieces = re.split(r"(\d+)", name.casefold())
    return tuple((0, int(each)) if each.isdecimal() else (1, each) for each in pieces)


def split_of(parts: Sequence[str], *, layout: str) -> Split:
    """Train or test, from the folders named so, or from Hu's numbers where there are none."""
    for part in parts[:-1]:
        if _TEST.fullmatch(part):
            return "test"
        if _TRAIN.fullmatch(part):
            return "train"
    last = parts[-1] if parts else ""
    if _TEST_SCENE.fullmatch(last):
        return "test"
    if layout == "hu" and last.isdecimal() and int(last) > _HU_LAST_TRAINING:
        return "test"
    return "train"


def scene_ids(scenes: Sequence[Sequence[str]], *, root_name: str) -> list[str]:
    """One id per scene: its folders joined by "-", without a leading training folder.

    Ids are safe as file names, also with a suffix and as part of a longer name, and differ even
    where a disk ignores case; a scene that is the dataset folder itself takes its name.
    """
    short = [_joined(_without_training(parts)) or _joined((root_name,)) for parts in scenes]
    counts = _counted(short)
    whole = [
        name if counts[name.casefold()] == 1 else _joined(parts) or name
        for name, parts in zip(short, scenes, strict=True)
    ]
    return _numbered(whole)


def _without_training(parts: Sequence[str]) -> Sequence[str]:
    return parts[1:] if len(parts) > 1 and _TRAIN.fullmatch(parts[0]) else parts


def _joined(parts: Sequence[str]) -> str:
    if not parts:
        return ""
    name = _UNSAFE.sub("_", "-".join(parts)).strip(".") or "scene"
    if len(name.encode()) <= _LONGEST_ID:
        return name
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name.encode()[:_LONGEST_ID].decode(errors='ignore')}-{mark}"


def _counted(names: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name.casefold()] = counts.get(name.casefold(), 0) + 1
    return counts


def _numbered(names: Sequence[str]) -> list[str]:
    taken: set[str] = set()
    ids = []
    for name in names:
        candidate, again = name, 2
        while candidate.casefold() in taken:
            candidate, again = f"{name}-{again}", again + 1
        taken.add(candidate.casefold())
        ids.append(candidate)
    return ids


_CAMERA_SUFFIXES: Final = frozenset({".tif", ".tiff", ".png", ".jpg", ".jpeg"})
# Looked at where there are no frames of the kinds above, so that a RAW beside each JPEG is let be.
_EXTRA_SUFFIXES: Final = frozenset(
    {
        *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw"),
        *(".heic", ".heif", ".hif", ".avif", ".jxl"),
    }
)
_RADIANCE_SUFFIXES: Final = frozenset({".hdr", ".exr", ".pic", ".pfm"})

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
# What other programs make of a bracket and leave beside it.
_RESULT: Final = re.compile(
    r"(merged?|fused|fusion|blend(ed)?|tonemapped|pano(rama)?)([_\- ]?\w*)?"
    r"|.+[_\- ](hdr|merged?|fused|fusion|blend(ed)?|tonemapped|result|output|edit(ed)?|enhanced)"
    r"[_\- ]?\d*"
)
# Folders that disks, desktops and cameras fill with small copies and rubbish.
_NO_DATASET: Final = re.compile(
    r"[@#$].*|(thumb(nail)?s?|previews?|lost\+found|trash|recycle[dr]?|system volume information)"
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
    images = next(
        filter(None, (_frames_of(paths, s) for s in (_CAMERA_SUFFIXES, _EXTRA_SUFFIXES))), []
    )
    for stem in _FRAME_STEMS:
        named = [each for each in images if _is_named(each, stem)]
        if len(named) >= 2:
            return _by_name(named)
    plain = [e for e in images if not (_is_named(e, _BESIDE) or is_result(e))]
    by_suffix = [[e for e in plain if e.suffix == suffix] for suffix in {e.suffix for e in plain}]
    threes = [group for group in by_suffix if len(group) == 3]
    return _by_name(threes[0] if len(threes) == 1 else plain)


def _frames_of(paths: Sequence[Path], suffixes: Collection[str]) -> list[Path]:
    return [
        each
        for each in paths
        if each.suffix.casefold() in suffixes and not _is_named(each, _GROUND_TRUTH)
    ]


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


def is_result(path: AnyPath) -> bool:
    """Whether a name is that of a merged picture that another program left: IMG_1_hdr, merged."""
    path = Path(path)
    return _is_named(path, _RESULT) and not _is_named(path, _GROUND_TRUTH)


def is_picture(path: AnyPath) -> bool:
    """Whether a suffix is that of a frame or of radiance."""
    suffix = Path(path).suffix.casefold()
    return suffix in _CAMERA_SUFFIXES | _EXTRA_SUFFIXES | _RADIANCE_SUFFIXES


def is_radiance(path: AnyPath) -> bool:
    """Whether a suffix is that of radiance."""
    return Path(path).suffix.casefold() in _RADIANCE_SUFFIXES


def one_of_each_stem(frames: Iterable[AnyPath]) -> tuple[Path, ...]:
    """Frames without the JPEG that a camera or a converter put beside the same as TIFF or PNG."""
    best: dict[str, Path] = {}
    for each in map(Path, frames):
        known = best.get(each.stem.casefold())
        if known is None or _worth(each) < _worth(known):
            best[each.stem.casefold()] = each
    return _by_name(list(best.values()))


def _worth(path: Path) -> int:
    order = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
    suffix = path.suffix.casefold()
    return order.index(suffix) if suffix in order else len(order)


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


def as_listed(frames: Iterable[AnyPath]) -> tuple[Path, ...]:
    """Frames in the order an exposure file means: short, medium, long, else as people count."""
    paths = [Path(each) for each in frames]
    if all(_rank(each) < len(_WORDS) for each in paths):
        return tuple(sorted(paths, key=_rank))
    return _by_name(paths)


def _by_name(files: Sequence[Path]) -> tuple[Path, ...]:
    return tuple(sorted(files, key=lambda each: natural_key(each.name)))


def _rank(path: Path) -> int:
    matched = _WORDED.fullmatch(path.stem.casefold())
    return _WORDS[matched[2]] if matched else len(_WORDS)


_AROUND: Final = 2  # folders up from the dataset in which a published split may lie beside it


def is_linked_test(candidate: "Candidate", *, dataset: AnyPath) -> bool:
    """Whether a link leads to a scene in a test folder beside the dataset.

    A split that somebody made of links may call its folders what it likes: what a published set
    has for testing stays so.
    """
    top, folder = Path(dataset).resolve(), candidate.folder.resolve()
    if folder.is_relative_to(top):
        return False
    around = next((place for place in top.parents[:_AROUND] if folder.is_relative_to(place)), None)
    if around is None:
        return False
    named = folder.relative_to(around).parts
    # The innermost folder that says what it is for says it of the scene.
    told = (
        part for part in reversed(named[:-1]) if _TEST.fullmatch(part) or _TRAIN.fullmatch(part)
    )
    return bool(_TEST.fullmatch(next(told, "")) or _TEST_SCENE.fullmatch(named[-1]))


_DEEPEST: Final = 6
_SPANNING: Final = re.compile(r"(.+)_([123])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The files of one likely scene, not yet opened.

    `parts` names it inside the dataset. The frames are in the order of their names, so that they
    pair with the numbers of the exposure file; there may be too many or too few of them, also
    those of several brackets. `above` says that scenes lie in folders below.
    """

    folder: Path
    parts: tuple[str, ...]
    frames: tuple[Path, ...]
    exposures: Path | None
    ground_truths: tuple[Path, ...]
    align_ratio: Path | None
    layout: str
    above: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    folder: Path
    parts: tuple[str, ...]
    files: tuple[Path, ...]
    folders: tuple[Path, ...]


def find_candidates(dataset: AnyPath) -> list[Candidate]:
    """Every likely scene in or below `dataset`, which may itself be one; opens no file."""
    return _search(_list(Path(dataset), parts=()))


def not_files(candidate: Candidate) -> tuple[Path, ...]:
    """What has the name of one more frame and is no file: a folder, a pipe, a link to nothing."""
    frames = candidate.frames
    try:
        odd = [each for each in candidate.folder.iterdir() if not each.is_file()]
    except OSError:
        return ()
    return _by_name([each for each in odd if _is_one_more(each, frames)])


def _is_one_more(path: Path, frames: Sequence[Path]) -> bool:
    """Whether by its name it belongs to the frames; of samples in one folder, to the same one."""
    together = (*frames, path)
    if frames and all(_rank(each) < len(_WORDS) for each in frames):
        return any(len(sample) == len(together) for sample in worded_samples(together).values())
    return not path.name.startswith(".") and path in frame_files(together)


def is_prepared(folder: AnyPath) -> bool:
    """Whether a folder holds a scene of a dataset: with exposures, or named as a published set is.

    Brackets straight off a camera are none: they lie among other pictures of a person.
    """
    here = _list(Path(folder), parts=())
    found = [*_worded(here)] or [*_single(here)]
    return any(
        len(each.frames) >= 2 and (each.exposures is not None or each.layout != "folder")
        for each in found
    )


def _list(folder: Path, *, parts: tuple[str, ...]) -> _Listing:
    try:
        # Hidden entries include the "._" doubles that macOS leaves on foreign disks.
        entries = [each for each in folder.iterdir() if not each.name.startswith((".", "__"))]
    except OSError:
        entries = []
    entries.sort(key=lambda each: natural_key(each.name))
    root = folder.parents[len(parts) - 1] if parts else folder
    entries = [each for each in entries if not (each.is_symlink() and _leads_back(each, root))]
    inner = [each for each in entries if each.is_dir() and not _NO_DATASET.fullmatch(_plain(each))]
    return _Listing(
        folder=folder,
        parts=parts,
        files=tuple(each for each in entries if each.is_file()),
        # A project inside the dataset holds images of its own.
        folders=tuple(each for each in inner if each.suffix != ".shdr"),
    )


def _plain(path: Path) -> str:
    return path.name.casefold()


def _leads_back(link: Path, root: Path) -> bool:
    """Whether a link leads to what is found in the dataset by itself, or around in circles."""
    try:
        target, top = link.resolve(), root.resolve()
    except (OSError, RuntimeError):
        return True
    return target.is_relative_to(top) or top.is_relative_to(target)


def _search(here: _Listing) -> list[Candidate]:
    if any(each.name.casefold() == "ghosted" for each in here.folders):
        return [_with_ghosted_frames(here)]
    own = [*_worded(here)] or [*_single(here)]
    if any(len(each.frames) >= 2 and each.exposures for each in own):
        return own
    inner = _search_below(here)
    # Pictures that lie above scenes illustrate the dataset, unless a camera says that they do not.
    return inner + [replace(e, above=True) for e in own if len(e.frames) >= 2] if inner else own


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
    if exposures is None:
        # Nobody prepared this folder, so what was merged in it is no ground truth.
        ground_truths = tuple(each for each in ground_truths if not is_result(each))
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
