"""What the session promises: nothing late, nothing lost, nothing shown that is not so."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from smarthdr_studio.core.display import Layer
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.masking import MaskSettings, trust
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label
from smarthdr_studio.studio.state import Activity, TrainingState

STRICT = MaskSettings(tau_patch=0.3, tau_pixel=0.2)


@pytest.fixture
def at_work(session, until, tiny_project):
    """A session with the tiny project and its pool."""
    session.take(tiny_project)
    until(session, lambda s: s.shown == "003" and s.pool is not None)
    return session


def promoted(session, until, *scenes):
    """Promote, and wait until it is in the journal."""
    session.curating.promote(scenes)
    until(session, lambda _: session.curating.at_rest)


def status(folder, scene):
    """What another process sees."""
    with Project.open(folder) as project:
        return project.statuses()[scene]


def test_a_late_answer_is_dropped(at_work, until):
    shown = []
    at_work.changed.connect(lambda old, new: shown.append(new.shown))
    for scene in ("001", "002", "005", "006"):
        at_work.screen.pick(scene)
    until(at_work, lambda s: s.shown == "006")
    assert set(shown) <= {"003", "006"}
    assert at_work.state.current == "006"


def test_a_scene_without_pseudo_label_says_who_makes_it_as_runs_come_and_go(
    session, until, qtbot, fresh_project
):
    details = {}
    session.screen.painted.connect(lambda view, painted: details.update({view: painted.detail}))
    session.take(fresh_project)
    until(session, lambda s: s.shown == "001")
    qtbot.waitUntil(lambda: "only unlabelled scenes get one" in details.get(0, ""))
    session.screen.pick("003")
    qtbot.waitUntil(lambda: "press Ctrl+T" in details[0])
    session.training._become(TrainingState(activity=Activity.RUNNING, round=3))
    qtbot.waitUntil(lambda: "the run at work makes it" in details[0])
    session.training._become(TrainingState())
    qtbot.waitUntil(lambda: "press Ctrl+T" in details[0])


def test_a_failed_load_keeps_the_last_good_picture(at_work, until, tiny_project):
    at_work.screen.pick("003")
    until(at_work, lambda s: s.shown == "003")
    with Project.open(tiny_project) as project:
        project.pseudo_path("005").write_bytes(b"torn")
    at_work.screen.pick("005")
    until(at_work, lambda s: s.notice is not None)
    assert "005" in at_work.state.notice.text


def test_thresholds_follow_the_hand_and_are_kept_when_it_lets_go(at_work, tiny_project):
    before = at_work.state.pool
    at_work.screen.move_masks(STRICT)
    assert at_work.state.pool.retained < before.retained
    with Project.open(tiny_project) as project:
        assert Decisions(project).masks() == MaskSettings()
    at_work.curating.settle_masks(STRICT)
    with Project.open(tiny_project) as project:
        assert Decisions(project).masks() == STRICT


def test_a_stricter_threshold_never_keeps_more(at_work):
    kept = []
    for tau in (1.0, 0.8, 0.5, 0.3, 0.1, 0.0):
        at_work.screen.move_masks(MaskSettings(tau_patch=tau, tau_pixel=1.0))
        kept.append(at_work.state.pool.patches_retained)
    assert kept == sorted(kept, reverse=True)


def test_the_picture_of_trust_is_the_trust_of_the_loss(at_work, until, qtbot, tiny_project):
    at_work.inspection.viewing.set_layer(3, Layer.TRUSTED)
    at_work.screen.pick("003")
    until(at_work, lambda s: s.shown == "003")
    with Project.open(tiny_project) as project:
        label = read_pseudo_label(project.pseudo_path("003"))
    ranges = at_work.screen.ranges(["003"])["003"]
    expected = trust(label.sigma, at_work.state.masks, patch_range=ranges[0]).trusted
    for y in range(0, 96, 7):
        for x in range(0, 128, 7):
            at_work.inspection.inspector.hover((x, y))
            assert at_work.state.readout.trusted == expected[y, x]


def test_a_pixel_tells_its_values_and_why_it_is_dropped(at_work, until):
    at_work.screen.pick("003")
    until(at_work, lambda s: s.shown == "003")
    at_work.screen.move_masks(STRICT)
    at_work.inspection.inspector.hover((127, 5))
    pixel = at_work.state.readout
    assert pixel.linear == (0.25, 0.25, 0.25)
    of = at_work.screen.stage.material
    assert pixel.frames == tuple(tuple(frame[5, 127].tolist()) for frame in of.bracket.frames)
    assert pixel.truth == tuple(of.ground_truth[5, 127].tolist())
    assert pixel.trusted is False
    assert pixel.why in ("patch", "pixel")
    assert at_work.state.explanation.gate == pixel.why
    assert at_work.state.explanation.sentence.startswith("Dropped")
    at_work.inspection.inspector.hover((0, 0))
    assert at_work.state.readout.trusted is True
    assert at_work.state.explanation.sentence.startswith("Trusted")


def test_the_last_pixel_stays_when_the_mouse_leaves_the_picture(at_work, until):
    at_work.screen.pick("003")
    until(at_work, lambda s: s.shown == "003")
    at_work.inspection.inspector.hover((7, 5))
    known = at_work.state.readout
    for outside in ((5000, 0), None):
        at_work.inspection.inspector.hover(outside)
        assert at_work.state.readout == known


def test_a_promotion_keeps_the_masks_of_the_screen(at_work, until, tiny_project):
    at_work.curating.settle_masks(STRICT)
    ranges = at_work.screen.ranges(["003"])["003"]
    promoted(at_work, until, "003")
    assert status(tiny_project, "003") is Status.PROMOTED
    with Project.open(tiny_project) as project:
        label = read_pseudo_label(project.label_path("003"))
    assert label.provenance.masks == STRICT
    assert label.provenance.patch_range == ranges[0]


def test_promoting_several_is_one_thing_to_undo(at_work, until, tiny_project):
    promoted(at_work, until, "001", "003", "004", "005")
    assert at_work.state.busy == ""
    assert status(tiny_project, "005") is Status.PROMOTED
    assert "3 scenes" in at_work.state.undo
    at_work.curating.undo()
    assert status(tiny_project, "003") is Status.UNLABELLED
    at_work.curating.redo()
    assert status(tiny_project, "004") is Status.PROMOTED
    at_work.curating.demote(("004",))
    assert status(tiny_project, "004") is Status.UNLABELLED


def test_excluding_again_takes_a_scene_back_in(at_work, tiny_project):
    at_work.curating.exclude(("001", "003"))
    assert status(tiny_project, "001") is Status.EXCLUDED
    at_work.curating.exclude(("001", "003"))
    assert status(tiny_project, "001") is Status.GROUND_TRUTH
    assert status(tiny_project, "003") is Status.UNLABELLED


def test_thresholds_are_undone_like_any_decision(at_work):
    at_work.curating.settle_masks(STRICT)
    at_work.curating.undo()
    assert at_work.state.masks == MaskSettings()


@pytest.mark.parametrize("scene", ["001", "Test-007"])
def test_what_cannot_be_promoted_is_said_and_nothing_changes(at_work, tiny_project, scene):
    before = status(tiny_project, scene)
    at_work.curating.promote((scene,))
    assert at_work.state.notice.tone == "warn"
    assert status(tiny_project, scene) is before


def test_a_promoted_scene_keeps_its_share_in_the_list(at_work, until):
    until(at_work, lambda s: s.row("003").retained is not None)
    share = at_work.state.row("003").retained
    promoted(at_work, until, "003")
    assert at_work.state.row("003").retained == share
    until(at_work, lambda s: s.pool.scenes == 3)


def test_a_promoted_scene_keeps_the_share_of_its_frozen_label_when_thresholds_move(at_work, until):
    promoted(at_work, until, "003")
    until(at_work, lambda s: s.pool.scenes == 3)
    with Project.open(at_work.state.folder) as project:
        frozen = read_pseudo_label(project.label_path("003"))
    of = frozen.provenance
    exact = trust(
        frozen.sigma, of.masks, patch_range=of.patch_range, pixel_range=of.pixel_range
    ).trusted.mean()
    until(at_work, lambda s: s.row("003").retained == pytest.approx(exact))
    before = at_work.state.row("004").retained
    at_work.screen.move_masks(MaskSettings(tau_patch=0.2, tau_pixel=0.1))
    until(at_work, lambda s: s.row("004").retained < before)
    assert at_work.state.row("003").retained == pytest.approx(exact)


def test_what_another_process_decides_appears_by_itself(at_work, until, tiny_project):
    with Project.open(tiny_project) as project:
        Decisions(project).exclude(["004"])
    until(at_work, lambda s: s.row("004").status is Status.EXCLUDED, timeout=20000)


def test_a_new_round_refreshes_the_scene_and_the_pool(at_work, until, label_again, tiny_project):
    at_work.screen.pick("003")
    until(at_work, lambda s: s.shown == "003")
    titles = []
    at_work.screen.painted.connect(lambda view, picture: titles.append(picture.detail))
    with Project.open(tiny_project) as project:
        path = project.pseudo_path("003")
        label_again(project, "003", at_round=8)
        os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 10**9))
    at_work.screen.reload()
    until(at_work, lambda _: any("round 8" in title for title in titles))


def test_exposure_changes_the_picture_and_no_state_of_trust(at_work, until):
    pictures = {}
    at_work.screen.painted.connect(lambda view, picture: pictures.update({view: picture}))
    at_work.screen.pick("003")
    until(at_work, lambda s: s.shown == "003" and 0 in pictures)
    until(at_work, lambda _: pictures[0].rgb8 is not None)
    before, pool = pictures[0].rgb8, at_work.state.pool
    at_work.inspection.viewing.set_display(replace(at_work.state.display, exposure_ev=2.0))
    until(at_work, lambda _: not np.array_equal(pictures[0].rgb8, before))
    assert pictures[0].rgb8.mean() > before.mean()
    assert at_work.state.pool == pool


def test_caches_stay_within_their_budget(at_work, until):
    for scene in ("002", "003", "004"):
        at_work.screen.pick(scene)
        until(at_work, lambda s, scene=scene: s.shown == scene)
    until(at_work, lambda s: 0 < s.cache_bytes <= s.cache_budget)


def test_another_project_leaves_nothing_of_the_first(at_work, until, dataset, tmp_path):
    at_work.screen.pick("003")
    at_work.close_project()
    assert at_work.state.folder is None
    assert at_work.state.scenes == ()
    assert at_work.state.pool is None


KILLED = """
import os, signal, sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from smarthdr_studio.synthetic.settings import SampleSettings
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.settings import Places
app = QApplication([])
home = Path(sys.argv[2])
places = Places.under(config=home, cache=home, data=home)
session = Session(app, places=places, sample=SampleSettings())
session.take(Path(sys.argv[1]))
session.curating.promote(("003",))
session.curating.exclude(("004",))
while session.state.row("004").status != "excluded":  # it waits for the promotion before it
    app.processEvents()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_decisions_outlive_a_kill_once_they_are_shown(tiny_project, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tiny_project), str(tmp_path / "home")],
        check=False,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        timeout=300,
    )
    assert done.returncode == -signal.SIGKILL
    assert status(tiny_project, "003") is Status.PROMOTED
    assert status(tiny_project, "004") is Status.EXCLUDED


def test_a_promoted_scene_keeps_its_ranges_while_its_frozen_label_is_still_to_be_read(
    at_work, until, monkeypatch
):
    stage, late = at_work.screen.stage, []
    before = stage.material.trust.patch_range
    with monkeypatch.context() as slow:
        slow.setattr(
            at_work.screen.scenes, "fetch", lambda *asked, **how: late.append((asked, how))
        )
        promoted(at_work, until, "003")
        until(at_work, lambda s: s.pool.scenes == 3)
        assert stage.loaded.promoted is None
        assert stage.material.trust.patch_range == before
    (asked, how) = late[-1]
    at_work.screen.scenes.fetch(*asked, **how)
    until(at_work, lambda _: stage.loaded.promoted is not None)
    assert stage.material.trust.patch_range == before
