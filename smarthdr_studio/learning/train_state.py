"""A training run between two steps: who learns from what, and how far it is."""

import math
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import AnyPath, place_in
from smarthdr_studio.core.imaging.bracket import Scene
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.training.events import (
    PhaseChanged,
    RoundFinished,
    StepReported,
    StepSkipped,
    Validated,
)
from smarthdr_studio.core.training.plan import TrainingPlan
from smarthdr_studio.core.training.plan_sections import SchedulePlan
from smarthdr_studio.core.training.round_files import round_path
from smarthdr_studio.core.training.run_folder import RunFolder
from smarthdr_studio.core.training.run_lock import RunHold
from smarthdr_studio.core.trust.adaptive_thresholds import RunningScores, chosen_labels
from smarthdr_studio.core.trust.brush import Brush
from smarthdr_studio.learning.checkpoints import weights_hash
from smarthdr_studio.learning.compute import memory_in_use
from smarthdr_studio.learning.crops import CropBatch, CropSet, TrainingData, crop_windows
from smarthdr_studio.learning.evaluation import validate
from smarthdr_studio.learning.failures import SkippedBatch
from smarthdr_studio.learning.inference import Predictor
from smarthdr_studio.learning.label_set import (
    DecidedSince,
    LabelSet,
    label_changes,
    read_label_set,
    without_damaged,
)
from smarthdr_studio.learning.mean_teacher import MeanTeacher, StepResult
from smarthdr_studio.learning.methods import Lesson, StageScenes, stage_at, staged_method
from smarthdr_studio.learning.pseudo_labelling import (
    LabelledPool,
    Origin,
    RoundThresholds,
    agree_on_label_set,
    label_pool,
    open_round,
    publish_round,
)
from smarthdr_studio.learning.schedule import (
    BestValidation,
    EpochLengths,
    Progress,
    Remaining,
    ScheduleChanges,
    StepTimer,
    learning_rate,
    ramp_up,
    remaining,
)


