"""Beside its log a run keeps how it began, and small pictures of what came out."""

import json
import shutil

import cv2
import numpy as np
import pytest

from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training import round_files
from smarthdr_studio.core.training.events import RunStarted, StepReported
from smarthdr_studio.core.training.round_files import preview
from smarthdr_studio.core.training.run_folder import RunFolder
from smarthdr_studio.core.trust.masking import MaskSettings, masks_from_text
from smarthdr_studio.learning.trainer import train

pytestmark = pytest.mark.usefixtures("tiny_network")

SCHEDULE = {"epochs": 3, "warmup_epochs": 0, "steps_per_epoch": 1}


def _run(project):
    (run,) = (project / "runs").iterdir()
    return RunFolder(run)


def test_how_the_project_stood_is_written_when_a_run_begins(project, make_plan, decide):
    decide("promote", ["v"])
    decide("set_masks", MaskSettings(tau_pixel=0.9, patch_size=16))
    (project / "window.json").write_text('{"views": 3}', encoding="utf-8")
    events = list(train(make_plan(schedule=SCHEDULE), project))
    (started,) = [e for e in events if isinstance(e, RunStarted)]
    run = _run(project)
    told = json.loads(run.start_path.read_text(encoding="utf-8"))
    with Project.open(project) as opened:
        assert told["journal"] == opened.entries()[-1].seq
        label = opened.state("v").label
    assert told["promoted"] == {"v": label}
    assert sorted([*told["labelled"], *told["promoted"]]) == list(started.labelled)
    assert told["unlabelled"] == ["u", "w"]
    assert told["held_out"] == list(started.held_out)
    assert masks_from_text(json.dumps(told["masks"])).tau_pixel == 0.9
    assert run.window_path.read_text(encoding="utf-8") == '{"views": 3}'


def test_a_resumed_run_keeps_how_it_began(project, make_plan, decide):
    plan = make_plan(schedule=SCHEDULE)
    stopped = train(plan, project)
    for event in stopped:
        if isinstance(event, StepReported):
            break
    stopped.close()
    before = _run(project).start_path.read_bytes()
    decide("promote", ["v"])
    list(train(plan, project, resume=_run(project).id))
    assert _run(project).start_path.read_bytes() == before
    assert not _run(project).window_path.exists()


def test_every_round_leaves_a_small_picture_of_every_unlabelled_scene(project, make_plan):
    list(train(make_plan(schedule=SCHEDULE), project))
    folder = _run(project).path / "previews"
    assert [path.name for path in sorted(folder.iterdir())] == [f"{n:05d}" for n in (1, 2, 3, 4)]
    for each in folder.iterdir():
        assert sorted(path.name for path in each.iterdir()) == ["u.jpg", "v.jpg", "w.jpg"]


def test_previews_of_a_past_that_is_not_shared_are_forgotten(project, make_plan):
    plan = make_plan(schedule=SCHEDULE)
    stopped = train(plan, project)
    for event in stopped:
        if isinstance(event, StepReported):
            break
    stopped.close()
    later = round_files.preview_folder(_run(project).path, 2)
    later.mkdir()
    (later / "gone.jpg").write_bytes(b"")
    list(train(plan, project, resume=_run(project).id))
    assert not (later / "gone.jpg").exists()
    assert (later / "u.jpg").exists()


def test_a_preview_is_small_and_shows_what_is_bright(tmp_path):
    hdr = np.zeros((300, 600, 3), np.float16)
    hdr[:, 300:] = 1.0
    small = preview(hdr)
    assert small.shape == (96, 192, 3)
    assert small[:, :90].max() == 0
    assert small[:, 100:].min() == 255
    assert preview(hdr[:50, :60]).shape == (50, 60, 3)
    path = tmp_path / "runs" / "r"
    label = round_files.SceneLabel(hdr=np.random.default_rng(0).random((300, 600, 3)).astype("f2"))
    round_files.write_previews(path, {"u": label}, number=7)
    (written,) = (path / "previews" / "00007").iterdir()
    assert written.stat().st_size < 32 * 2**10
    assert cv2.imread(str(written)).shape == (96, 192, 3)


def test_of_many_scenes_as_many_are_shown_as_fit_and_always_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(round_files, "_MOST_SCENES", 4)
    label = round_files.SceneLabel(hdr=np.zeros((8, 8, 3), np.float16))
    names = [f"{n:02d}" for n in range(10)]
    round_files.write_previews(tmp_path, dict.fromkeys(names, label), number=1)
    round_files.write_previews(tmp_path, dict.fromkeys(reversed(names), label), number=2)
    shown = [
        sorted(path.stem for path in round_files.preview_folder(tmp_path, number).iterdir())
        for number in (1, 2)
    ]
    assert shown == [["00", "02", "05", "07"]] * 2


def test_a_round_is_as_good_without_its_previews(tmp_path):
    (tmp_path / "previews").write_bytes(b"in the way")
    label = round_files.SceneLabel(hdr=np.zeros((32, 32, 3), np.float16))
    round_files.write_previews(tmp_path, {"u": label}, number=1)
    assert (tmp_path / "previews").read_bytes() == b"in the way"


def test_no_draft_of_a_preview_is_left(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(round_files.Path, "replace", refuse)
    label = round_files.SceneLabel(hdr=np.zeros((32, 32, 3), np.float16))
    round_files.write_previews(tmp_path, {"u": label}, number=1)
    assert list(round_files.preview_folder(tmp_path, 1).iterdir()) == []


def test_a_run_that_begins_anew_tells_how_the_project_stands_now(project, make_plan, decide):
    plan = make_plan(schedule=SCHEDULE)
    killed = train(plan, project)
    while not isinstance(next(killed), StepReported):
        pass
    killed.close()
    run = _run(project)
    shutil.rmtree(run.checkpoints)  # as if it had been killed before the first
    decide("promote", ["v"])
    list(train(plan, project, resume=run.id))
    assert list(json.loads(run.start_path.read_text(encoding="utf-8"))["promoted"]) == ["v"]
