"""What a run keeps of its rounds: a small record of each, and as many maps as fit on the disk."""

import shutil
from contextlib import closing

import numpy as np
import pytest
from killed import copied_as_killed

from smarthdr_studio.core.errors import CheckpointError, PlanError
from smarthdr_studio.core.training.events import (
    PhaseChanged,
    RoundFinished,
    RunStarted,
    StepReported,
)
from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.core.training.presets import presets
from smarthdr_studio.core.training.round_files import (
    drop_later_rounds,
    drop_rounds,
    kept_rounds,
    open_round_file,
    round_path,
)
from smarthdr_studio.core.training.round_history import flips, read_history
from smarthdr_studio.core.training.rounds import (
    RECORDED_BINS,
    history_path,
    read_record,
    recorded_rounds,
)
from smarthdr_studio.core.training.run_folder import RunFolder
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label
from smarthdr_studio.learning.pseudo_labelling import open_round
from smarthdr_studio.learning.trainer import train

pytestmark = pytest.mark.usefixtures("tiny_network")

SCHEDULE = {"epochs": 5, "warmup_epochs": 1, "steps_per_epoch": 1, "refresh_every": 1}
ROUNDS = 5  # before epochs 2 to 5, and after the last


@pytest.fixture(scope="module")
def plan(make_plan):
    return make_plan(schedule=SCHEDULE)


@pytest.fixture(scope="module")
def uninterrupted(make_project, plan, tmp_path_factory):
    """The events and the folder of a run from its beginning to its end."""
    project = make_project(tmp_path_factory.mktemp("uninterrupted"))
    events = list(train(plan, project))
    return events, _run(project)


def _run(project):
    (folder,) = (project / "runs").iterdir()
    return RunFolder(folder)


def _rounds(events):
    return [event for event in events if isinstance(event, RoundFinished)]


def _copied_when(project, plan, holds, *, resume=None):
    """What a kill at that moment leaves; nothing is closed before copying."""
    killed = project.with_name("killed.shdr")
    with closing(train(plan, project, resume=resume)) as running:
        for event in running:
            if holds(event):
                copied_as_killed(project, killed)
                break
    return killed


def _same_history(one, other):
    assert [of.round for of in one.records] == [of.round for of in other.records]
    np.testing.assert_array_equal(one.shares, other.shares)
    for first, second in zip(one.records, other.records, strict=True):
        assert (first.step, first.epoch, first.masks) == (second.step, second.epoch, second.masks)
        assert (first.patch_range, first.pixel_range) == (second.patch_range, second.pixel_range)
        for scene in first.statistics:
            a, b = first.statistics[scene], second.statistics[scene]
            np.testing.assert_array_equal(a.means, b.means)
            np.testing.assert_array_equal(a.counts, b.counts)


def test_every_round_leaves_a_record_of_what_was_used(uninterrupted):
    events, run = uninterrupted
    assert recorded_rounds(run.path) == tuple(range(1, ROUNDS + 1))
    for said in _rounds(events):
        kept = read_record(history_path(run.path, said.round))
        assert (kept.step, kept.epoch, kept.masks) == (said.step, said.epoch, said.masks)
        assert kept.retained == {scene.id: scene.retained for scene in said.scenes}
        maps = open_round_file(round_path(run.path, number=said.round))
        assert kept.retained == {name: float(maps[name].trusted.mean()) for name in maps}


def test_the_record_of_the_last_round_is_that_of_the_pseudo_labels(uninterrupted):
    _, run = uninterrupted
    pseudo = run.path.parent.parent / "pseudo"
    kept = read_record(history_path(run.path, ROUNDS))
    assert set(kept.statistics) == set("uvw")
    for scene, found in kept.statistics.items():
        label = read_pseudo_label(pseudo / f"{scene}.exr")
        assert kept.patch_range == label.provenance.patch_range
        whole = SceneStatistics.of(label.sigma, size=16)
        np.testing.assert_array_equal(found.means, whole.means)
        np.testing.assert_array_equal(found.counts, whole.coarser(RECORDED_BINS).counts)
    assert kept.pixel_range is None  # every scene had its own
    assert flips(read_history(run).records, "u").shape == (5, 6)


def test_held_out_checks_and_records_make_one_history(uninterrupted):
    _, run = uninterrupted
    history = read_history(run)
    assert history.scenes == ("u", "v", "w")
    assert not np.isnan(history.shares).any()
    assert [step for step, _ in history.psnr_mu] == [1, 2, 3, 4, 5]
    assert history.replayable == kept_rounds(run.path) == {1, 2, 3, 4, 5}


def test_a_round_that_was_never_finished_leaves_no_record(project, plan):
    def is_writing(event):
        return isinstance(event, PhaseChanged) and "writing scene 3" in event.text

    killed = _copied_when(project, plan, is_writing)
    assert recorded_rounds(_run(killed).path) == ()


