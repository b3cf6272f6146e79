"""A dataset folder as a catalogue of scenes, what was left out, and what starts labelled."""

import math
import os
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from smarthdr_studio.core.arrays import read_array
from smarthdr_studio.core.datasets.arrival import checked_truth, left_out
from smarthdr_studio.core.datasets.exposures import Exposures, find_exposures
from smarthdr_studio.core.datasets.layouts import Candidate, natural_key, not_files
from smarthdr_studio.core.datasets.proposal import Progress, Proposal, ProposedScene, propose
from smarthdr_studio.core.datasets.three_frames import choose_three
from smarthdr_studio.core.errors import BadDataset, BadScene, ProjectError, StudioError
from smarthdr_studio.core.files import AnyPath, shown_name
from smarthdr_studio.core.imaging.bracket import (
    Bracket,
    Catalogue,
    ExposedFrame,
    FrameReading,
    Scene,
    SceneNote,
    Skipped,
    decode_bracket,
)
from smarthdr_studio.core.imaging.exposure import thinned
from smarthdr_studio.core.imaging.image_files import (
    frame_orientations,
    image_size,
    read_frame,
    refuse_frames_without_room,
)
from smarthdr_studio.core.imaging.radiometry import Frame
from smarthdr_studio.core.imaging.response import ResponseCurve
from smarthdr_studio.core.records import open_plain, read_text
from smarthdr_studio.core.remedies import NEW_CURVE

_EVERY: Final = 4
_CLIPPED: Final = 1e-3
_NTIRE_GAMMA: Final = 2.24  # of the camera values that its ground truths keep
# An align ratio counts from 16-bit values; a smaller one can only count from values in [0, 1].
_SMALLEST_16_BIT_RATIO: Final = 256.0


class Found(NamedTuple):
    """A scene that can be used, and sentences about what is odd with it."""

    scene: Scene
    notes: tuple[SceneNote, ...]


CAMERA_CURVES: Final = "camera curves"  # the topic of notes that gamma 2.2 does not fit


def inspect(proposed: ProposedScene, *, response: ResponseCurve | None = None) -> Found:
    """The proposed bracket as a scene, under frame first.

    Its exposures and its ground truth are held against the pixels, as camera values turned upright;
    a ground truth that cannot be read or does not fit is left out, with a note. `response` is the
    camera's curve, None for gamma 2.2. Raises BadScene or UnreadableImage with one sentence that
    names the file and the remedy.
    """
    candidate = proposed.files
    _refuse_no_text(candidate.folder)
    frames = _several(candidate)
    for frame in frames:
        _refuse_no_text(frame)
    turns = frame_orientations(frames)
    height, width = _one_size(frames, turns)
    refuse_frames_without_room(frames[:3])  # as many as are shown at once
    # Of a long bracket only what is measured stays in memory.
    keep = thinned_copy if len(frames) > 3 else whole
    pixels = [
        keep(read_frame(path, orientation=turn, response=response))
        for path, turn in zip(frames, turns, strict=True)
    ]
    _refuse_few_bits(frames, pixels)
    exposures = _exposures(proposed, pixels)
    chosen = None if proposed.reference is None else frames.index(proposed.reference)
    three = choose_three(exposures.evs, [thinned(each) for each in pixels], reference=chosen)
    # Where tags disagree the reference settles which way is up, and only now it is known.
    settled = frame_orientations([frames[index] for index in three])
    if settled[1] != turns[three[1]]:
        height, width = image_size(frames[three[1]], orientation=settled[1])
    scene = Scene(
        id=proposed.id,
        frames=(frames[three[0]], frames[three[1]], frames[three[2]]),
        evs=(exposures.evs[three[0]], exposures.evs[three[1]], exposures.evs[three[2]]),
        height=height,
        width=width,
        split=proposed.split,
        layout=candidate.layout,
        every=_every(frames, exposures.evs),
        reading=FrameReading(response=response),
    )
    decoded = settled == tuple(turns[index] for index in three) and keep is whole
    at_hand = (pixels[three[0]], pixels[three[1]], pixels[three[2]]) if decoded else None
    scene, told = _with_truth(candidate, scene, at_hand)
    return Found(scene, (*_noted(scene, exposures), *told))


