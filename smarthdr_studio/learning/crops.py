"""Crops of scenes, drawn in endless shuffled passes and made ready for a network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from smarthdr_studio.core.bracket import Half, Scene
from smarthdr_studio.core.crop_grid import grid
from smarthdr_studio.core.errors import PlanError
from smarthdr_studio.core.plan import BatchPlan
from smarthdr_studio.core.processes import ALONE, Place
from smarthdr_studio.learning.augmentation import Move
from smarthdr_studio.learning.losses import Target
from smarthdr_studio.learning.radiometry import six_channels
from smarthdr_studio.learning.stock import Picture, SceneStock, camera_values, cut

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SceneLabel:
    """What the crops of one scene are held against."""

    hdr: Half
    """H×W×3 linear radiance."""
    sigma: Half | None = None
    """H×W uncertainty in μ-law values; None is a ground truth, which is certain."""
    trusted: Mask | None = None
    """H×W, True where the loss counts; None counts every pixel."""


class Window(NamedTuple):
    """Where a crop lies."""

    scene: int
    top: int
    left: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CropBatch:
    """B crops on the device: frames in, target out."""

    frames: tuple[Tensor, Tensor, Tensor]
    """Under, reference, over: B×6×S×S, radiance then camera values."""
    target: Target
    sigma: Tensor
    """B×1×S×S uncertainty of the label itself; 0 for ground truths."""


class _Crop(NamedTuple):
    frames: Tensor  # 3×S×S×3, bits of 16-bit values
    hdr: Tensor  # S×S×3
    sigma: Tensor  # S×S
    trusted: Tensor  # S×S
    stops: tuple[float, float, float]


def windows(scenes: Sequence[Scene], *, plan: BatchPlan) -> list[Window]:
    """Every crop of every scene. Raises PlanError where a scene is smaller than one crop."""
    found: list[Window] = []
    for index, scene in enumerate(scenes):
        if min(scene.height, scene.width) < plan.crop:
            raise PlanError(
                f"batch.crop is {plan.crop}, but scene {scene.id} is only {scene.width}×"
                f"{scene.height}: choose a smaller crop or exclude the scene"
            )
        tops = grid(scene.height, crop=plan.crop, stride=plan.stride)
        lefts = grid(scene.width, crop=plan.crop, stride=plan.stride)
        found += [Window(index, top, left) for top in tops for left in lefts]
    return found


def trusted_windows(
    found: Sequence[Window], masks: Sequence[Mask | None], *, crop: int
) -> list[Window]:
    """The crops that have at least one trusted pixel; without a mask all have."""
    kept: list[Window] = []
    tables = [None if mask is None else _summed(mask) for mask in masks]
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
        stock: SceneStock,
        plan: BatchPlan,
        draw: Callable[[], Move],
        generator: torch.Generator,
    ) -> None:
        self._scenes, self._stock, self._crop = tuple(scenes), stock, plan.crop
        self._draw, self._generator = draw, generator
        masks = [labels[scene.id].trusted for scene in scenes]
        self.windows = trusted_windows(windows(scenes, plan=plan), masks, crop=plan.crop)
        self._labels = [_placed(labels[scene.id], stock=stock) for scene in scenes]
        self._order = torch.empty(0, dtype=torch.int64)
        self._next = 0
        self._drawn: tuple[Window, ...] = ()  # those of the latest batch

    def __len__(self) -> int:
        return len(self.windows)

    def batch(self, count: int, *, place: Place = ALONE) -> CropBatch:
        """The next `count` crops, each moved by a draw of its own.

        Several processes draw alike, as many for each, and each cuts its own.
        """
        drawn = [(self._take(), self._draw()) for _ in range(count * place.size)]
        own = drawn[place.rank * count : (place.rank + 1) * count]
        self._drawn = tuple(window for window, _ in own)
        crops = [self._moved_crop(window, move) for window, move in own]
        device = self._stock.device
        frames, hdr, sigma, trusted = (
            torch.stack([picture.to(device) for picture in pictures])
            for pictures in list(zip(*crops, strict=True))[:4]
        )
        values = camera_values(frames)
        stops = torch.tensor([crop.stops for crop in crops], device=device)
        under, reference, over = (
            six_channels(values[:, i].permute(0, 3, 1, 2), stops=stops[:, i]) for i in range(3)
        )
        return CropBatch(
            frames=(under, reference, over),
            target=Target(hdr.permute(0, 3, 1, 2).float(), trusted[:, None]),
            sigma=sigma[:, None].float(),
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

    def _moved_crop(self, window: Window, move: Move) -> _Crop:
        scene, label = self._scenes[window.scene], self._labels[window.scene]
        place = (
            slice(window.top, window.top + self._crop),
            slice(window.left, window.left + self._crop),
        )
        hdr = cut(label[0], place)
        plane = hdr.shape[:2]
        sigma = hdr.new_zeros(plane) if label[1] is None else cut(label[1], place)
        trusted = (
            torch.ones(plane, dtype=torch.bool, device=hdr.device)
            if label[2] is None
            else cut(label[2], place)
        )
        return _Crop(
            frames=move.of_colours(self._stock.cut_frames(scene, place)),
            hdr=move.of_colours(hdr),
            sigma=move.of_values(sigma),
            trusted=move.of_values(trusted),
            stops=scene.stops,
        )


def _placed(
    label: SceneLabel, *, stock: SceneStock
) -> tuple[Picture, Picture | None, Picture | None]:
    sigma, trusted = (
        None if part is None else stock.placed(part) for part in (label.sigma, label.trusted)
    )
    return stock.placed(label.hdr), sigma, trusted


def _summed(mask: Mask) -> npt.NDArray[np.int64]:
    """How many pixels are trusted above and left of each corner: any window in four look-ups."""
    table = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), dtype=np.int64)
    table[1:, 1:] = mask.cumsum(0, dtype=np.int64).cumsum(1)
    return table
