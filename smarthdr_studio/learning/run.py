"""Everything a run has at one moment: who learns from what, and how far it has come."""

import math
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.events import (
    PhaseChanged,
    RoundFinished,
    StepReported,
    StepSkipped,
    Validated,
)
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.plan import SchedulePlan, TrainingPlan
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.learning.best import Best
from smarthdr_studio.learning.checkpoints import weights_hash
from smarthdr_studio.learning.crops import CropBatch, CropSet, windows
from smarthdr_studio.learning.inspection import WrongStep
from smarthdr_studio.learning.labelling import Origin, label_pool
from smarthdr_studio.learning.learner import Learner, Step
from smarthdr_studio.learning.material import Material
from smarthdr_studio.learning.pace import Pace
from smarthdr_studio.learning.predictor import Predictor
from smarthdr_studio.learning.progress import (
    EpochLengths,
    Progress,
    Remaining,
    remaining,
)
from smarthdr_studio.learning.roster import Roster, read_roster
from smarthdr_studio.learning.roster_words import changes
from smarthdr_studio.learning.rounds import open_round, round_path
from smarthdr_studio.learning.runtime import memory_held
from smarthdr_studio.learning.schedule import ScheduleChanges, learning_rate
from smarthdr_studio.learning.soundness import sound
from smarthdr_studio.learning.together import agreed_roster, kept_round
from smarthdr_studio.learning.validation import validate


