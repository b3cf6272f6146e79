"""Frozen labels of a project: copies of promoted pseudo-labels, and imported ground truths."""

import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from smarthdr_studio.core.datasets.ground_truth import TruthFix
from smarthdr_studio.core.environment import utc_now
from smarthdr_studio.core.errors import (
    LabelError,
    LostPainting,
    UnreadableImage,
    UnwritableProject,
)
from smarthdr_studio.core.files import AnyPath, copy, file_checksum, file_stamp, is_folder, move
from smarthdr_studio.core.imaging.bracket import Scene, curve_in_words
from smarthdr_studio.core.imaging.image_files import Layer, read_layers, write_layers
from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.core.project.findings import refuse_shut
from smarthdr_studio.core.project.journal import JournalEntry
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.remedies import LABEL, LABEL_ANEW
from smarthdr_studio.core.trust.brush import Brush
from smarthdr_studio.core.trust.masking import MaskSettings, Range, with_person
from smarthdr_studio.core.trust.pseudo_label import (
    Provenance,
    read_pseudo_label,
    remasked,
    write_pseudo_label,
)

Ranges = Mapping[str, tuple[Range, Range | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedDraft:
    """A file for `labels/<scene>/` that is whole on disk and has no number yet.

    `checksum` is its SHA-256, hex.
    """

    scene: str
    path: Path
    checksum: str

    def take_number(self, *, beyond: int = 0) -> Path:
        """Become the scene's next <n>.exr, durably; only inside the project's transaction.

        The number is larger than any that lies there and than `beyond`: numbers are never used
        twice, not even where the file is gone.
        """
        folder = self.path.parent
        taken = [int(file.stem) for file in folder.glob("*.exr") if file.stem.isdecimal()]
        final = folder / f"{max([beyond, *taken]) + 1}.exr"
        try:
            move(self.path, final)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise LabelError(
                f"{final}: cannot be written ({reason}); free some space or allow writing there"
            ) from None
        return final


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenLabel(NumberedDraft):
    """A label without a number, and where it is from."""

    provenance: Provenance


def highest_numbers(entries: Iterable[JournalEntry]) -> dict[str, int]:
    """The highest number that the journal ever gave to a label or ground truth of each scene."""
    highest: dict[str, int] = {}
    for entry in entries:
        for path in (entry.label, entry.truth):
            if path is not None and entry.scene is not None:
                number = path.rpartition("/")[2].removesuffix(".exr")
                if number.isdecimal():
                    highest[entry.scene] = max(highest.get(entry.scene, 0), int(number))
    return highest


@contextmanager
def numbering(project: Project) -> Iterator[Callable[[NumberedDraft], str]]:
    """Gives drafts their numbers, as the journal speaks of them; inside the transaction.

    Files whose decision failed are gone afterwards. They stay where the disk may have kept the
    decision all the same, or where the process was interrupted; the doctor tells which it was.
    """
    highest: dict[str, int] = {}
    taken: list[Path] = []

    def number(file: NumberedDraft) -> str:
        if not taken:
            highest.update(highest_numbers(project.entries()))
        taken.append(file.take_number(beyond=highest.get(file.scene, 0)))
        return taken[-1].relative_to(project.folder).as_posix()

    try:
        yield number
    except Exception as error:
        if not (isinstance(error, UnwritableProject) and error.doubtful):
            for path in taken:
                path.unlink(missing_ok=True)
        raise


def check_label(path: AnyPath, checksum: str | None, *, imported: bool = False) -> None:
    """Raises LabelError where the file is not the one that was frozen; None knows nothing.

    `imported` says that it is an imported ground truth, not a promoted label.
    """
    path = Path(path)
    if checksum is None:
        return
    what, again = (
        ("the ground truth that was imported", "import it again")
        if imported
        else ("what was promoted", "promote the scene again")
    )
    try:
        found = file_checksum(path)
    except PermissionError as error:
        raise LabelError(f"{path}: cannot be read ({error.strerror}); allow reading it") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise LabelError(
            f"{path}: cannot be read ({reason}); restore it from a copy, or {again}"
        ) from None
    if found != checksum:
        raise LabelError(
            f"{path}: is not {what} (its checksum differs); restore it from a copy, or {again}"
        )


def frozen_share(path: AnyPath) -> float:
    """The share in [0, 1] of a promoted label that is trusted: as it was frozen, for ever.

    Raises LabelError: missing, damaged, or no label.
    """
    layers, _ = read_layers(path, only=("mask.patch", "mask.pixel", "mask.person"))
    gates = (layers["mask.patch"] > 0) & (layers["mask.pixel"] > 0)
    return float(with_person(gates, layers["mask.person"]).mean())


@contextmanager
def frozen_labels(
    project: Project,
    scenes: Sequence[Scene],
    masks: MaskSettings,
    *,
    ranges: Ranges | None = None,
    left_out: dict[str, str] | None = None,
) -> Iterator[tuple[FrozenLabel, ...]]:
    """Copies of the pseudo-labels with masks of now; those that took no number vanish at the end.

    Written before the project is locked, because a large scene takes a third of a second. Where
    `left_out` is given, a label that cannot be frozen is, and why is put there by scene; else it
    raises LabelError, or LostPainting.
    """
    refuse_shut(project.folder, "pseudo", "labels")
    with ExitStack() as leftovers:
        labels = []
        for scene in scenes:
            path = project.labels_folder(scene.id) / f"draft-{uuid.uuid4().hex}.exr"
            try:
                _refuse_unwritable(path.parent)
                leftovers.callback(path.unlink, missing_ok=True)
                provenance = _freeze(project, scene, masks, path=path, known=(ranges or {}))
            except (LabelError, LostPainting) as error:
                if left_out is None:
                    raise
                left_out[scene.id] = str(error)
                continue
            labels.append(
                FrozenLabel(
                    scene=scene.id, path=path, provenance=provenance, checksum=file_checksum(path)
                )
            )
        yield tuple(labels)


def _refuse_unwritable(folder: Path) -> None:
    """Raises LabelError that names the folder: a draft in it has a name that says nothing."""
    there = folder if folder.is_dir() else folder.parent
    if is_folder(there) and not os.access(there, os.W_OK | os.X_OK):
        raise LabelError(f"{there}: cannot be written (Permission denied); allow writing there")


def _freeze(
    project: Project, scene: Scene, masks: MaskSettings, *, path: Path, known: Ranges
) -> Provenance:
    source = project.pseudo_path(scene.id)
    if not source.is_file():
        raise LabelError(
            f"{source}: {scene.id} has no pseudo-label yet; train, or make one with: "
            f"{LABEL.of(PROJECT=project.folder)}"
        )
    before = file_stamp(source)  # training may put a newer file in its place
    pseudo = read_pseudo_label(source, expect=(scene.height, scene.width))
    why = []
    if pseudo.provenance.three != scene.chosen:  # its light may be on the scale of another frame
        why.append(f"is of other frames of {scene.id} than are chosen now")
    if pseudo.provenance.curve != scene.reading.curve:
        why.append(
            f"was made of frames read {curve_in_words(pseudo.provenance.curve)}, and they are read "
            f"{scene.reading.words} now"
        )
    if why:
        raise LabelError(f"{source}: {', and '.join(why)}; {LABEL_ANEW}")
    person = project.person(scene.id)
    label = remasked(replace(pseudo, person=person), masks, ranges=known.get(scene.id))
    if label.provenance == pseudo.provenance and _same(person, pseudo.person):
        # Written again it would hold the same; copied, it takes a fifth of the time.
        with suppress(OSError):
            copy(source, path)
            if file_stamp(source) == before:
                return label.provenance
    write_pseudo_label(path, label)
    return label.provenance


def _same(first: Brush | None, second: Brush | None) -> bool:
    if first is None or second is None:
        return first is second
    return np.array_equal(first, second)


FORMAT: Final = 1
KIND: Final = "ground truth"


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthProvenance:
    """The files a ground truth is from, without their folders, and what was mended.

    `checksums` are SHA-256, hex, in the order of `sources`; `made` is UTC, ISO 8601.
    """

    sources: tuple[str, ...]
    checksums: tuple[str, ...]
    fix: TruthFix
    made: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthDraft(NumberedDraft):
    """A ground truth without a number, and where it is from."""

    provenance: TruthProvenance


def provenance_of(files: Sequence[AnyPath], fix: TruthFix) -> TruthProvenance:
    """The provenance of a ground truth made now from these files. Raises UnreadableImage."""
    paths = [Path(each) for each in files]
    return TruthProvenance(
        sources=tuple(path.name for path in paths),
        checksums=tuple(_checksum(path) for path in paths),
        fix=fix,
        made=utc_now(),
    )


@contextmanager
def truth_draft(
    project: Project, scene_id: str, radiance: Floats, *, provenance: TruthProvenance
) -> Iterator[TruthDraft]:
    """The ground truth whole on disk; it vanishes at the end unless it took a number.

    `radiance` is H×W×3 linear RGB in [0, 1] on the scale of METHOD §1, mended already (see
    `ground_truth.apply_fix`); it is kept as half floats. Raises LabelError: another size than
    the scene's, values outside [0, 1], or no room to write it.
    """
    scene = project.scene(scene_id)
    path = project.labels_folder(scene.id) / f"draft-{uuid.uuid4().hex}.exr"
    _refuse_unfit(radiance, (scene.height, scene.width), path=path)
    half = radiance.astype(np.float16)
    layers: dict[str, Layer] = {name: half[..., index] for index, name in enumerate("RGB")}
    try:
        write_layers(path, layers, header=_header(scene.id, provenance))
        yield TruthDraft(
            scene=scene.id, path=path, checksum=file_checksum(path), provenance=provenance
        )
    finally:
        path.unlink(missing_ok=True)


def _refuse_unfit(radiance: Floats, expect: tuple[int, int], *, path: Path) -> None:
    if radiance.shape != (*expect, 3):
        height, width = radiance.shape[:2]
        raise LabelError(
            f"{path.parent}: a ground truth of {width}×{height} pixels was imported, but the scene "
            f"has {expect[1]}×{expect[0]}; import one of its size"
        )
    if not (radiance.min() >= 0 and radiance.max() <= 1):
        raise LabelError(
            f"{path.parent}: a ground truth with values outside 0 to 1 was imported; mend its scale"
        )


def _header(scene: str, of: TruthProvenance) -> dict[str, str | int | float]:
    right, down = of.fix.shift
    return {
        "smarthdr.format": FORMAT,
        "smarthdr.kind": KIND,
        "smarthdr.scene": scene,
        "smarthdr.source": ", ".join(of.sources),
        "smarthdr.source_sha256": ", ".join(of.checksums),
        "smarthdr.gain": of.fix.gain,
        "smarthdr.shift": f"{right} {down}",
        "smarthdr.made": of.made,
    }


def _checksum(path: Path) -> str:
    try:
        return file_checksum(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnreadableImage(f"{path}: cannot be read ({reason}); allow reading it.") from None
