"""Crops of scenes, drawn in endless shuffled passes and made ready for a network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from smarthdr_studio.core.environment import SINGLE_PROCESS, ProcessRank
from smarthdr_studio.core.errors import PlanError, ProjectError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.imaging.bracket import FrameStore, Scene
from smarthdr_studio.core.remedies import FIRST_LABEL
from smarthdr_studio.core.training.plan import TrainingPlan
from smarthdr_studio.core.training.plan_sections import BatchPlan
from smarthdr_studio.core.training.round_files import SceneLabel
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label
from smarthdr_studio.core.trust.thresholds import crop_grid
from smarthdr_studio.learning.augmentation import (
    Augmentation,
    Corruption,
    brightened,
    corrupted,
    draw_corruption,
    strong_augmentation,
    suffers,
    weak_augmentation,
)
from smarthdr_studio.learning.compute import RandomState
from smarthdr_studio.learning.label_set import LabelSet
from smarthdr_studio.learning.losses import Target
from smarthdr_studio.learning.radiometry import six_channels

Image = np.ndarray[Any, Any] | Tensor
CropSlices = tuple[slice, slice]
# The rest of a device's memory belongs to the network and its gradients.
_SHARE_OF_DEVICE: Final = 0.4


class SceneCache:
    """Frames of scenes, 16-bit as they were decoded, from which crops are cut."""

    def __init__(self, frames: FrameStore, *, device: torch.device) -> None:
        self.device = device
        self._frames = frames
        self._on_device: dict[str, Tensor] = {}

    def cut_frames(self, scene: Scene, place: CropSlices) -> Tensor:
        """Under, reference, over of one crop, on the device if the scene is: 3×S×S×3 int16.

        These are the bits of the 16-bit frames; `camera_values` reads them as they are meant.
        """
        if scene.id in self._on_device:
            return self._on_device[scene.id][:, *place]
        bracket = self._frames.bracket(scene)
        if self._has_room(bracket.nbytes):
            frames = np.stack(bracket.frames).view(np.int16)
            self._on_device[scene.id] = _to_device(frames, self.device)
            return self._on_device[scene.id][:, *place]
        crop = np.stack([frame[place] for frame in bracket.frames])
        return torch.from_numpy(crop.view(np.int16))

    def drop(self, scene_id: str) -> None:
        """Forget a scene; it is decoded again when it is asked for."""
        self._on_device.pop(scene_id, None)
        self._frames.drop(scene_id)

    def placed(self, picture: np.ndarray[Any, Any]) -> Image:
        """An H×W or H×W×C picture on the device where there is room, else as it is."""
        return _to_device(picture, self.device) if self._has_room(picture.nbytes) else picture

    def _has_room(self, nbytes: int) -> bool:
        if self.device.type != "cuda":
            return False
        _, total = torch.cuda.mem_get_info(self.device)
        taken = torch.cuda.memory_allocated(self.device)
        return taken + nbytes < _SHARE_OF_DEVICE * total


def camera_values(bits: Tensor) -> Tensor:
    """What `cut_frames` gave, of the same shape: camera values 0 to 65535 as int32.

    Not every device can flip and stack uint16, but all can int16.
    """
    return bits.to(torch.int32) & 0xFFFF


def cut_crop(picture: Image, place: tuple[slice, ...]) -> Tensor:
    """One crop of an H×W or H×W×C picture, dtype as it is; a copy where it is an array.

    Of several pictures of one size the slice before those of a crop says which.
    """
    if isinstance(picture, Tensor):
        return picture[place]
    return torch.from_numpy(np.array(picture[place]))


def _to_device(picture: np.ndarray[Any, Any], device: torch.device) -> Tensor:
    # A copy, because torch warns of arrays that may only be read.
    return torch.from_numpy(np.array(picture)).to(device)


Mask = npt.NDArray[np.bool_]


class Window(NamedTuple):
    """Where a crop lies."""

    scene: int
    top: int
    left: int


class CropView(NamedTuple):
    """How the student sees a crop."""

    move: Augmentation = Augmentation()
    corruption: Corruption | None = None
    weak_too: bool = False
    """Whether the view of the teacher comes with it."""


class WeakView(NamedTuple):
    """Turned and mirrored as the student's crops, but neither shuffled nor spoiled."""

    frames: tuple[Tensor, Tensor, Tensor]
    """Under, reference, over: B×6×S×S, radiance then camera values."""
    channels: Tensor
    """B×3, int64: which channel of the weak view is R, G and B of the student's."""
    gains: Tensor
    """B×3×1×1: how many times brighter the student sees each of its channels."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CropBatch:
    """B crops on the device: frames in, target out."""

    frames: tuple[Tensor, Tensor, Tensor]
    """Under, reference, over: B×6×S×S, radiance then camera values."""
    target: Target
    sigma: Tensor
    """B×1×S×S uncertainty of the label itself; 0 for ground truths."""
    weak: WeakView | None = None
    """What the teacher sees of them, where it labels each crop."""
    structure: Tensor | None = None
    """B×3×S×S linear radiance, where the labels have one."""
    stops: Tensor | None = None
    """B×3: how many stops longer than the shortest under, reference and over were exposed."""


class _Crop(NamedTuple):
    frames: Tensor  # 3×S×S×3, bits of 16-bit values
    hdr: Tensor  # S×S×3
    sigma: Tensor  # S×S
    trusted: Tensor  # S×S
    stops: tuple[float, float, float]
    structure: Tensor | None  # S×S×3
    weight: Tensor | None  # S×S


def crop_windows(scenes: Sequence[Scene], *, plan: BatchPlan) -> list[Window]:
    """Every crop of every scene. Raises PlanError where a scene is smaller than one crop."""
    found: list[Window] = []
    for index, scene in enumerate(scenes):
        if min(scene.height, scene.width) < plan.crop:
            raise PlanError(
                f"batch.crop is {plan.crop}, but scene {scene.id} is only {scene.width}×"
                f"{scene.height}: choose a smaller crop or exclude the scene"
            )
        tops = crop_grid(scene.height, crop=plan.crop, stride=plan.stride)
        lefts = crop_grid(scene.width, crop=plan.crop, stride=plan.stride)
        found += [Window(index, top, left) for top in tops for left in lefts]
    return found


def trusted_windows(
    found: Sequence[Window], masks: Sequence[Mask | None], *, crop: int
) -> list[Window]:
    """The crop×crop windows with at least one trusted pixel of the H×W mask; all without one."""
    kept: list[Window] = []
    tables = [None if mask is None else _integral_image(mask) for mask in masks]
    for window in found:
        table = tables[window.scene]
        bottom, right = window.top + crop, window.left + crop
        if table is None or (
            table[bottom, right]
            - table[window.top, right]
            - table[bottom, window.left]
            + table[window.top, window.left]
        ):
            kept.append(window)
    return kept


class CropSet:
    """The crops of some scenes, given out in shuffled passes that never end.

    The order has its own generator; `state` and `restore` continue a pass in its middle.
    """

    def __init__(
        self,
        scenes: Sequence[Scene],
        *,
        labels: Mapping[str, SceneLabel],
        stock: SceneCache,
        plan: BatchPlan,
        draw: Callable[[], CropView],
        generator: torch.Generator,
    ) -> None:
        self._scenes, self._stock, self._crop = tuple(scenes), stock, plan.crop
        self._draw, self._generator = draw, generator
        masks = [labels[scene.id].trusted for scene in scenes]
        self.windows = trusted_windows(crop_windows(scenes, plan=plan), masks, crop=plan.crop)
        self._labels = [_label_on_device(labels[scene.id], stock=stock) for scene in scenes]
        # Decided for all crops: processes that drew different ones have to count alike.
        self._weighed = any(labels[scene.id].weight is not None for scene in scenes)
        self._order = torch.empty(0, dtype=torch.int64)
        self._next = 0
        self._drawn: tuple[Window, ...] = ()  # those of the latest batch

    def __len__(self) -> int:
        return len(self.windows)

    def batch(self, count: int, *, place: ProcessRank = SINGLE_PROCESS) -> CropBatch:
        """The next `count` crops, each moved by a draw of its own.

        Several processes draw alike, as many for each, and each cuts its own.
        """
        drawn = [(self._take(), self._draw()) for _ in range(count * place.size)]
        own = drawn[place.rank * count : (place.rank + 1) * count]
        self._drawn = tuple(window for window, _ in own)
        views = [view for _, view in own]
        crops = [self._moved_crop(window, view.move) for window, view in own]
        device = self._stock.device
        frames, hdr, sigma, trusted = (
            torch.stack([picture.to(device) for picture in pictures])
            for pictures in list(zip(*crops, strict=True))[:4]
        )
        values = camera_values(frames)
        stops = torch.tensor([crop.stops for crop in crops], device=device)
        clean = [
            six_channels(values[:, i].permute(0, 3, 1, 2), stops=stops[:, i]) for i in range(3)
        ]
        seen, label = clean, hdr.permute(0, 3, 1, 2).float()
        structure = _structure_of(crops, device)
        suffered = [view.corruption for view in views if view.corruption is not None]
        if suffered:
            seen, label = corrupted(clean, label, stops=stops, suffered=suffered)
            if structure is not None:
                structure = brightened(structure, suffered)
        under, reference, over = seen
        return CropBatch(
            frames=(under, reference, over),
            target=Target(
                label, trusted[:, None], _weights_of(crops, device) if self._weighed else None
            ),
            sigma=sigma[:, None].float(),
            weak=_weak_view(clean, views) if views[0].weak_too else None,
            structure=structure,
            stops=stops,
        )

    @property
    def places(self) -> list[dict[str, str | int]]:
        """Where the crops of the latest batch lie: scene, rows and columns from its corner."""
        return [
            {"scene": self._scenes[window.scene].id, "top": window.top, "left": window.left}
            for window in self._drawn
        ]

    def state(self) -> dict[str, Any]:
        """Where the pass stands; plain values and tensors."""
        return {"order": self._order, "next": self._next}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continues where `state` was taken; the scenes and labels must be the same."""
        self._order, self._next = state["order"], state["next"]

    def _take(self) -> Window:
        if self._next == len(self._order):
            self._order = torch.randperm(len(self.windows), generator=self._generator)
            self._next = 0
        self._next += 1
        return self.windows[int(self._order[self._next - 1])]

    def _moved_crop(self, window: Window, move: Augmentation) -> _Crop:
        scene, label = self._scenes[window.scene], self._labels[window.scene]
        place = (
            slice(window.top, window.top + self._crop),
            slice(window.left, window.left + self._crop),
        )
        hdr = cut_crop(label[0], place)
        plane = hdr.shape[:2]
        sigma = hdr.new_zeros(plane) if label[1] is None else cut_crop(label[1], place)
        trusted = (
            torch.ones(plane, dtype=torch.bool, device=hdr.device)
            if label[2] is None
            else cut_crop(label[2], place)
        )
        frames = label[4]
        return _Crop(
            frames=move.of_colours(
                self._stock.cut_frames(scene, place)
                if frames is None
                else cut_crop(frames, (slice(None), *place))
            ),
            hdr=move.of_colours(hdr),
            sigma=move.of_values(sigma),
            trusted=move.of_values(trusted),
            stops=scene.stops,
            structure=None if label[3] is None else move.of_colours(cut_crop(label[3], place)),
            weight=None if label[5] is None else move.of_values(cut_crop(label[5], place)),
        )


