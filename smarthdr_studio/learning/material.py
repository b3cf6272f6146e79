"""The crops a run learns from, cut from the scenes its roster names."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Literal

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.core.masking import trust
from smarthdr_studio.core.plan import TrainingPlan
from smarthdr_studio.core.pseudo_label import read_pseudo_label
from smarthdr_studio.learning.augmentation import strong_move, weak_move
from smarthdr_studio.learning.crops import CropSet, SceneLabel
from smarthdr_studio.learning.randomness import Randomness
from smarthdr_studio.learning.roster import Roster
from smarthdr_studio.learning.stock import SceneStock


class Material:
    """Makes crop sets of a project's scenes under one plan."""

    def __init__(
        self,
        plan: TrainingPlan,
        *,
        scenes: Mapping[str, Scene],
        frames: FrameStore,
        stock: SceneStock,
        randomness: Randomness,
    ) -> None:
        self._plan, self.scenes, self.frames = plan, scenes, frames
        self._stock, self.randomness = stock, randomness

    def of(self, scenes: Mapping[str, Scene]) -> "Material":
        """The same with the scenes as they are now, for the next round."""
        return Material(
            self._plan,
            scenes=scenes,
            frames=self.frames,
            stock=self._stock,
            randomness=self.randomness,
        )

    def labelled(self, roster: Roster) -> CropSet:
        """Ground truths and promoted labels, weakly moved.

        Raises ProjectError where nothing is labelled, PlanError where a scene is too small,
        LabelError, BadScene or UnreadableImage where a file cannot be used.
        """
        names = [name for name, _ in roster.labels]
        labels = {name: self._label(name, roster) for name in names}
        crops = CropSet(
            [self.scenes[name] for name in names],
            labels=labels,
            stock=self._stock,
            plan=self._plan.batch,
            draw=partial(weak_move, self.randomness.moves),
            generator=self.randomness.labelled,
        )
        if not len(crops):
            raise ProjectError(
                "No scene has a label to learn from; make the project with --labelled, promote a "
                "scene or hold none out"
            )
        return crops

    def unlabelled(self, labels: Mapping[str, SceneLabel]) -> CropSet:
        """The crops of a round that have a trusted pixel, strongly moved if the plan says so."""
        move = strong_move if self._plan.strong_augmentation else weak_move
        return CropSet(
            [self.scenes[name] for name in sorted(labels)],
            labels=labels,
            stock=self._stock,
            plan=self._plan.batch,
            draw=partial(move, self.randomness.moves),
            generator=self.randomness.unlabelled,
        )

    def _label(self, name: str, roster: Roster) -> SceneLabel:
        scene = self.scenes[name]
        if name in roster.promoted:
            label = roster.promoted[name]
            pixels = "all" if label.whole else self._plan.promoted_pixels
            return promoted_label(label.path, scene=scene, pixels=pixels)
        return SceneLabel(hdr=self.frames.ground_truth(scene))


def promoted_label(path: AnyPath, *, scene: Scene, pixels: Literal["trusted", "all"]) -> SceneLabel:
    """A label as it was frozen when a person promoted it, with masks and brush of that moment.

    `pixels` says which of them the loss counts. Raises LabelError.
    """
    path = Path(path)
    label = read_pseudo_label(path, expect=(scene.height, scene.width))
    of = label.provenance
    found = trust(
        label.sigma,
        of.masks,
        patch_range=of.patch_range,
        pixel_range=of.pixel_range,
        person=label.person,
    )
    return SceneLabel(
        hdr=label.hdr,
        sigma=label.sigma.astype("float16"),
        trusted=found.trusted if pixels == "trusted" else None,
    )
