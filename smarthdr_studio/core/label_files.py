"""The frozen copy of a pseudo-label that a promoted scene learns from."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.files import replacing
from smarthdr_studio.core.masking import MaskSettings, Range
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.pseudo_label import (
    Provenance,
    read_pseudo_label,
    remasked,
    write_pseudo_label,
)

Ranges = Mapping[str, tuple[Range, Range | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenLabel:
    """A label file that is whole on disk and has no number yet."""

    scene: str
    path: Path
    provenance: Provenance

    def take_number(self) -> Path:
        """Become the scene's next <n>.exr, durably; only inside the project's transaction."""
        folder = self.path.parent
        taken = [int(file.stem) for file in folder.glob("*.exr") if file.stem.isdecimal()]
        final = folder / f"{max(taken, default=0) + 1}.exr"
        with replacing(final) as draft:
            self.path.replace(draft)
        return final


@contextmanager
def frozen_labels(
    project: Project, scenes: Sequence[Scene], masks: MaskSettings, *, ranges: Ranges | None = None
) -> Iterator[tuple[FrozenLabel, ...]]:
    """Copies of the pseudo-labels with masks of now; those that took no number vanish at the end.

    Written before the project is locked, because a large scene takes a third of a second.
    """
    with ExitStack() as leftovers:
        labels = []
        for scene in scenes:
            path = project.labels_folder(scene.id) / f"draft-{uuid.uuid4().hex}.exr"
            leftovers.callback(path.unlink, missing_ok=True)
            provenance = _freeze(project, scene, masks, path=path, known=(ranges or {}))
            labels.append(FrozenLabel(scene=scene.id, path=path, provenance=provenance))
        yield tuple(labels)


def _freeze(
    project: Project, scene: Scene, masks: MaskSettings, *, path: Path, known: Ranges
) -> Provenance:
    source = project.pseudo_path(scene.id)
    if not source.is_file():
        raise LabelError(
            f"{source}: {scene.id} has no pseudo-label yet; train, or run: "
            f"smarthdr-studio label {project.folder}"
        )
    pseudo = read_pseudo_label(source, expect=(scene.height, scene.width))
    label = remasked(pseudo, masks, ranges=known.get(scene.id))
    write_pseudo_label(path, label)
    return label.provenance