def _weights_of(crops: Sequence[_Crop], device: torch.device) -> Tensor:
    """B×1×S×S; a crop without weights counts each trusted pixel whole."""
    weights = [crop.trusted if crop.weight is None else crop.weight for crop in crops]
    return torch.stack([each.to(device).float() for each in weights])[:, None]


def _structure_of(crops: Sequence[_Crop], device: torch.device) -> Tensor | None:
    there = [crop.structure.to(device) for crop in crops if crop.structure is not None]
    return torch.stack(there).permute(0, 3, 1, 2).float() if there else None


def _weak_view(frames: Sequence[Tensor], views: Sequence[CropView]) -> WeakView:
    """The student's crops before they were spoiled, each channel back in its place."""
    under, reference, over = frames
    channels = torch.tensor([view.move.channels for view in views], device=under.device)
    back = channels.argsort(dim=1)
    places = torch.cat([back, back + 3], dim=1)[:, :, None, None]
    gains = under.new_tensor(
        [(1.0, 1.0, 1.0) if view.corruption is None else view.corruption.gains for view in views]
    )
    return WeakView(
        frames=(
            under.gather(1, places.expand_as(under)),
            reference.gather(1, places.expand_as(reference)),
            over.gather(1, places.expand_as(over)),
        ),
        channels=channels,
        gains=gains[:, :, None, None],
    )


