"""Painting and everything around it: shares of the pool, runs, rounds, and what cannot be kept."""

from dataclasses import replace

import numpy as np
import pytest

from smarthdr_studio.core.display import Layer
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.imaging.regions import Region
from smarthdr_studio.core.project.journal import Kind
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.brush import Area, Dabs, Fill, Ink
from smarthdr_studio.core.trust.masking import with_person
from smarthdr_studio.studio.curation import brush as controller
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.settings import Places
from smarthdr_studio.studio.state import Activity, TrainingState
from smarthdr_studio.synthetic.settings import SampleSettings

LEFT_HALF = Area(region=Region.rectangle((0, 0), (64, 96)), ink=Ink.DISTRUST)
EVERYTHING = Area(region=Region.rectangle((0, 0), (128, 96)), ink=Ink.DISTRUST)


@pytest.fixture
def painting(session, until, tiny_project):
    """A session that looks at the first pseudo-label, its pool known."""
    session.take(tiny_project)
    until(session, lambda s: s.shown == "003" and s.charts is not None)
    return session.inspection.painting


def strokes(session):
    with Project.open(session.state.folder) as project:
        return sum(entry.kind is Kind.PAINT for entry in project.entries())


def test_scene_and_pool_follow_at_once_and_the_statistics_agree(painting, session, until, qtbot):
    before = session.state
    painting.stroke_ended(EVERYTHING)
    now = session.state
    assert now.retained == 0
    lost = before.retained / before.pool.scenes  # all scenes are of one size
    assert now.pool.retained == pytest.approx(before.pool.retained - lost, abs=0.01)
    pool = session.screen.pool
    qtbot.waitUntil(
        lambda: pool.counts("003", session.screen._painted_masks.hash("003")), timeout=20000
    )
    qtbot.waitUntil(lambda: session.state.row("003").retained == 0, timeout=20000)
    assert session.state.pool.retained == pytest.approx(now.pool.retained, abs=0.01)
    assert pool.retention(now.masks).scenes["003"].retained == 0


def test_what_is_painted_on_other_scenes_counts_when_a_project_is_opened(
    painting, session, until, qapp, tmp_path
):
    painting.stroke_ended(EVERYTHING)
    shares = session.state.pool
    folder = session.state.folder
    session.close_project()
    session.take(folder)
    until(session, lambda s: s.shown == "003" and s.charts is not None)
    session.screen.pick("004")
    until(session, lambda s: s.shown == "004" and s.row("003").retained == 0)
    assert session.state.pool.retained == pytest.approx(shares.retained, abs=0.01)
    assert session.state.brush.distrusted == 0
    with Project.open(folder) as project:
        assert set(project.figures("painted")) == {"003"}


def test_the_masks_of_the_journal_are_those_on_the_screen_whatever_the_label_holds(
    painting, session, until, label_again
):
    painting.stroke_ended(LEFT_HALF)
    with Project.open(session.state.folder) as project:
        label_again(project, "003", at_round=4)  # knows nothing of any brush
    session.screen.reload()
    until(session, lambda s: "round 4" in session.screen.stage.material.origin)
    stage = session.screen.stage
    assert not stage.material.trust.trusted[:, :64].any()
    assert (stage.material.person[:, :64] == -1).all()


def test_thresholds_moved_afterwards_leave_painted_pixels_as_they_are(painting, session):
    painting.stroke_ended(Area(region=LEFT_HALF.region, ink=Ink.TRUST))
    session.screen.move_masks(replace(session.state.masks, tau_patch=0.0, tau_pixel=0.0))
    trusted = session.screen.stage.material.trust.trusted
    assert trusted[:, :64].all()
    assert session.screen.stage.share(session.state.masks, pool=None) == pytest.approx(
        session.state.retained, abs=0.05
    )


def test_a_readout_says_who_decided(painting, session):
    painting.stroke_ended(LEFT_HALF)
    session.inspection.inspector.hover((10, 10))
    assert (session.state.readout.trusted, session.state.readout.why) == (False, "person")
    assert "by a person" in session.state.explanation.sentence
    painting.stroke_ended(Area(region=Region.rectangle((100, 0), (128, 96)), ink=Ink.TRUST))
    session.inspection.inspector.hover((126, 10))
    assert (session.state.readout.trusted, session.state.readout.why) == (True, "person")
    assert "by a person" in session.state.explanation.sentence
    session.inspection.inspector.hover((80, 10))
    assert session.state.readout.why != "person"


def test_during_a_run_it_waits_for_the_next_round_and_says_so(painting, session):
    session.training._become(TrainingState(activity=Activity.RUNNING, round=3))
    painting.stroke_ended(LEFT_HALF)
    assert session.state.training.changes_wait
    session.training._become(TrainingState())


def test_a_past_round_is_not_painted(painting, session, monkeypatch):
    monkeypatch.setattr(type(session.screen.stage), "replaying", property(lambda _: True))
    painting.stroke_moved(Dabs(points=((5, 5),), radius=4, ink=Ink.TRUST))
    painting.stroke_ended(LEFT_HALF)
    painting.clear()
    assert strokes(session) == 0
    assert "past round" in session.state.notice.text


