"""Asking student or teacher of the newest checkpoint about one scene."""

import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from smarthdr_studio.core.bracket import Half, Scene
from smarthdr_studio.core.errors import CheckpointError
from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.studio.threads.task import Tell

if TYPE_CHECKING:
    from smarthdr_studio.learning.predictor import Predictor

Who = Literal["student", "teacher"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Opinion:
    """What a network of a checkpoint ("<run>, step 120") says of a scene.

    `hdr` is H×W×3 linear radiance in [0, 1], `sigma` H×W in μ-law values.
    """

    who: Who
    scene: str
    checkpoint: str
    hdr: Half
    sigma: Floats


class Asked(NamedTuple):
    """A network ready to be asked, and what its checkpoint is called."""

    predictor: "Predictor"
    checkpoint: str


class _Shelf:
    """Keeps the network that was asked last, so that a walk through scenes loads it once."""

    def __init__(self) -> None:
        self._loading, self._lock = threading.Lock(), threading.Lock()
        self._held: tuple[str, Asked] | None = None
        self._emptied = 0

    def take(self, project: Path, *, who: Who, frames: FrameStore) -> Asked:
        """The network of the newest checkpoint, which reads its frames from `frames`."""
        from smarthdr_studio.learning.checkpoints import latest_checkpoint, read_info
        from smarthdr_studio.learning.opinion import load_predictor

        checkpoint = latest_checkpoint(project)
        if checkpoint is None:
            raise CheckpointError(f"{project}: no run has a checkpoint yet; train first")
        info = read_info(checkpoint)
        weights = info.hashes.get(f"{who}.safetensors", "")
        with self._loading:
            held = self._held
            if held is not None and held[0] == weights:
                return held[1]._replace(predictor=replace(held[1].predictor, frames=frames))
            emptied = self.empty()  # before the next is loaded: there is never room for two
            predictor = load_predictor(checkpoint, who=who, frames=frames)
            asked = Asked(predictor, f"{info.run}, step {info.step}")
            with self._lock:
                if emptied == self._emptied:
                    self._held = weights, asked
            return asked

    def empty(self) -> int:
        """Keep nothing, nor what is being loaded; how often that was asked for."""
        with self._lock:
            self._held = None
            self._emptied += 1
            return self._emptied


_shelf = _Shelf()


def ask(tell: Tell, *, project: Path, scene: str, who: Who, frames: FrameStore) -> Opinion:
    """What one network of the newest checkpoint says of a scene; gives up between two tiles.

    Raises CheckpointError where there is no checkpoint yet, and what `learning.opinion` raises.
    """
    words = f"asking the {who}"
    tell(words, 0, 0)
    with Project.open(project) as opened:
        found = opened.scene(scene)
    asked = network_of(project, who=who, frames=frames)
    tell(words, 0, 0)
    hdr, sigma = predicted(tell, asked, found, words=words)
    return Opinion(who=who, scene=scene, checkpoint=asked.checkpoint, hdr=hdr, sigma=sigma)


def network_of(project: Path, *, who: Who, frames: FrameStore) -> Asked:
    """A network of the newest checkpoint, kept for the next question. Raises CheckpointError."""
    return _shelf.take(project, who=who, frames=frames)


def predicted(tell: Tell, asked: Asked, scene: Scene, *, words: str) -> tuple[Half, Floats]:
    """Radiance and σ of a scene; `tell` says `words` after each tile."""
    from smarthdr_studio.learning.opinion import ask as ask_network

    return ask_network(asked.predictor, scene, said=lambda done, total: tell(words, done, total))


def forget() -> None:
    """Let go of the network that is kept: training needs the memory of the device."""
    _shelf.empty()
