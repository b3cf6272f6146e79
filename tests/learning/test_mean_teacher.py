"""The teacher follows the student by an average and is never taught."""

import pytest
import torch
from torch import nn

from smarthdr_studio.core.training.plan_sections import TeacherPlan
from smarthdr_studio.learning.crops import CropBatch, WeakView
from smarthdr_studio.learning.losses import Target
from smarthdr_studio.learning.mean_teacher import (
    MeanTeacher,
    ema_decay,
    make_teacher,
    update_teacher,
)


def _batch(*, seed: int) -> CropBatch:
    generator = torch.Generator().manual_seed(seed)
    frames = [torch.rand(1, 6, 16, 16, generator=generator) for _ in range(3)]
    return CropBatch(
        frames=(frames[0], frames[1], frames[2]),
        target=Target(
            torch.rand(1, 3, 16, 16, generator=generator),
            torch.ones(1, 1, 16, 16, dtype=torch.bool),
        ),
        sigma=torch.zeros(1, 1, 16, 16),
    )


def test_the_teacher_moves_a_fixed_share_towards_the_student():
    student = nn.Linear(2, 2)
    teacher = make_teacher(student)
    before = teacher.weight.clone()
    with torch.no_grad():
        student.weight += 1
    update_teacher(teacher, student, decay=0.9)
    torch.testing.assert_close(teacher.weight, 0.9 * before + 0.1 * student.weight)


def test_after_many_steps_the_teacher_is_the_average_written_out():
    student = nn.Linear(1, 1, bias=False)
    teacher = make_teacher(student)
    expected = student.weight.item()
    plan = TeacherPlan(ema=0.5)
    for step in range(20):
        with torch.no_grad():
            student.weight.fill_(float(step))
        share = min(0.5, (1 + step) / (10 + step))
        assert ema_decay(plan, step=step) == share
        update_teacher(teacher, student, decay=share)
        expected = share * expected + (1 - share) * step
    assert teacher.weight.item() == pytest.approx(expected, rel=1e-6)


def test_without_early_warm_up_the_decay_is_constant():
    plan = TeacherPlan(ema=0.999, early_warmup=False)
    assert {ema_decay(plan, step=step) for step in (0, 10, 10_000)} == {0.999}
    assert ema_decay(TeacherPlan(), step=0) == pytest.approx(0.1)
    assert ema_decay(TeacherPlan(), step=10**6) == 0.999


def test_buffers_are_copied_not_averaged():
    student = nn.BatchNorm1d(3)
    teacher = make_teacher(student)
    student(torch.randn(8, 3))
    update_teacher(teacher, student, decay=0.99)
    assert torch.equal(teacher.running_mean, student.running_mean)
    assert torch.equal(teacher.num_batches_tracked, student.num_batches_tracked)


def test_gradient_reaches_the_student_and_never_the_teacher(make_plan):
    torch.manual_seed(0)
    learner = MeanTeacher(
        make_plan(), device=torch.device("cpu"), precision=torch.float32, perceptual=None
    )
    before = {name: value.clone() for name, value in learner.teacher.state_dict().items()}
    for step in range(2):  # the answer begins at zero, so what lies before it learns a step later
        learner.step(_batch(seed=0), _batch(seed=1), rate=1e-3, step=step)
    taught = [parameter.grad is not None for parameter in learner.student.parameters()]
    assert all(taught)
    assert all(not parameter.requires_grad for parameter in learner.teacher.parameters())
    assert all(parameter.grad is None for parameter in learner.teacher.parameters())
    after = learner.teacher.state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_a_step_moves_the_teacher_only_by_its_average(make_plan):
    torch.manual_seed(0)
    plan = make_plan(teacher={"ema": 0.9, "early_warmup": False})
    learner = MeanTeacher(
        plan, device=torch.device("cpu"), precision=torch.float32, perceptual=None
    )
    before = [parameter.clone() for parameter in learner.teacher.parameters()]
    learner.step(_batch(seed=0), None, rate=1e-2, step=0)
    for old, teacher, student in zip(
        before, learner.teacher.parameters(), learner.student.parameters(), strict=True
    ):
        torch.testing.assert_close(teacher, torch.lerp(old, student, 0.1))


def test_a_loss_that_is_no_number_changes_no_weight(make_plan):
    torch.manual_seed(0)
    learner = MeanTeacher(
        make_plan(), device=torch.device("cpu"), precision=torch.float32, perceptual=None
    )
    before = [parameter.clone() for parameter in learner.student.parameters()]
    batch = _batch(seed=0)
    batch.target.hdr[0, 0, 0, 0] = float("inf")
    taken = learner.step(batch, None, rate=1e-3, step=7)
    assert taken.wrong == "the loss is no number"
    pairs = zip(before, learner.student.parameters(), strict=True)
    assert all(torch.equal(old, new) for old, new in pairs)


def _learner(plan) -> MeanTeacher:
    torch.manual_seed(0)
    return MeanTeacher(plan, device=torch.device("cpu"), precision=torch.float32, perceptual=None)


@pytest.mark.parametrize(("gradient", "taught"), [("judge", False), ("full", True)])
def test_the_gradient_kept_to_the_judge_ends_there(make_plan, gradient, taught):
    student = _learner(make_plan(loss={"nll_gradient": gradient})).student
    batch = _batch(seed=0)
    student(*batch.frames).sigma.log().mean().backward()
    assert all(parameter.grad is not None for parameter in student.judge.parameters())
    reached = [p.grad is not None and p.grad.any() for p in student.backbone.parameters()]
    assert any(reached) is taught


def test_each_crop_can_be_labelled_by_the_teacher_of_the_moment_in_its_weak_view(make_plan):
    learner = _learner(make_plan(teacher={"labels": "crops"}))
    seen = _batch(seed=3)
    channels = torch.tensor([[2, 0, 1]])
    # The student sees the channels of the weak view in another order, and twice as bright.
    weak = WeakView(frames=seen.frames, channels=channels, gains=torch.full((1, 3, 1, 1), 2.0))
    crops = CropBatch(
        frames=_batch(seed=4).frames,
        target=Target(seen.target.hdr, seen.target.trusted.clone()),
        sigma=seen.sigma,
        weak=weak,
    )
    crops.target.trusted[..., :4, :] = False
    labelled = learner._labelled_by_teacher(crops, weak)
    with torch.no_grad():
        answer = learner.teacher(*seen.frames).hdr
    torch.testing.assert_close(labelled.target.hdr, (2 * answer[:, [2, 0, 1]]).clamp(max=1))
    assert torch.equal(labelled.target.trusted, crops.target.trusted)
    assert labelled.weak is None
    result = learner.step(_batch(seed=0), crops, rate=1e-3, step=0)
    assert result.wrong == ""
    assert "unlabelled_reconstruction" in result.losses
