"""Whether an exported model answers as ours does: both are asked about the same crops."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from smarthdr_studio.core.bracket import Bracket
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.radiance import Frame, unit_ldr
from smarthdr_studio.learning.export_graphs import Answer, Frames
from smarthdr_studio.learning.networks import FusionNetwork
from smarthdr_studio.learning.radiometry import mu_law, six_channels

TOLERANCE: Final = 1e-3
"""How far an exported model may be from ours, in μ-law values: a quarter of a step of 8 bits."""

_REAL: Final = 2
_STOPS: Final = (0.0, 2.0, 4.0)


def crops(tile: int, *, project: AnyPath | None) -> list[Frames]:
    """Two of noise at once, and the middles of two scenes where there is a project; B×6×S×S."""
    project = None if project is None else Path(project)
    generator = torch.Generator().manual_seed(1)
    made = [_noise(generator, tile, batch=2), _noise(generator, tile, batch=1)][
        : 1 if project else 2
    ]
    if project is not None:
        made += islice(_real(project, tile), _REAL)
    return made


def difference(answer: Answer, network: FusionNetwork, frames: Frames) -> float:
    """The largest difference of one pixel in μ-law values, of picture and σ; infinite for NaN."""
    with torch.inference_mode():
        ours = network(*frames)
    hdr, sigma = (torch.from_numpy(np.array(part)) for part in answer(frames))
    apart = [mu_law(hdr.clamp(min=0)) - mu_law(ours.hdr), sigma - ours.sigma]
    largest = max(float(part.abs().max()) for part in apart)
    return largest if np.isfinite(largest) else float("inf")


def _noise(generator: torch.Generator, tile: int, *, batch: int) -> Frames:
    ldr = [torch.rand((batch, 3, tile, tile), generator=generator) for _ in _STOPS]
    return _as_read(ldr, _STOPS)


def _real(project: Path, tile: int) -> Iterator[Frames]:
    """Middles of scenes that can be read, the first ones of the project."""
    store = FrameStore()
    with Project.open(project) as opened:
        scenes = opened.scenes
    for scene in scenes:
        try:
            bracket = store.bracket(scene)
        except StudioError:
            continue
        yield _middle(bracket, tile)


def _middle(bracket: Bracket, tile: int) -> Frames:
    height, width, _ = bracket.reference.shape
    top, left = max(0, (height - tile) // 2), max(0, (width - tile) // 2)
    below, right = max(0, tile - height), max(0, tile - width)

    def cut(frame: Frame) -> Tensor:
        piece = unit_ldr(frame[top : top + tile, left : left + tile])
        piece = np.pad(piece, ((0, below), (0, right), (0, 0)), mode="edge")
        return torch.from_numpy(np.ascontiguousarray(piece)).permute(2, 0, 1)[None]

    return _as_read([cut(frame) for frame in bracket.frames], bracket.stops)


def _as_read(ldr: list[Tensor], stops: tuple[float, ...]) -> Frames:
    under, reference, over = (
        six_channels(frame, stops=above).contiguous()
        for frame, above in zip(ldr, stops, strict=True)
    )
    return under, reference, over