def _label_on_device(
    label: SceneLabel, *, stock: SceneCache
) -> tuple[Image, Image | None, Image | None, Image | None, Image | None, Image | None]:
    """Radiance, σ, what is trusted, structure, and the bits of frames as `cut_frames` has them.

    Last the weights.
    """
    frames = None if label.frames is None else label.frames.view(np.int16)
    sigma, trusted, structure, frames_there, weight = (
        None if part is None else stock.placed(part)
        for part in (label.sigma, label.trusted, label.structure, frames, label.weight)
    )
    return stock.placed(label.hdr), sigma, trusted, structure, frames_there, weight


def _integral_image(mask: Mask) -> npt.NDArray[np.int64]:
    """How many pixels are trusted above and left of each corner: any window in four look-ups."""
    table = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), dtype=np.int64)
    table[1:, 1:] = mask.cumsum(0, dtype=np.int64).cumsum(1)
    return table


class TrainingData:
    """Makes crop sets of a project's scenes under one plan.

    `pictures` are marks of their files (`stamps.Comparison`), by which is known what was decoded
    of earlier ones.
    """

    def __init__(
        self,
        plan: TrainingPlan,
        *,
        scenes: Mapping[str, Scene],
        pictures: Mapping[str, int],
        frames: FrameStore,
        stock: SceneCache,
        randomness: RandomState,
    ) -> None:
        self._plan, self.scenes, self.frames = plan, scenes, frames
        self.pictures, self._stock, self.randomness = pictures, stock, randomness

    def others_than(self, scenes: Mapping[str, Scene], pictures: Mapping[str, int]) -> set[str]:
        """The scenes whose files are others by these marks, or whose frames are read otherwise."""
        others = {name for name, mark in pictures.items() if self.pictures.get(name, mark) != mark}
        return others | {
            name
            for name in self.scenes.keys() & scenes.keys()
            if (self.scenes[name].reading, self.scenes[name].frames)
            != (scenes[name].reading, scenes[name].frames)
        }

    def of(self, scenes: Mapping[str, Scene], *, pictures: Mapping[str, int]) -> "TrainingData":
        """The same with scenes and files as they are now, for the next round.

        What was decoded of other files, or read otherwise, is forgotten.
        """
        for name in self.others_than(scenes, pictures):
            self._stock.drop(name)
        return TrainingData(
            self._plan,
            scenes=scenes,
            pictures=pictures,
            frames=self.frames,
            stock=self._stock,
            randomness=self.randomness,
        )

    def labelled(self, label_set: LabelSet) -> CropSet:
        """Ground truths and promoted labels, weakly moved.

        Raises ProjectError where nothing is labelled, PlanError where a scene is too small,
        LabelError, BadScene or UnreadableImage where a file cannot be used.
        """
        names = [name for name, _ in label_set.labels]
        labels = {name: self._label(name, label_set) for name in names}
        crops = CropSet(
            [self.scenes[name] for name in names],
            labels=labels,
            stock=self._stock,
            plan=self._plan.batch,
            draw=self._draw_weak,
            generator=self.randomness.labelled,
        )
        if not len(crops):
            raise ProjectError(f"No scene has a label to learn from; {FIRST_LABEL}")
        return crops

    def unlabelled(self, labels: Mapping[str, SceneLabel]) -> CropSet:
        """The crops of a round that have a trusted pixel, strongly moved if the plan says so."""
        return CropSet(
            [self.scenes[name] for name in sorted(labels)],
            labels=labels,
            stock=self._stock,
            plan=self._plan.batch,
            draw=self._draw_strong,
            generator=self.randomness.unlabelled,
        )

    def _draw_weak(self) -> CropView:
        """Of a labelled crop."""
        move = weak_augmentation(self.randomness.moves)
        too = self._plan.student.labelled_too
        return CropView(move, self._draw_corruption() if too else None)

    def _draw_strong(self) -> CropView:
        """Of an unlabelled crop."""
        move = strong_augmentation if self._plan.strong_augmentation else weak_augmentation
        weak_too = self._plan.makes_rounds and self._plan.teacher.labels == "crops"
        return CropView(move(self.randomness.moves), self._draw_corruption(), weak_too)

    def _draw_corruption(self) -> Corruption | None:
        plan = self._plan
        if not suffers(plan.student):
            return None
        return draw_corruption(plan.student, crop=plan.batch.crop, generator=self.randomness.moves)

    def _label(self, name: str, label_set: LabelSet) -> SceneLabel:
        scene = self.scenes[name]
        if name in label_set.promoted:
            label = label_set.promoted[name]
            pixels = "all" if label.whole else self._plan.promoted_pixels
            return read_promoted_label(label.path, scene=scene, pixels=pixels)
        return SceneLabel(hdr=self.frames.ground_truth(scene))


def read_promoted_label(
    path: AnyPath, *, scene: Scene, pixels: Literal["trusted", "all"]
) -> SceneLabel:
    """A label as it was frozen when a person promoted it, with masks and brush of that moment.

    `pixels` says which of them the loss counts. Raises LabelError.
    """
    path = Path(path)
    label = read_pseudo_label(path, expect=(scene.height, scene.width))
    found, some = label.trust(person=label.person), pixels == "trusted"
    return SceneLabel(
        hdr=label.hdr,
        sigma=label.sigma.astype("float16"),
        trusted=found.trusted if some else None,
        weight=found.weight.astype("float16") if some and found.weight is not None else None,
    )