def _noted(scene: Scene, exposures: Exposures) -> Iterator[SceneNote]:
    """What is to be known of its exposures, its camera's curve and a frame that is stood in for."""
    bent = exposures.notes[-1:] if exposures.bends else ()
    for each in (*exposures.notes, *_stand_in(scene)):
        topic = CAMERA_CURVES if each in bent else "exposures"
        yield SceneNote(scene=scene.id, topic=topic, text=each)


def whole(frame: Frame) -> Frame:
    """The frame as it is, H×W×3 uint16."""
    return frame


def thinned_copy(frame: Frame) -> Frame:
    """Every k-th pixel of an H×W×3 uint16 frame, which does not keep the frame in memory."""
    return thinned(frame).copy()


# Of the other layouts a scene that lacks a frame is damaged.
_ANY_NUMBER: Final = ("folder", "kalantari")


def _several(candidate: Candidate) -> tuple[Path, ...]:
    frames = candidate.frames
    if len(frames) < (2 if candidate.layout in _ANY_NUMBER else 3):
        _refuse_no_file(candidate)
    if not frames:
        raise BadScene(f"{candidate.folder}: holds no frames; put the frames into it.")
    if len(frames) < 3 and candidate.layout not in _ANY_NUMBER:
        names = " and ".join(each.name for each in frames)
        raise BadScene(
            f"{candidate.folder}: holds {len(frames)} of three frames ({names}); add the missing."
        )
    if len(frames) == 1:
        raise BadScene(
            f"{candidate.folder}: holds one frame ({frames[0].name}), and a bracket has two or "
            "more; add the missing."
        )
    return frames


def _refuse_no_file(candidate: Candidate) -> None:
    """Raises BadScene where something else than a file has the name of a frame that is missing."""
    for path in not_files(candidate):
        if path.is_dir():
            what = "a folder"
        else:
            what = "a link that leads nowhere" if path.is_symlink() else "no plain file"
        raise BadScene(f"{path}: is {what} where a frame should be; put the picture there.")


def _one_size(frames: Sequence[Path], turns: Sequence[int]) -> tuple[int, int]:
    """Height and width of the frames turned so, which their headers tell."""
    sizes = [image_size(p, orientation=turn) for p, turn in zip(frames, turns, strict=True)]
    for path, (height, width) in zip(frames, sizes, strict=True):
        if (height, width) != sizes[0]:
            raise BadScene(
                f"{path}: is {width}×{height} but {frames[0].name} is {sizes[0][1]}×{sizes[0][0]}; "
                "crop or export all frames to one size."
            )
    return sizes[0]


def _exposures(proposed: ProposedScene, pixels: Sequence[Frame]) -> Exposures:
    frames, step = proposed.files.frames, proposed.step
    if step is None:
        return find_exposures(frames, pixels, listed=proposed.files.exposures, bent=NEW_CURVE)
    order = sorted(range(len(frames)), key=lambda index: float(thinned(pixels[index]).mean()))
    given = [step * order.index(index) for index in range(len(frames))]
    return find_exposures(frames, pixels, given=given, bent=NEW_CURVE)


def _every(frames: Sequence[Path], evs: Sequence[float]) -> tuple[ExposedFrame, ...]:
    """All frames by rising exposure, where they are other than three."""
    if len(frames) == 3:
        return ()
    return tuple(sorted(map(ExposedFrame, frames, evs), key=lambda each: each.ev))


def _stand_in(scene: Scene) -> tuple[str, ...]:
    """The rule of brackets without a darker or a brighter frame than the reference, if it acts."""
    under, reference, over = scene.frames
    if reference not in (under, over):
        return ()
    what = "darker" if under == reference else "brighter"
    frames = "two frames" if len(scene.whole_bracket) == 2 else "nothing"
    lacking = f"has {frames}" if frames == "two frames" else f"has nothing {what}"
    return (
        f"{reference}: its bracket {lacking}, so it is the reference and stands in for the {what} "
        "frame too.",
    )


