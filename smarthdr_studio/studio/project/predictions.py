"""What a network says of a scene when asked now, and what one said in a past round."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.errors import CheckpointError
from smarthdr_studio.core.imaging.bracket import FrameStore, Half, Scene
from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.round_files import open_round_file, round_path
from smarthdr_studio.core.training.round_history import RunHistory, read_history, strip_now
from smarthdr_studio.core.training.rounds import RoundRecord, recorded_rounds
from smarthdr_studio.core.training.run_folder import RunFolder, run_folders
from smarthdr_studio.core.trust.masking import MaskSettings, Range, Trust, expand, limit, span
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import HeatStrip, Notice
from smarthdr_studio.studio.tasks import How, LatestTask, Report, TaskRunner

if TYPE_CHECKING:
    from smarthdr_studio.learning.inference import Predictor

Who = Literal["student", "teacher"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScenePrediction:
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
    """A network ready to be asked, what its checkpoint is called, and of which run that is.

    `views` is how many its run asks it for where it labels.
    """

    predictor: "Predictor"
    checkpoint: str
    run: str
    views: int = 1

    @property
    def labelling(self) -> "Asked":
        """The same, asked as the rounds of its run ask it."""
        return self._replace(predictor=self.predictor.asking(self.views))


class _Shelf:
    """Keeps the network that was asked last, so that a walk through scenes loads it once."""

    def __init__(self) -> None:
        self._loading, self._lock = threading.Lock(), threading.Lock()
        self._held: tuple[str, Asked] | None = None
        self._emptied = 0

    def take(self, project: Path, *, who: Who, frames: FrameStore, model: Path | None) -> Asked:
        """The network of a model or of the newest checkpoint; it reads frames from `frames`."""
        from smarthdr_studio.learning.checkpoints import latest_checkpoint
        from smarthdr_studio.learning.model_files import load_predictor, read_card, views_of_labels

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
            views = views_of_labels(model)
            asked = Asked(predictor, f"{card.run}, step {card.step}", card.run, views)
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
) -> ScenePrediction:
    """What one network says of a scene; gives up between two tiles.

    It is the newest checkpoint's, or that of `model`. Raises CheckpointError where there is none,
    and what `learning.prediction` raises.
    """
    words = f"asking the {who}" if model is None else f"asking {model.name}"
    report(words, 0, 0)
    with Project.open(project) as opened:
        found = opened.scene(scene)
    asked = network_of(project, who=who, frames=frames, model=model)
    report(words, 0, 0)
    hdr, sigma = predicted(report, asked, found, words=words)
    return ScenePrediction(
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
    from smarthdr_studio.learning.inference import run_predictor as ask_network

    return ask_network(asked.predictor, scene, said=lambda done, total: report(words, done, total))


def forget() -> None:
    """Let go of the network that is kept: training needs the memory of the device."""
    _shelf.empty()


def look_at_model(report: Report, *, model: Path) -> str:
    """What a model file is, in a few words. Raises CheckpointError."""
    report(f"reading {model.name}", 0, 0)
    from smarthdr_studio.learning.model_files import load_model

    _, card = load_model(model)
    return f"{card.title}, network {card.network}"


Question = tuple[str, Who]

_KEPT: Final = 6  # answers; the newest scenes are those gone back to


class PredictionController(QObject):
    """One question at a time; the newest is the one that matters, so an older one is given up."""

    came = Signal(object)
    turned = Signal()  # another network is asked from now on

    def __init__(self, store: Store, tasks: TaskRunner) -> None:
        super().__init__(store)
        self._store = store
        self._asking, self._picking = (LatestTask(tasks, how=How(shown=True)) for _ in range(2))
        self._asked: Question | None = None  # asked last
        self._known: OrderedDict[Question, ScenePrediction] = OrderedDict()
        self._refused_once: set[Question] = set()
        self._model: Path | None = None
        store.switched.connect(self._switch)

    @property
    def held_bytes(self) -> int:
        """Memory held by answers."""
        return sum(each.hdr.nbytes + each.sigma.nbytes for each in self._known.values())

    @Slot()
    def _switch(self) -> None:
        self._model = None
        self.forget()

    def look_through(self, model: Path | None) -> None:
        """Ask a model file from now on, once it has been read; None asks the newest checkpoint."""
        if model is not None:
            self._picking.start(
                partial(look_at_model, model=model), partial(self._picked_file, model)
            )
        elif self._model is not None:
            self._turn_to(None)
            self._store.notice(Notice(text="The newest checkpoint is looked through again."))

    def forget(self) -> None:
        """A newer checkpoint may say something else; its networks give their memory back."""
        self._known.clear()
        self._refused_once.clear()
        self._asking.cancel()
        forget()

    def give_up(self) -> None:
        """Nobody wants to wait for the answer under way; it is not asked for again."""
        if self._asking.at_work and self._asked is not None:
            self._refused_once.add(self._asked)
            self._asking.cancel()

    def ask(self, scene: str, who: Who, *, frames: FrameStore) -> None:
        """The answer comes as `came`: at once where it is known, else when the network is done."""
        question: Question = (scene, who)
        if question in self._known:
            self._known.move_to_end(question)
            self.came.emit(self._known[question])
        elif question in self._refused_once:
            self._asking.cancel()
        elif not self._asking.at_work or question != self._asked:
            self._begin(question, frames)

    def _begin(self, question: Question, frames: FrameStore) -> None:
        if self._store.project is None:
            return
        self._asked = question
        scene, who = question
        job = partial(ask, project=self._store.project.folder, scene=scene, who=who, frames=frames)
        if self._model is not None:
            job = partial(job, model=self._model)
        self._asking.start(job, partial(self._answered, question), partial(self._refused, question))

    def _picked_file(self, model: Path, about: str) -> None:
        if self._store.project is not None:
            self._turn_to(model)
            words = f"{model.name} is looked through: {about}."
            self._store.notice(Notice(text=words))

    def _turn_to(self, model: Path | None) -> None:
        self._model = model
        self.forget()
        self.turned.emit()

    def _answered(self, question: Question, prediction: ScenePrediction) -> None:
        self._known[question] = prediction
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        self.came.emit(prediction)

    def _refused(self, question: Question, message: str) -> None:
        self._refused_once.add(question)
        self._store.complain(message)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Replay:
    """The pseudo-label of one scene in a past round, and what the loss counted of it then.

    σ was kept as half floats, so a pixel that lies on a threshold may change sides.
    """

    hdr: Half
    sigma: Floats
    trusted: npt.NDArray[np.bool_] | None = None


def read_run_history(
    report: Report, *, project: Path, known: RunHistory | None = None
) -> RunHistory | None:
    """The history of the newest run that has records; what is in `known` is not read again."""
    report("reading the rounds of the last run", 0, 0)
    newest = next((run for run in run_folders(project) if recorded_rounds(run.path)), None)
    if newest is None:
        return None
    return read_history(
        newest,
        known=known if known is not None and known.run == newest.id else None,
        said=lambda done, total: report("reading the rounds of the last run", done, total),
    )


def read_replay(
    *,
    run_folder: RunFolder,
    round: int,  # noqa: A002 - the word of the house
    scene: str,
) -> Replay | None:
    """A scene in a past round; None where its maps are no longer kept or it took no part.

    Raises LabelError where the file is damaged.
    """
    path = round_path(run_folder.path, number=round)
    if not path.is_file():
        return None
    maps = open_round_file(path).get(scene)
    if maps is None or maps.sigma is None:
        return None
    # Copied, so that nothing on the screen hangs on a file that training may drop.
    return Replay(
        hdr=np.array(maps.hdr),
        sigma=maps.sigma.astype(np.float32),
        trusted=None if maps.trusted is None else np.array(maps.trusted),
    )


def strip_of_now(report: Report, *, history: RunHistory, masks: MaskSettings) -> HeatStrip:
    """The heat strip, had these masks been in use from the first round on."""
    words = "counting every round anew"
    return HeatStrip(
        run=history.run,
        rounds=tuple(record.round for record in history.records),
        scenes=history.scenes,
        shares=strip_now(history, masks, said=lambda done, total: report(words, done, total)),
        now=True,
    )


def patches_of_round(
    record: RoundRecord, scene: str, masks: MaskSettings, *, size: tuple[int, int]
) -> Trust | None:
    """The patch gate of a round whose maps are gone, over a scene of this width and height.

    Its pixel gate is not known any more, so it lets everything pass.
    """
    held = record.statistics.get(scene)
    width, height = size
    columns = -(-width // masks.patch_size)
    if held is None or held.patch_size != masks.patch_size or held.patches % columns:
        return None
    ends = masks.patches.fixed_range or record.patch_range or span(held.means, masks.patches)
    open_patches = held.means.reshape(-1, columns) <= limit(ends, masks.tau_patch)
    kept = expand(open_patches, size=masks.patch_size, height=height, width=width)
    every = np.ones((height, width), bool)
    return Trust(open_patches, every, np.ascontiguousarray(kept), ends, Range(0.0, 0.0))
