"""A ground truth that was brought, as a file of the project: one EXR with provenance."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from smarthdr_studio.core.authorship import now
from smarthdr_studio.core.errors import LabelError, UnreadableImage
from smarthdr_studio.core.exr import Layer, write_layers
from smarthdr_studio.core.file_checksum import file_checksum
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.label_files import NumberedDraft
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.truths.fixing import TruthFix

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
        made=now(),
    )


@contextmanager
def truth_draft(
    project: Project, scene_id: str, radiance: Floats, *, provenance: TruthProvenance
) -> Iterator[TruthDraft]:
    """The ground truth whole on disk; it vanishes at the end unless it took a number.

    `radiance` is H×W×3 linear RGB in [0, 1] on the scale of METHOD §1, mended already (see
    `fixing.mended`); it is kept as half floats. Raises LabelError: another size than the scene's,
    values outside [0, 1], or no room to write it.
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
            f"{path.parent}: a ground truth of {width}×{height} pixels was brought, but the scene "
            f"has {expect[1]}×{expect[0]}; bring one of its size"
        )
    if not (radiance.min() >= 0 and radiance.max() <= 1):
        raise LabelError(
            f"{path.parent}: a ground truth with values outside 0 to 1 was brought; mend its scale"
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