def _with_truth(
    candidate: Candidate, scene: Scene, pixels: tuple[Frame, Frame, Frame] | None
) -> tuple[Scene, tuple[SceneNote, ...]]:
    """The scene with its ground truth where that fits the frames; without it where it does not.

    `pixels` are the three frames where they are decoded already.
    """
    try:
        path = _ground_truth(candidate)
        if path is None:
            return scene, ()
        gain, gamma = _scale(candidate, scene)
        with_it = replace(
            scene, ground_truth=path, ground_truth_gain=gain, ground_truth_gamma=gamma
        )
        bracket = decode_bracket(scene) if pixels is None else Bracket(*pixels, stops=scene.stops)
        return checked_truth(with_it, bracket)
    except StudioError as error:
        return scene, (left_out(scene, str(error)),)
    except Exception as error:  # noqa: BLE001 (a ground truth never costs its scene)
        return scene, (left_out(scene, _cannot_look(candidate.ground_truths[0], error)),)


def _refuse_few_bits(frames: Sequence[Path], pixels: Sequence[Frame]) -> None:
    """A bracket clipped at 4095 holds 12 bits in 16: its light would be off by a factor of 450."""
    most = max(int(each.max()) for each in pixels)
    bits = next((bits for bits in (10, 12, 14) if most == 2**bits - 1), None)
    if bits is None:
        return
    shares = [float((each[::_EVERY, ::_EVERY] == most).mean()) for each in pixels]
    if max(shares) < _CLIPPED:
        return
    path = frames[shares.index(max(shares))]
    raise BadScene(
        f"{path}: clips at {most}, so it holds {bits} bits in 16; multiply the values "
        f"of all frames by {65535 / most:g} and save them again."
    )


def _ground_truth(candidate: Candidate) -> Path | None:
    if len(candidate.ground_truths) > 1:
        names = ", ".join(each.name for each in candidate.ground_truths)
        raise BadScene(
            f"{candidate.folder}: holds more than one ground truth ({names}); keep one of them."
        )
    return candidate.ground_truths[0] if candidate.ground_truths else None


def _scale(candidate: Candidate, scene: Scene) -> tuple[float, float]:
    """Gain and gamma that bring the ground truth to METHOD §1: 1 in all sets but NTIRE.

    The other sets store radiance on the scale of the shortest frame. NTIRE's gt / alignratio is
    the camera value of the medium frame, unclipped: radiance is its power 2.24, counted from the
    medium exposure (METHOD §10).
    """
    path = candidate.align_ratio
    if path is None:
        return 1.0, 1.0
    try:
        with open_plain(path) as stream:
            ratio = float(read_array(stream).ravel()[0])
    except (OSError, ValueError, IndexError, TypeError) as error:
        raise BadScene(f"{path}: is no number; copy it again from its source.") from error
    if not (math.isfinite(ratio) and ratio > 0):
        raise BadScene(f"{path}: holds {ratio:g}, not a ratio above 0; copy it again.")
    stored = (65535.0 if ratio >= _SMALLEST_16_BIT_RATIO else 1.0) / ratio
    return stored * 2.0 ** (-scene.stops[1] / _NTIRE_GAMMA), _NTIRE_GAMMA


def find_scenes(dataset: AnyPath, *, progress: Progress | None = None) -> Catalogue:
    """Every scene in `dataset`, whichever published layout it has (METHOD §10); nothing is written.

    The folder may itself be one scene, or hold brackets straight off a camera. Each file is decoded
    once, to check it: about as long as reading the set. What is odd about a scene that can be used
    is in `notes`, and so is a ground truth that its scene does without. `progress` hears how many
    of how many are done and may raise to stop. Raises BadDataset where no scene can be used; a
    scene that cannot is in `skipped`, with its sentence.
    """
    return check(propose(dataset), progress=progress)


def check(
    proposal: Proposal,
    *,
    response: ResponseCurve | None = None,
    progress: Progress | None = None,
) -> Catalogue:
    """A proposal as a catalogue, as `find_scenes` has it, its frames read under that curve."""
    found = _inspect_all(proposal.scenes, response=response, progress=progress)
    usable = sorted(
        (each for each in found if isinstance(each, Found)),
        key=lambda each: natural_key(each.scene.id),
    )
    skipped = [each for each in found if isinstance(each, Skipped)]
    if not usable:
        raise BadDataset(_none_usable(proposal.root, skipped))
    skipped += [
        Skipped(path=each.path, reason=each.reason, picture=True) for each in proposal.left_out
    ]
    return Catalogue(
        root=proposal.root,
        scenes=tuple(each.scene for each in usable),
        skipped=tuple(sorted(skipped, key=lambda each: natural_key(str(each.path)))),
        notes=tuple(note for each in usable for note in each.notes),
    )


