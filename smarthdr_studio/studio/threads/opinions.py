"""Asking student or teacher of the newest checkpoint, or a model file, about one scene."""

import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from smarthdr_studio.core.bracket import Half, Scene
from smarthdr_studio.core.errors import CheckpointError
from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.studio.tasks import Report

if TYPE_CHECKING:
    from smarthdr_studio.learning.predictor import Predictor

Who = Literal["student", "teacher"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Opinion:
    """What a network of a checkpoint ("<run>, step 120") says of a scene.

    `through` names the model file it came from instead, if it did. `hdr` is H×W×3 linear radiance
    in [0, 1], `sigma` H×W in μ-law values.
    """

    who: Who
    scene: str
    checkpoint: str
    hdr: Half
    sigma: Floats
    through: str = ""


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

    def take(self, project: Path, *, who: Who, frames: FrameStore, model: Path | None) -> Asked:
        """The network of a model or of the newest checkpoint; it reads frames from `frames`."""
        from smarthdr_studio.learning.checkpoints import latest_checkpoint
        from smarthdr_studio.learning.model_files import read_card
        from smarthdr_studio.learning.opinion import load_predictor

        model = model or latest_checkpoint(project)
        if model is None:
            raise CheckpointError(f"{project}: no run has a checkpoint yet; train first")
        card = read_card(model, part=who)
        weights = card.weights
        with self._loading:
            held = self._held
            if held is not None and held[0] == weights:
                return held[1]._replace(predictor=replace(held[1].predictor, frames=frames))
            emptied = self.empty()  # before the next is loaded: there is never room for two
            predictor = load_predictor(model, who=who, frames=frames)
            asked = Asked(predictor, f"{card.run}, step {card.step}")
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


def ask(
    report: Report,
    *,
    project: Path,
    scene: str,
    who: Who,
    frames: FrameStore,
    model: Path | None = None,
) -> Opinion:
    """What one network says of a scene; gives up between two tiles.

    It is the newest checkpoint's, or that of `model`. Raises CheckpointError where there is none,
    and what `learning.opinion` raises.
    """
    words = f"asking the {who}" if model is None else f"asking {model.name}"
    report(words, 0, 0)
    with Project.open(project) as opened:
        found = opened.scene(scene)
    asked = network_of(project, who=who, frames=frames, model=model)
    report(words, 0, 0)
    hdr, sigma = predicted(report, asked, found, words=words)
    return Opinion(
        who=who,
        scene=scene,
        checkpoint=asked.checkpoint,
        hdr=hdr,
        sigma=sigma,
        through="" if model is None else model.name,
    )


def network_of(project: Path, *, who: Who, frames: FrameStore, model: Path | None = None) -> Asked:
    """A network of the newest checkpoint or of a model, kept for the next question.

    Raises CheckpointError.
    """
    return _shelf.take(project, who=who, frames=frames, model=model)


def predicted(report: Report, asked: Asked, scene: Scene, *, words: str) -> tuple[Half, Floats]:
    """Radiance and σ of a scene; `report` says `words` after each tile."""
    from smarthdr_studio.learning.opinion import ask as ask_network

    return ask_network(asked.predictor, scene, said=lambda done, total: report(words, done, total))


def forget() -> None:
    """Let go of the network that is kept: training needs the memory of the device."""
    _shelf.empty()