@pytest.mark.parametrize("every", [2, 99])
def test_rounds_made_again_after_a_kill_take_the_place_of_the_old(project, make_plan, every):
    """A kill in epoch 4: rounds 1 to 3 are on disk, the checkpoint is older or there is none."""
    # Nothing is held out, because the best so far is kept whenever it is found.
    plan = make_plan(schedule=SCHEDULE | {"checkpoint_every": every}, held_out=0)

    def in_epoch_4(event):
        return isinstance(event, StepReported) and event.epoch == 3

    killed = _copied_when(project, plan, in_epoch_4)
    run = _run(killed)
    assert recorded_rounds(run.path) == (1, 2, 3)
    for number in (1, 2, 3):  # as if they were of another past
        shutil.copy(history_path(run.path, number), history_path(run.path, number + 3))
        shutil.copy(round_path(run.path, number=number), round_path(run.path, number=number + 3))
    with closing(train(plan, killed, resume=run.id)) as running:
        next(event for event in running if isinstance(event, RunStarted))
        assert recorded_rounds(run.path) == ((1,) if every == 2 else ())
        assert kept_rounds(run.path) == ({1} if every == 2 else set())
        list(running)


def test_the_history_of_a_killed_and_resumed_run_is_that_of_an_uninterrupted_one(
    project, plan, uninterrupted
):
    def in_epoch_4(event):
        return isinstance(event, StepReported) and event.epoch == 3

    killed = _copied_when(project, plan, in_epoch_4)
    list(train(plan, killed, resume=_run(killed).id))
    _same_history(read_history(_run(killed)), read_history(uninterrupted[1]))


def _fabricated(run, sizes):
    for number, size in enumerate(sizes, start=1):
        path = round_path(run, number=number)
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(bytes(size))


@pytest.mark.parametrize(
    ("keep", "needed_from", "left"),
    [
        (0, 6, set()),
        (0, 4, {4, 5}),
        (250, 6, {4, 5}),
        (299, 6, {4, 5}),
        (300, 6, {3, 4, 5}),
        (10_000, 6, {1, 2, 3, 4, 5}),
        (10_000, 2, {1, 2, 3, 4, 5}),
        (150, 3, {3, 4, 5}),
    ],
)
def test_the_newest_rounds_stay_as_long_as_they_fit(tmp_path, keep, needed_from, left):
    _fabricated(tmp_path, [100] * 5)
    drop_rounds(tmp_path, needed_from=needed_from, keep_bytes=keep)
    assert kept_rounds(tmp_path) == left


def test_a_small_old_round_does_not_stay_behind_a_large_one(tmp_path):
    _fabricated(tmp_path, [1, 500, 100])
    drop_rounds(tmp_path, needed_from=9, keep_bytes=200)
    assert kept_rounds(tmp_path) == {3}


def test_without_a_folder_there_is_nothing_to_drop(tmp_path):
    drop_rounds(tmp_path, needed_from=1, keep_bytes=0)
    drop_later_rounds(tmp_path, than=0)
    assert list(tmp_path.iterdir()) == []


def test_a_file_somebody_looks_at_is_left_for_another_time(tmp_path, monkeypatch):
    _fabricated(tmp_path, [1, 1])

    def refuse(path, missing_ok=False):
        raise PermissionError(path)

    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    drop_rounds(tmp_path, needed_from=9, keep_bytes=0)
    assert kept_rounds(tmp_path) == {1, 2}


def test_with_no_room_a_finished_run_keeps_records_alone_and_goes_on_alike(
    project, make_plan, uninterrupted, tmp_path
):
    frugal = make_plan(schedule=SCHEDULE, keep_rounds_mib=0)
    seen = set()
    for event in train(frugal, project):
        if isinstance(event, StepReported) and event.epoch == 4:
            seen = kept_rounds(_run(project).path)
    run = _run(project)
    assert seen == {2, 3, 4}  # the two checkpoints on disk, and the round in use
    assert kept_rounds(run.path) == set()
    _same_history(read_history(run), read_history(uninterrupted[1]))
    wealthy = tmp_path / "wealthy" / "p.shdr"
    shutil.copytree(uninterrupted[1].path.parent.parent, wealthy)
    shutil.copytree(project.with_name("data"), wealthy.with_name("data"))
    more = SCHEDULE | {"epochs": 6}
    ends = []
    for folder, room in ((project, 0), (wealthy, 2048)):
        events = list(
            train(make_plan(schedule=more, keep_rounds_mib=room), folder, resume=_run(folder).id)
        )
        ends.append([e.losses for e in events if isinstance(e, StepReported)])
        assert [event.round for event in _rounds(events)] == [6, 7]
    assert ends[0] == ends[1]


def test_a_damaged_round_is_refused_with_the_remedy(tmp_path):
    _fabricated(tmp_path, [40])
    with pytest.raises(CheckpointError, match=r"cannot be read .*network\.start_from"):
        open_round(round_path(tmp_path, number=1))
    with pytest.raises(CheckpointError, match="No such file"):
        open_round(round_path(tmp_path, number=2))


def test_every_preset_leaves_two_gibibytes_to_rounds_and_a_plan_says_how_many():
    assert {load_preset(name).keep_rounds_mib for name in presets()} == {2048}
    assert load_preset("quick", changes={"keep_rounds_mib": 0}).keep_rounds_mib == 0
    with pytest.raises(PlanError, match="keep_rounds_mib is -1"):
        load_preset("quick", changes={"keep_rounds_mib": -1})