class TrainingRun:
    """One run between two steps.

    Made by `opening.open_run`. Whatever happens inside a step, `keeping.save` keeps the moment
    before.
    """

    def __init__(
        self,
        plan: TrainingPlan,
        *,
        project: AnyPath,
        learner: Learner,
        predictor: Predictor,
        material: Material,
        roster: Roster,
    ) -> None:
        project = Path(project)
        self.plan, self.project = plan, project
        self.ranks = learner.ranks
        self.changes = ScheduleChanges()
        self.learner, self.predictor, self.material = learner, predictor, material
        self.roster = roster
        self.to_tell: tuple[str, ...] = ()  # changes that wait for the next round to be told
        self.plan_changes: tuple[str, ...] = ()  # what a resumed run does otherwise
        self.progress = Progress()
        self.labelled = material.labelled(roster)
        self.unlabelled: CropSet | None = None
        self.metrics: dict[str, float] = {}  # of the weights as they are, if they were checked
        self.best = Best()
        self.saved: tuple[object, ...] | None = None  # the moment that is on disk
        self.draws_before_step: dict[str, Any] | None = None
        self.skipped = self.skipped_in_a_row = 0  # steps that taught nothing
        self.wrong: WrongStep | None = None  # the latest of them, until its batch is kept
        self._pace = Pace()
        unlabelled = [material.scenes[name] for name in roster.unlabelled]
        self._expected_crops = len(windows(unlabelled, plan=plan.batch))

    @property
    def learns_from_pseudo_labels(self) -> bool:
        """Whether rounds are made at all."""
        return self.plan.makes_rounds

    @property
    def schedule(self) -> SchedulePlan:
        """The plan's, with what a person changed and is in force."""
        return self.changes.applied_to(self.plan.schedule)

    @property
    def in_warm_up(self) -> bool:
        """Whether the next step sees labels only."""
        return self.unlabelled is None or not len(self.unlabelled)

    @property
    def steps_in_epoch(self) -> int:
        """The length of the epoch that is going on."""
        lengths = self._lengths()
        return lengths.labels_only if self.in_warm_up else lengths.with_pseudo_labels

    @property
    def total_steps(self) -> int:
        """Steps of the whole run, as far as is known now: trust decides which crops count."""
        return self.progress.step + self._remaining().steps

    def want_round(self) -> str:
        """Ends the epoch here, so that a round is next; what will happen, in words."""
        if not self.learns_from_pseudo_labels:
            return "no next round: this run learns from labels only"
        at = self.progress
        self.progress = replace(at, round_wanted=True)
        ends = f"epoch {at.epoch + 1} ends here, " if at.step_in_epoch else ""
        return f"{ends}round {at.round + 1} is next"

    def take_step(self) -> StepReported | StepSkipped:
        """One gradient step on one batch."""
        begun = time.perf_counter()
        at = self.progress
        self.draws_before_step = self.draws()
        self.material.randomness.part_ways(rank=self.ranks.rank, step=at.step)
        labelled, unlabelled = self.batches()
        rate = learning_rate(self.schedule, epoch=at.epoch + at.step_in_epoch / self.steps_in_epoch)
        data_seconds = time.perf_counter() - begun
        taken = self.learner.step(labelled, unlabelled, rate=rate, step=at.step)
        self.progress = replace(at, step=at.step + 1, step_in_epoch=at.step_in_epoch + 1)
        self.draws_before_step, self.learner.is_changing = None, False
        if taken.wrong:
            return self._skip(taken, labelled, unlabelled, rate=rate)
        self.skipped_in_a_row, self.metrics = 0, {}
        seconds = time.perf_counter() - begun
        self._pace.step_took(seconds)
        images = len(labelled.sigma) + (0 if unlabelled is None else len(unlabelled.sigma))
        return StepReported(
            step=self.progress.step,
            epoch=at.epoch,
            losses=taken.losses,
            learning_rate=rate,
            images_per_second=images * self.ranks.size / self._pace.step_seconds,
            seconds_left=self._pace.seconds_left(self._remaining()),
            gradient_norm=taken.gradient_norm,
            distance=taken.distance,
            memory_bytes=memory_held(self.predictor.device),
            data_share=data_seconds / seconds,
        )

    def batches(self) -> tuple[CropBatch, CropBatch | None]:
        """This process's crops of the next step; no second half while labels alone teach."""
        sizes, place = self.plan.batch, self.ranks.place
        labelled = self.labelled.batch(sizes.labelled, place=place)
        if self.unlabelled is None or self.in_warm_up:
            return labelled, None
        return labelled, self.unlabelled.batch(sizes.unlabelled, place=place)

    def end_epoch(self) -> None:
        """The next step belongs to the next epoch; changes that waited for it are in force."""
        at = self.progress
        self.changes = self.changes.in_force()
        self.progress = replace(at, epoch=at.epoch + 1, step_in_epoch=0)

    def new_round(self, *, folder: RunFolder) -> Generator[PhaseChanged, None, RoundFinished]:
        """Reads what the person decided, labels the pool, and learns from those labels from now on.

        Until it returns the run is as it was before.
        """
        begun = time.perf_counter()
        at = self.progress
        now, scenes, persons = read_roster(self.project, plan=self.plan)
        roster = sound(now.holding_out(self.roster.held_out))
        roster, scenes = agreed_roster(roster, scenes, ranks=self.ranks, project=self.project)
        material = self.material.of(scenes)
        labelled = self._labelled_of(roster, material)
        origin = Origin(
            run=folder.id,
            round=at.round + 1,
            step=at.step,
            epoch=at.epoch,
            checkpoint=weights_hash(self.learner.teacher),
            network=self.plan.network.name,
        )
        pool = yield from label_pool(
            self.predictor,
            [scenes[name] for name in roster.unlabelled],
            persons=persons,
            pseudo=self.project / "pseudo",
            masks=roster.masks,
            origin=origin,
        )
        finished = kept_round(pool, folder=folder, number=origin.round, ranks=self.ranks)
        unlabelled = material.unlabelled(open_round(round_path(folder.path, number=origin.round)))
        told = (*self.to_tell, *changes(self.roster, roster))
        self.labelled, self.unlabelled, self.to_tell = labelled, unlabelled, ()
        self.material, self.roster = material, roster
        self.progress = replace(at, round=origin.round, last_round_at=at.epoch, round_wanted=False)
        self._pace.round_took(time.perf_counter() - begun)
        return replace(finished, changes=told)

    def validate(self) -> Generator[PhaseChanged, None, Validated]:
        """The teacher on the held-out labels; in the warm-up no check counts for the early stop."""
        begun = time.perf_counter()
        at = self.progress
        result = yield from validate(self.predictor, self.validated(), step=at.step, epoch=at.epoch)
        self.metrics = {"psnr_mu": result.psnr_mu, "psnr_l": result.psnr_l}
        counts = not self.learns_from_pseudo_labels or at.last_round_at is not None
        self.best = self.best.after(result.psnr_mu, step=at.step, epoch=at.epoch, counts=counts)
        self._pace.validation_took(time.perf_counter() - begun)
        return replace(result, best=self.best.step == at.step)

    def validated(self) -> list[Scene]:
        """The held-out scenes whose ground truth is there and sound."""
        roster = self.roster
        held_out = [self.material.scenes[n] for n in roster.held_out if n not in roster.damaged]
        return [scene for scene in held_out if scene.ground_truth is not None]

    def draws(self) -> dict[str, Any]:
        """Where every source of chance stands; nothing in it is changed later."""
        return {
            "randomness": self.material.randomness.state(),
            "labelled": self.labelled.state(),
            "unlabelled": None if self.unlabelled is None else self.unlabelled.state(),
        }

    def _skip(
        self, taken: Step, labelled: CropBatch, unlabelled: CropBatch | None, *, rate: float
    ) -> StepSkipped:
        """Counts a step that taught nothing, and holds its batch until it is kept."""
        self.skipped, self.skipped_in_a_row = self.skipped + 1, self.skipped_in_a_row + 1
        halves = {"labelled": (labelled, self.labelled.places)}
        if unlabelled is not None and self.unlabelled is not None:
            halves["unlabelled"] = (unlabelled, self.unlabelled.places)
        self.wrong = WrongStep(
            step=self.progress.step,
            epoch=self.progress.epoch,
            why=taken.wrong,
            losses=taken.losses,
            gradient_norm=taken.gradient_norm,
            learning_rate=rate,
            halves=halves,
        )
        return StepSkipped(
            step=self.progress.step,
            epoch=self.progress.epoch,
            why=taken.wrong,
            count=self.skipped,
        )

    def _labelled_of(self, roster: Roster, material: Material) -> CropSet:
        """The set in use where the labels are the same, so that its pass goes on."""
        return self.labelled if roster.labels == self.roster.labels else material.labelled(roster)

    def _lengths(self) -> EpochLengths:
        batch, cap = self.plan.batch, self.schedule.steps_per_epoch
        together = self.ranks.size
        labels_only = math.ceil(len(self.labelled) / (batch.labelled * together))
        learning = labels_only
        crops = self._expected_crops if self.unlabelled is None else len(self.unlabelled)
        if batch.unlabelled and crops:
            learning = math.ceil(crops / (batch.unlabelled * together))
        if cap is not None:
            labels_only, learning = min(labels_only, cap), min(learning, cap)
        return EpochLengths(labels_only=labels_only, with_pseudo_labels=learning)

    def _remaining(self) -> Remaining:
        return remaining(
            self.progress,
            schedule=self.schedule,
            lengths=self._lengths(),
            makes_rounds=self.learns_from_pseudo_labels,
        )