class TrainingRun:
    """One run between two steps.

    Made by `run_setup.open_run`. Whatever happens inside a step, `save_run` keeps the moment
    before.
    """

    def __init__(
        self,
        plan: TrainingPlan,
        *,
        project: AnyPath,
        learner: MeanTeacher,
        predictor: Predictor,
        material: TrainingData,
        label_set: LabelSet,
    ) -> None:
        project = Path(project)
        self.plan, self.project = plan, project
        self.ranks = learner.ranks
        self.changes = ScheduleChanges()
        self.learner, self.predictor, self.material = learner, predictor, material
        self.label_set = label_set
        self.to_tell: tuple[str, ...] = ()  # changes that wait for the next round to be told
        self.plan_changes: tuple[str, ...] = ()  # what a resumed run does otherwise
        self.changes_wait = False  # of a resumed run: for the next round, what was decided since
        self.precision_why = ""  # as RunStarted tells it
        self.hold = RunHold()  # of the first process, which alone writes
        self.progress = Progress()
        self.method = staged_method(plan)
        self.lesson: Lesson | None = None  # of the stage that is going on
        self.labelled = self._labelled_crops(label_set, material)
        self.unlabelled: CropSet | None = None
        self.metrics: dict[str, float] = {}  # of the weights as they are, if they were checked
        self.best = BestValidation()
        self.saved: tuple[object, ...] | None = None  # the moment that is on disk
        self.draws_before_step: dict[str, Any] | None = None
        self.gap = Gap()
        self.running_scores: RunningScores | None = None  # of the first process
        self.skipped = self.skipped_in_a_row = 0  # steps that taught nothing
        self.wrong: SkippedBatch | None = None  # the latest of them, until its batch is kept
        self._pace = StepTimer()
        unlabelled = [material.scenes[name] for name in self.learned_from]
        self._expected_crops = len(crop_windows(unlabelled, plan=plan.batch))
        if self.labelled is None and not self._expected_crops:
            raise ProjectError(
                f"{project}: no scene is left to learn from; restore one that is excluded"
            )

    @property
    def learns_from_pseudo_labels(self) -> bool:
        """Whether rounds are made at all."""
        return self.plan.makes_rounds

    @property
    def learned_from(self) -> tuple[str, ...]:
        """The scenes beside labels: those to be pseudo-labelled, or all where no label is used."""
        of = self.label_set
        if self.plan.needs_labels:
            return of.unlabelled
        return tuple(sorted({*of.unlabelled, *of.labelled, *of.promoted}))

    @property
    def stage_due(self) -> bool:
        """Whether the next step belongs to a stage that has not begun, or is to be made again."""
        method, at = self.method, self.progress
        if method is None:
            return False
        number = stage_at(method.stages, at.epoch)
        if number != at.stage:
            return True
        again = method.stages[number - 1].remade and not at.step_in_epoch
        return again and at.epoch - at.stage_made >= self.schedule.refresh_every

    @property
    def schedule(self) -> SchedulePlan:
        """The plan's, with what a person changed and is in force."""
        return self.changes.applied_to(self.plan.schedule)

    @property
    def labels_again(self) -> bool:
        """Whether pseudo-labels are made more than once, in rounds or for a stage."""
        stages = () if self.method is None else self.method.stages
        return self.learns_from_pseudo_labels or any(stage.remade for stage in stages)

    @property
    def in_warm_up(self) -> bool:
        """Whether the next step sees labels only."""
        return self.unlabelled is None or not len(self.unlabelled)

    @property
    def steps_in_epoch(self) -> int:
        """The length of the epoch that is going on.

        A run without rounds stands beside one that has them: after the warm-up its epochs are as
        long, so that both take the same steps.
        """
        lengths = self._lengths()
        if self.learns_from_pseudo_labels:
            return lengths.labels_only if self.in_warm_up else lengths.with_pseudo_labels
        warming_up = self.progress.epoch < self.schedule.warmup_epochs
        return lengths.labels_only if warming_up else lengths.with_pseudo_labels

    @property
    def total_steps(self) -> int:
        """Steps of the whole run, as far as is known now: trust decides which crops count."""
        return self.progress.step + self._remaining(self.schedule).steps

    @property
    def rounds_left(self) -> int:
        """How many rounds are planned to come that steps follow after, with what was asked for."""
        return self._remaining(self.changes.in_force().applied_to(self.plan.schedule)).learned_from

    @property
    def is_over(self) -> bool:
        """Whether no epoch follows: all are done, or the checks have not been better for long."""
        schedule = self.schedule
        return self.progress.epoch >= schedule.epochs or self.best.is_stalled(schedule.early_stop)

    def compute_in(self, precision: torch.dtype, *, why: str) -> None:
        """Student and teacher compute so; asked before the first step. `why` is for RunStarted."""
        self.learner.computation.precision = precision
        self.predictor = replace(self.predictor, precision=precision)
        self.precision_why = why

    def want_round(self) -> str:
        """Ends the epoch here, so that a round is next; what will happen, in words."""
        if not self.learns_from_pseudo_labels:
            if self.method is not None:
                return "no next round: this run makes its pseudo-labels when it is done"
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
        now = self._epochs_gone()
        stage_begun = self.method.stages[at.stage - 1].begins if self.method is not None else 0
        rate = learning_rate(self.schedule, epoch=now, stage_begun=stage_begun)
        begun_at = now if at.first_round_at is None else at.first_round_at
        ramp = ramp_up(self.plan.loss.ramp_up, since=now - begun_at)
        if self.lesson is not None:
            ramp = self.lesson.weight(at.epoch)
        data_seconds = time.perf_counter() - begun
        taken = self.learner.step(labelled, unlabelled, rate=rate, step=at.step, ramp=ramp)
        self.progress = replace(at, step=at.step + 1, step_in_epoch=at.step_in_epoch + 1)
        self.draws_before_step, self.learner.is_changing = None, False
        if taken.wrong:
            return self._skip(taken, labelled, unlabelled, rate=rate)
        self.skipped_in_a_row, self.metrics = 0, {}
        self.gap = self.gap.after(taken.losses.get("unlabelled_reconstruction"))
        seconds = time.perf_counter() - begun
        self._pace.step_took(seconds)
        images = sum(len(half.sigma) for half in (labelled, unlabelled) if half is not None)
        return StepReported(
            step=self.progress.step,
            epoch=at.epoch,
            losses=taken.losses,
            learning_rate=rate,
            images_per_second=images * self.ranks.size / self._pace.step_seconds,
            seconds_left=self._pace.seconds_left(self._remaining(self.schedule)),
            gradient_norm=taken.gradient_norm,
            distance=taken.distance,
            memory_bytes=memory_in_use(self.predictor.device),
            data_share=data_seconds / seconds,
        )

    def batches(self) -> tuple[CropBatch | None, CropBatch | None]:
        """This process's crops of the next step; no second half while labels alone teach.

        Nor a first one where a method has no labels.
        """
        sizes, place, lesson = self.plan.batch, self.ranks.place, self.lesson
        labelled = unlabelled = None
        if self.labelled is not None and (lesson is None or lesson.losses[0] is not None):
            labelled = self.labelled.batch(sizes.labelled, place=place)
        if self.unlabelled is not None and not self.in_warm_up:
            unlabelled = self.unlabelled.batch(sizes.unlabelled, place=place)
            if lesson is not None and lesson.shown is not None:
                chance = torch.randint(2**62, (), generator=self.material.randomness.moves)
                unlabelled = lesson.shown(unlabelled, int(chance) + place.rank)
        return labelled, unlabelled

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
        now, scenes, manual_masks, pictures = read_label_set(self.project, plan=self.plan)
        label_set = without_damaged(now.holding_out(self.label_set.held_out), pictures=pictures)
        label_set, scenes = agree_on_label_set(
            label_set, scenes, ranks=self.ranks, project=self.project
        )
        material = self.material.of(scenes, pictures=pictures.marks)
        labelled = self._labelled_of(label_set, material)
        origin = Origin(
            run=folder.id,
            round=at.round + 1,
            step=at.step,
            epoch=at.epoch,
            checkpoint=weights_hash(self.learner.teacher),
            network=self.plan.network.name,
            uncertainty=self.plan.teacher.uncertainty,
        )
        pool = yield from self._label_pool(label_set, scenes, manual_masks, origin=origin)
        self.hold.refuse_lost()
        finished = publish_round(pool, folder=folder, number=origin.round, ranks=self.ranks)
        unlabelled = material.unlabelled(open_round(round_path(folder.path, number=origin.round)))
        since = "from the next run on" if self.is_over else "from this round on"
        told = (*self.to_tell, *label_changes(self.label_set, label_set, since=since))
        self.labelled, self.unlabelled, self.to_tell = labelled, unlabelled, ()
        self.material, self.label_set = material, label_set
        self._begin_round(origin.round)
        changes = (*told, *finished.changes)
        left = self.rounds_left
        finished = replace(finished, gap=self.gap.mean, changes=changes, rounds_left=left)
        self.gap = Gap()
        self.running_scores = None if pool is None else pool.running
        self._pace.round_took(time.perf_counter() - begun)
        return finished

    def _label_pool(
        self,
        label_set: LabelSet,
        scenes: Mapping[str, Scene],
        manual_masks: Mapping[str, Brush],
        *,
        origin: Origin,
    ) -> Generator[PhaseChanged, None, LabelledPool | None]:
        """What the teacher says of every unlabelled scene, written where nobody decided since."""
        then = dict.fromkeys(label_set.unlabelled, Status.UNLABELLED)
        with DecidedSince(self.project, then) as decided:
            return (
                yield from label_pool(
                    self.predictor.asking(self.plan.teacher.views, self.plan.teacher.uncertainty),
                    [scenes[name] for name in label_set.unlabelled],
                    manual_masks=manual_masks,
                    pseudo=place_in(self.project, "pseudo"),
                    masks=label_set.masks,
                    origin=origin,
                    thresholds=self._round_thresholds(label_set, scenes),
                    left_alone=decided,
                )
            )

    def _round_thresholds(
        self, label_set: LabelSet, scenes: Mapping[str, Scene]
    ) -> RoundThresholds | None:
        """What the next round draws its thresholds from; None where they are as decided."""
        masks = self.plan.masks
        if masks.threshold == "fixed" and not masks.calibrate:
            return None
        held_out = [name for name in label_set.held_out if name not in label_set.damaged]
        names = chosen_labels(held_out, label_set.labelled)
        return RoundThresholds(
            plan=masks,
            labelled=[scenes[name] for name in names if scenes[name].ground_truth is not None],
            held_out=frozenset(held_out),
            running=self.running_scores,
        )

    def begin_stage(self, *, folder: RunFolder) -> Generator[PhaseChanged, None, None]:
        """Makes what the next stage of the method learns from; its network begins anew.

        Until it returns the run is as it was before. Of several processes the first one makes it.
        """
        method, at = self.method, self.progress
        assert method is not None
        number = stage_at(method.stages, at.epoch)
        if self.ranks.is_first:
            yield from method.prepare(
                number,
                made=at.epoch,
                scenes=self._stage_scenes(),
                predictor=self.predictor,
                run=folder.path,
                step=at.step,
            )
        self.ranks.told(None)
        after = replace(at, stage=number, stage_made=at.epoch)
        self._learn_in(after, folder=folder)
        if number != at.stage:
            if number > 1 and method.stages[number - 1].anew:
                self.learner.begin_anew(seed=self.plan.seed + number)
            self.best = BestValidation()
        self.progress = after

    def go_on_in_stage(self, draws: Mapping[str, Any], *, folder: RunFolder) -> None:
        """Continues in the stage that was going on; `draws` is where its crops stood.

        Raises CheckpointError where what the stage learns from cannot be read.
        """
        if self.method is None or not self.progress.stage:
            return
        self._learn_in(self.progress, folder=folder)
        if self.unlabelled is not None and draws["unlabelled"] is not None:
            restore_order(self.unlabelled, draws["unlabelled"])

    def _learn_in(self, at: Progress, *, folder: RunFolder) -> None:
        """The steps to come learn what the stage of that moment teaches."""
        assert self.method is not None
        self.lesson = self.method.lesson(
            at.stage, made=at.stage_made, scenes=self._stage_scenes(), run=folder.path
        )
        self.unlabelled = self.material.unlabelled(self.lesson.labels)
        self.learner.stage_losses = self.lesson.losses

    def _stage_scenes(self) -> StageScenes:
        of = self.label_set
        labelled, unlabelled = (
            [self.material.scenes[name] for name in names]
            for names in ((name for name, _ in of.labels), of.unlabelled)
        )
        return StageScenes(labelled=labelled, unlabelled=unlabelled)

    def _begin_round(self, number: int) -> None:
        at = self.progress
        first = self._epochs_gone() if at.first_round_at is None else at.first_round_at
        self.progress = replace(
            at,
            round=number,
            last_round_at=at.epoch,
            last_round_step=at.step,
            first_round_at=first,
            round_wanted=False,
        )

    def validate(self) -> Generator[PhaseChanged, None, Validated]:
        """The teacher on the held-out labels; in the warm-up no check counts for the early stop."""
        begun = time.perf_counter()
        at = self.progress
        predictor = self.predictor.asking(uncertainty=self.plan.teacher.uncertainty)
        result = yield from validate(predictor, self.validated(), step=at.step, epoch=at.epoch)
        self.metrics = {"psnr_mu": result.psnr_mu, "psnr_l": result.psnr_l}
        counts = not self.learns_from_pseudo_labels or at.last_round_at is not None
        self.best = self.best.after(result.psnr_mu, step=at.step, epoch=at.epoch, counts=counts)
        self._pace.validation_took(time.perf_counter() - begun)
        return replace(result, best=self.best.step == at.step)

    def validated(self) -> list[Scene]:
        """The held-out scenes whose ground truth is there and sound; none before the last stage."""
        label_set, method = self.label_set, self.method
        if method is not None and self.progress.stage < len(method.stages):
            return []
        held_out = [
            self.material.scenes[n] for n in label_set.held_out if n not in label_set.damaged
        ]
        return [scene for scene in held_out if scene.ground_truth is not None]

    def draws(self) -> dict[str, Any]:
        """Where every source of chance stands; nothing in it is changed later."""
        return {
            "randomness": self.material.randomness.state(),
            "labelled": None if self.labelled is None else self.labelled.state(),
            "unlabelled": None if self.unlabelled is None else self.unlabelled.state(),
        }

    def _skip(
        self,
        taken: StepResult,
        labelled: CropBatch | None,
        unlabelled: CropBatch | None,
        *,
        rate: float,
    ) -> StepSkipped:
        """Counts a step that taught nothing, and holds its batch until it is kept."""
        self.skipped, self.skipped_in_a_row = self.skipped + 1, self.skipped_in_a_row + 1
        halves = {}
        if labelled is not None and self.labelled is not None:
            halves["labelled"] = (labelled, self.labelled.places)
        if unlabelled is not None and self.unlabelled is not None:
            halves["unlabelled"] = (unlabelled, self.unlabelled.places)
        self.wrong = SkippedBatch(
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

    def _labelled_of(self, label_set: LabelSet, material: TrainingData) -> CropSet | None:
        """The set in use where the labels are the same, so that its pass goes on."""
        others = self.material.others_than(material.scenes, material.pictures)
        if label_set.labels == self.label_set.labels and others.isdisjoint(label_set.labelled):
            return self.labelled
        return self._labelled_crops(label_set, material)

    def _labelled_crops(self, label_set: LabelSet, material: TrainingData) -> CropSet | None:
        return material.labelled(label_set) if self.plan.needs_labels else None

    def _epochs_gone(self) -> float:
        """How far the run is, in epochs and their fraction."""
        return self.progress.epoch + self.progress.step_in_epoch / self.steps_in_epoch

    def _lengths(self) -> EpochLengths:
        batch, cap = self.plan.batch, self.schedule.steps_per_epoch
        together = self.ranks.size
        labels_only = 0
        if self.labelled is not None:
            labels_only = math.ceil(len(self.labelled) / (batch.labelled * together))
        learning = labels_only
        crops = self._expected_crops
        if self.unlabelled is not None and self.method is None:
            crops = len(self.unlabelled)
        if batch.unlabelled and crops:
            learning = math.ceil(crops / (batch.unlabelled * together))
        if self.method is not None:  # all its stages have epochs of one length
            labels_only = learning
        if cap is not None:
            labels_only, learning = min(labels_only, cap), min(learning, cap)
        return EpochLengths(labels_only=labels_only, with_pseudo_labels=learning)

    def _remaining(self, schedule: SchedulePlan) -> Remaining:
        return remaining(
            self.progress,
            schedule=schedule,
            lengths=self._lengths(),
            makes_rounds=self.learns_from_pseudo_labels,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """How far the student's answers were from the pseudo-labels it was taught since a round."""

    total: float = 0.0
    steps: int = 0

    @property
    def mean(self) -> float | None:
        """Mean L_u^r: |T(student) − T(label)| on trusted pixels; None before the first step."""
        return self.total / self.steps if self.steps else None

    def after(self, value: float | None) -> "Gap":
        """One step later; None is a step on labels only."""
        return self if value is None else Gap(total=self.total + value, steps=self.steps + 1)


def restore_order(crops: CropSet, state: Mapping[str, Any]) -> None:
    """A pass goes on where it was, if it was one over as many crops; else a new one begins."""
    if len(state["order"]) in (0, len(crops)):
        crops.restore(state)
