"""Reading one scene whole: frames, pseudo-label, ground truth; what fails is told, not raised."""

from dataclasses import dataclass
from pathlib import Path

from smarthdr_studio.core.bracket import Bracket, Half, Scene
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.core.pseudo_label import PseudoLabel, read_pseudo_label
from smarthdr_studio.studio.threads.task import Tell


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SceneFiles:
    """Which scene to read, and what its files are; `stamp` changes when the pseudo-label does."""

    scene: Scene
    pseudo: Path
    stamp: float

    @classmethod
    def of(cls, scene: Scene, *, pseudo: Path) -> "SceneFiles":
        """The files as they lie on disk now."""
        return cls(scene=scene, pseudo=pseudo, stamp=modified(pseudo))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadedScene:
    """Everything a view can need of one scene."""

    files: SceneFiles
    bracket: Bracket | None = None
    label: PseudoLabel | None = None
    ground_truth: Half | None = None
    problems: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The scene's id."""
        return self.files.scene.id

    @property
    def nbytes(self) -> int:
        """Memory held beside what the frame store holds."""
        return self.label.hdr.nbytes + self.label.sigma.nbytes if self.label else 0


def load_scene(tell: Tell, *, files: SceneFiles, frames: FrameStore) -> LoadedScene:
    """Read what there is; a part that cannot be read leaves its sentence among the problems."""
    tell(f"reading {files.scene.id}", 0, 0)
    problems: list[str] = []
    bracket = label = truth = None
    try:
        bracket = frames.bracket(files.scene)
    except StudioError as error:
        problems.append(str(error))
    if files.stamp:
        try:
            label = read_pseudo_label(files.pseudo, expect=(files.scene.height, files.scene.width))
        except StudioError as error:
            problems.append(str(error))
    if files.scene.ground_truth is not None:
        try:
            truth = frames.ground_truth(files.scene)
        except StudioError as error:
            problems.append(str(error))
    return LoadedScene(
        files=files,
        bracket=bracket,
        label=label,
        ground_truth=truth,
        problems=tuple(problems),
    )


def modified(path: Path) -> float:
    """When a file was written, or 0 where it is not there."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