def _none_usable(root: Path, skipped: Sequence[Skipped]) -> str:
    if not skipped:
        return f"{root}: no scene can be used: none is left; take brackets in again."
    more = f" (and {len(skipped) - 1} more like it)" if len(skipped) > 1 else ""
    return f"{root}: no scene can be used{more}: {skipped[0].reason}"


def _inspect_all(
    candidates: Sequence[ProposedScene],
    *,
    response: ResponseCurve | None,
    progress: Progress | None,
) -> list[Found | Skipped]:
    def look(one: ProposedScene) -> Found | Skipped:
        try:
            return inspect(one, response=response)
        except StudioError as error:
            return Skipped(path=one.files.folder, reason=str(error))
        except Exception as error:  # noqa: BLE001 (one folder never costs the dataset)
            return Skipped(path=one.files.folder, reason=_cannot_look(one.files.folder, error))

    # Decoding leaves the interpreter lock, so threads help; each holds a few frames in memory.
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        found: list[Found | Skipped] = []
        try:
            for done, result in enumerate(pool.map(look, candidates), start=1):
                found.append(result)
                if progress is not None:
                    progress(done, len(candidates))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return found


def _refuse_no_text(path: Path) -> None:
    """Raises BadScene at a name that is no text: no list, table or database can hold it."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise BadScene(f"{path}: its name is not written in UTF-8; rename it.") from None


def _cannot_look(path: Path, error: Exception) -> str:
    what = f"{type(error).__name__}: {error}".partition("\n")[0].rstrip(".")
    return f"{path}: cannot be looked at ({what}); replace its files or move it."


FILE_NAME: Final = "labelled.txt"
_FEW: Final = 5  # as the paper: 5 of 74


def labelled_by_default(catalogue: Catalogue) -> tuple[str, ...]:
    """The ids in the dataset's labelled.txt, else five spread evenly, else all that can be.

    Five where every training scene has a ground truth, because then the few-label case is
    being studied; where only some have one, those are the labels there are. Listed scenes that
    could not be loaded are passed over: the catalogue says why it skipped them. A scene whose
    ground truth was left out counts as one that has one, or a bad file would make every other
    ground truth a label. One that is warned of is taken only where all are, or from the list.
    """
    train = sorted(scene.id for scene in catalogue.scenes if scene.split == "train")
    with_truth = {scene.id for scene in catalogue.scenes if scene.ground_truth is not None}
    candidates = [name for name in train if name in with_truth]
    if (listed := catalogue.root / FILE_NAME).is_file():
        return tuple(name for name in read_labelled(listed) if name in candidates)
    lost = catalogue.truths_left_out
    few = len(candidates) + sum(name in lost for name in train) == len(train)
    candidates = _sound(catalogue, candidates)
    if not few:
        return tuple(candidates)
    last = len(candidates) - 1
    if last < _FEW:
        return tuple(candidates)
    return tuple(candidates[round(i * last / (_FEW - 1))] for i in range(_FEW))


def labelled_by_count(catalogue: Catalogue, count: int) -> tuple[str, ...]:
    """So many of the ground truths, spread over the dataset, as neighbours often show one place.

    They are fewer where fewer are sound: one that is warned of is taken only where all are.
    """
    able = [s.id for s in catalogue.scenes if s.split == "train" and s.ground_truth is not None]
    sound = _sound(catalogue, able)
    taken = min(count, len(sound))
    return tuple(sound[index * len(sound) // taken] for index in range(taken))


def _sound(catalogue: Catalogue, names: Sequence[str]) -> list[str]:
    """Those of the scenes whose ground truth nothing is said against; all where there is none."""
    sound = [name for name in names if name not in catalogue.odd_truths]
    return sound or list(names)


def read_labelled(path: AnyPath, *, catalogue: Catalogue | None = None) -> tuple[str, ...]:
    """Scene ids from a text file, one a line, # begins a comment; repeated ones count once.

    With a catalogue the ids are checked against it. Raises ProjectError.
    """
    path = Path(path)
    try:
        lines = read_text(path).splitlines()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(f"{path}: cannot be read ({reason}); give a list of ids") from None
    except ValueError:
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
    shown = ", ".join(map(shown_name, names[:5]))
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