def test_a_scene_without_a_pseudo_label_is_painted_and_shows_it(painting, session, until, qtbot):
    session.screen.pick("001")
    until(session, lambda s: s.shown == "001")
    painting.stroke_ended(LEFT_HALF)
    assert strokes(session) == 1
    assert session.state.retained is None
    assert session.state.brush.distrusted == 0.5
    stage = session.screen.stage
    shown = stage.paint(Layer.PATCH_MASK, session.state.display)
    assert shown.title == Layer.PERSON_MASK
    assert "first pseudo-label" in shown.detail
    painting.stroke_ended(Fill(x=3, y=3, ink=Ink.TRUST))
    assert "without a pseudo-label" in session.state.notice.text
    painting.stroke_ended(Fill(x=3, y=3, ink=Ink.ERASE))
    assert session.state.brush.distrusted == 0


def test_a_stroke_that_cannot_be_kept_is_taken_back_and_told(painting, session, monkeypatch, qtbot):
    def full(*_args, **_more):
        raise ProjectError("tiny.shdr: the disk is full; make room and paint again")

    monkeypatch.setattr(controller.Decisions, "paint", full)
    before, stage = session.state.retained, session.screen.stage
    stroke = Dabs(points=((20, 20), (60, 60)), radius=9, ink=Ink.DISTRUST)
    painting.stroke_moved(stroke)
    qtbot.waitUntil(lambda: session.state.retained != before, timeout=20000)
    painting.stroke_ended(stroke)
    assert "disk is full" in session.state.notice.text
    assert session.state.retained == before
    assert stage.brush is None
    assert stage.material.trust.trusted[20, 20]


def test_a_stroke_ends_where_it_was_begun(painting, session, until, qtbot):
    stroke = Dabs(points=((20, 20), (60, 60)), radius=9, ink=Ink.DISTRUST)
    painting.stroke_moved(stroke)
    session.screen.pick("004")
    until(session, lambda s: s.shown == "004")
    painting.stroke_ended(stroke)
    assert strokes(session) == 0


def test_a_stroke_goes_over_what_somebody_else_painted_meanwhile(painting, session, until, qtbot):
    points = ((20.5, 20.5), (60.5, 60.5))
    first = Dabs(points=points[:1], radius=9, hardness=0.5, ink=Ink.TRUST)
    painting.stroke_moved(first)
    qtbot.waitUntil(lambda: session.screen.stage.brush is not None, timeout=20000)
    with Project.open(session.state.folder) as other:
        controller.Decisions(other).paint("003", lambda _: np.full((96, 128), -1, np.int8))
    until(session, lambda s: s.brush.distrusted > 0.9)
    whole = Dabs(points=points, radius=9, hardness=0.5, ink=Ink.TRUST)
    painting.stroke_moved(whole)
    painting.stroke_ended(whole)
    mask = session.screen.stage.person
    assert mask[20, 20] == mask[60, 60] == 1
    assert mask[0, 0] == -1
    assert strokes(session) == 2


def test_a_long_soft_stroke_is_the_same_in_one_go_and_piece_by_piece(painting, session, qtbot):
    rng = np.random.default_rng(1)
    points = tuple(map(tuple, (rng.random((40, 2)) * (160, 120) - 16).round() + 0.5))
    whole = Dabs(points=points, radius=7.5, hardness=0.2, ink=Ink.TRUST)
    painting.stroke_ended(whole)
    at_once = session.screen.stage.person.copy()
    session.curating.undo()
    for count in (1, 2, 9, 10, 31, 40):
        painting.stroke_moved(Dabs(points=points[:count], radius=7.5, hardness=0.2, ink=Ink.TRUST))
        painting._show()
    painting.stroke_ended(whole)
    assert (session.screen.stage.person == at_once).all()


def test_the_same_stroke_twice_is_one_thing_to_undo(painting, session):
    painting.stroke_ended(LEFT_HALF)
    painting.stroke_ended(LEFT_HALF)
    assert strokes(session) == 1
    assert session.state.undo is not None
    session.curating.undo()
    assert session.state.brush.distrusted == 0


def test_sizes_stay_within_reason_and_every_step_is_felt(painting, session):
    sizes = set()
    for _ in range(60):
        painting.nudge_radius(-1)
        sizes.add(session.state.brush.radius)
    assert session.state.brush.radius == controller.LEAST_RADIUS
    for _ in range(90):
        before = session.state.brush.radius
        painting.nudge_radius(1)
        assert session.state.brush.radius > before or before == controller.MOST_RADIUS
    assert session.state.brush.radius == controller.MOST_RADIUS


def test_two_windows_paint_in_turns_and_show_the_same(
    painting, session, qapp, tmp_path, until, qtbot
):
    places = Places.under(config=tmp_path / "c2", cache=tmp_path / "k2", data=tmp_path / "d2")
    other = Session(qapp, places=places, sample=SampleSettings())
    other.take(session.state.folder)
    until(other, lambda s: s.shown == "003" and s.charts is not None)
    painting.stroke_ended(LEFT_HALF)
    until(other, lambda s: s.brush.distrusted == 0.5)
    right = Area(region=Region.rectangle((64, 0), (128, 96)), ink=Ink.TRUST)
    other.inspection.painting.stroke_ended(right)
    until(session, lambda s: s.brush.trusted == 0.5)
    assert session.state.brush.distrusted == 0.5
    assert session.state.retained == other.state.retained == 0.5
    gates = session.screen.stage._gates.trusted
    mask = session.screen.stage.person
    assert (session.screen.stage.material.trust.trusted == with_person(gates, mask)).all()
    other.shut_down()
    qtbot.waitUntil(lambda: other.at_rest, timeout=20000)
    other.release()
    other.deleteLater()
