"""Proposed thresholds are those of the formulas, told in words, and one decision when taken."""

import json
import threading
from dataclasses import replace

import numpy as np
import pytest
from made_models import leave_untrained
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.imaging.bracket import FrameStore
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.rounds import pool_trust
from smarthdr_studio.core.training.threshold_proposals import ThresholdProposal, Wish
from smarthdr_studio.core.trust.adaptive_thresholds import (
    LabelledMaps,
    exposure_bins,
    kept_error,
    quantile_thresholds,
    risk_thresholds,
)
from smarthdr_studio.core.trust.masking import (
    Level,
    MaskSettings,
    expand,
    pool_ranges,
    scores,
    trust,
)
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label, write_pseudo_label
from smarthdr_studio.learning.checkpoints import latest_checkpoint
from smarthdr_studio.learning.model_files import load_predictor
from smarthdr_studio.studio.state import PoolShares, StudioState, ThresholdState
from smarthdr_studio.studio.trust import threshold_proposals
from smarthdr_studio.studio.trust.threshold_proposals import ThresholdProposals, propose_for

pytestmark = pytest.mark.usefixtures("nothing_predicted_before")
POOL = ("003", "004", "005", "006")
ABSOLUTE = MaskSettings(
    tau_patch=0.5,
    patches=Level(normalisation="absolute", sigma_at_one=1.0),
    pixels=Level(normalisation="absolute", sigma_at_one=1.0),
)


@pytest.fixture
def trained(tiny_project):
    """The tiny project with a checkpoint of networks that learned nothing."""
    leave_untrained(tiny_project)
    return tiny_project


def _labels(folder, *, views=1):
    frames, found = FrameStore(), []
    with Project.open(folder) as project:
        scenes = [project.scene(name) for name in ("001", "002")]
    predictor = load_predictor(latest_checkpoint(folder), frames=frames).asking(views)
    for scene in scenes:
        hdr, sigma = predictor.predict(scene)
        found.append(LabelledMaps.of(hdr, sigma, frames.ground_truth(scene), learned=True))
    return found


def _pool(folder):
    with Project.open(folder) as project:
        return {name: project.pseudo_path(name) for name in POOL}


def _ranges(folder):
    sigmas = [read_pseudo_label(path).sigma for path in _pool(folder).values()]
    return lambda masks: pool_ranges(sigmas, masks)


def _proposed(folder, method, masks, **how):
    wish = Wish(method=method, masks=masks, **how)
    return propose_for(lambda *_: None, folder=folder, wish=wish, frames=FrameStore())


@pytest.mark.parametrize("masks", [MaskSettings(), ABSOLUTE])
@pytest.mark.parametrize("method", ["quantile", "risk"])
def test_a_proposal_is_what_the_formulas_say_of_labels_and_pool(trained, method, masks):
    found = _proposed(trained, method, masks, target=0.5)
    labels, ranges = _labels(trained), _ranges(trained)
    if method == "quantile":
        expected = quantile_thresholds(labels, masks, ranges=ranges, share=0.85)
    else:
        expected = risk_thresholds(labels, masks, ranges=ranges, target=0.5)
    assert found.masks == expected
    exact = pool_trust(_pool(trained), expected)
    assert found.retained == pytest.approx(exact.retained, abs=5e-3)
    assert found.patches == pytest.approx(exact.patches_retained)
    assert repr(found.error) == repr(kept_error(labels, expected, ranges=ranges))  # NaN is NaN
    told = " ".join(found.words)
    assert f"τ_pa {expected.tau_patch:.3f}" in told
    assert f"retain {100 * found.retained:.0f} %" in told
    assert "flatters" in told


@pytest.mark.parametrize("method", ["quantile", "risk"])
def test_labels_are_scored_by_a_sigma_that_was_scaled_as_that_of_the_pool(trained, method):
    plain = _proposed(trained, method, MaskSettings(), target=0.5)
    for path in _pool(trained).values():
        label = read_pseudo_label(path)
        scaled = replace(label, sigma=label.sigma * np.float32(4))
        of = replace(label.provenance, sigma_scale=4.0)
        write_pseudo_label(path, replace(scaled, provenance=of))
    found = _proposed(trained, method, MaskSettings(), target=0.5)
    # Min–max scores do not depend on the scale, as long as it is one and the same.
    assert found.masks.tau_patch == pytest.approx(plain.masks.tau_patch, abs=1e-5)
    assert found.masks.tau_pixel == pytest.approx(plain.masks.tau_pixel, abs=1e-5)
    assert found.error.kept == pytest.approx(plain.error.kept, rel=1e-3)


def test_the_teacher_is_asked_for_labels_as_its_run_asks_it_for_pseudo_labels(trained):
    about = latest_checkpoint(trained) / "checkpoint.json"
    told = json.loads(about.read_text())
    told["plan"]["teacher"] = {"views": 4}
    about.write_text(json.dumps(told))
    labels, ranges = _labels(trained, views=4), _ranges(trained)
    expected = quantile_thresholds(labels, ABSOLUTE, ranges=ranges, share=0.85)
    assert expected != quantile_thresholds(_labels(trained), ABSOLUTE, ranges=ranges, share=0.85)
    assert _proposed(trained, "quantile", ABSOLUTE).masks == expected


def test_means_by_exposure_are_told_and_one_threshold_is_proposed(trained):
    found = _proposed(trained, "exposure", MaskSettings())
    ranges = _ranges(trained)(MaskSettings())
    values, bins = [], []
    with Project.open(trained) as project:
        for name, path in _pool(trained).items():
            sigma = read_pseudo_label(path).sigma
            own = trust(sigma, MaskSettings(), patch_range=ranges[0], pixel_range=ranges[1])
            height, width = sigma.shape
            inside = expand(own.patch_mask, height=height, width=width)
            values.append(scores(sigma, own.pixel_range)[inside])
            reference = FrameStore().bracket(project.scene(name)).reference
            bins.append(exposure_bins(reference)[inside])
    whole, where = np.concatenate(values), np.concatenate(bins)
    assert found.masks.tau_pixel == pytest.approx(whole.mean(), rel=1e-5)
    assert replace(found.masks, tau_pixel=MaskSettings().tau_pixel) == MaskSettings()
    assert f"{whole[where == 1].mean():.3f} mid" in found.how


def test_without_labels_nothing_is_proposed_and_the_remedy_is_told(trained):
    with Project.open(trained) as project:
        decisions = Decisions(project)
        decisions.exclude(["001", "002"])
    from smarthdr_studio.core.errors import ProjectError

    with pytest.raises(ProjectError, match="no labelled scene has a ground truth"):
        _proposed(trained, "quantile", MaskSettings())
    found = _proposed(trained, "exposure", MaskSettings())
    assert found.error is None
    assert "No labelled scene tells" in found.words[-1]


def test_what_is_proposed_is_applied_as_one_decision_that_undo_takes_back(session, until, trained):
    session.take(trained)
    until(session, lambda s: s.shown == "003" and s.pool is not None)
    before = session.state.masks
    session.inspection.propose_thresholds(Wish(method="quantile", masks=before))
    assert session.state.drawn.work
    until(session, lambda s: s.drawn.shown is not None)
    proposal = session.state.drawn.shown
    assert session.state.masks == before  # nothing has changed yet
    session.inspection.proposals.apply()
    until(session, lambda _: session.curating.at_rest)
    assert session.state.masks == proposal.masks
    assert session.state.drawn.shown is None
    assert session.state.pool.retained == pytest.approx(proposal.retained, abs=5e-3)
    with Project.open(trained) as project:
        assert Decisions(project).masks() == proposal.masks
        exact = pool_trust(_pool(trained), proposal.masks, manual_masks=project.person)
    assert session.state.pool.retained == pytest.approx(exact.retained, abs=5e-3)
    session.curating.undo()
    until(session, lambda s: s.masks == before)


def test_a_proposal_can_be_left_and_a_refusal_is_told(session, until, tiny_project):
    session.take(tiny_project)
    until(session, lambda s: s.shown == "003" and s.pool is not None)
    session.inspection.propose_thresholds(Wish(method="risk", masks=session.state.masks))
    until(session, lambda s: s.notice is not None)
    assert "no run has a checkpoint yet" in session.state.notice.text
    assert not session.state.drawn.work


def test_a_question_in_place_of_another_is_seen_while_it_is_under_way(
    session, until, tiny_project, monkeypatch
):
    begun, let_go = [], [threading.Event(), threading.Event()]

    def silent(report, **_asked):
        begun.append(len(begun))
        let_go[begun[-1]].wait(60)
        report("", 0, 0)  # given up here, where it is
        raise ProjectError("enough")

    monkeypatch.setattr(threshold_proposals, "propose_for", silent)
    session.take(tiny_project)
    until(session, lambda s: s.pool is not None)
    for method in ("risk", "quantile"):
        session.inspection.propose_thresholds(Wish(method=method, masks=session.state.masks))
        until(session, lambda _: begun)
    let_go[0].set()
    until(session, lambda _: len(begun) == 2)
    assert session.state.drawn.work
    let_go[1].set()
    until(session, lambda s: not s.drawn.work)
    assert "enough" in session.state.notice.text


def _shown(qtbot, **drawn):
    panel = ThresholdProposals()
    qtbot.addWidget(panel)
    pool = PoolShares(scenes=4, retained=0.5, patches_retained=0.5)
    panel.show()
    panel.show_state(StudioState(), StudioState(pool=pool, drawn=ThresholdState(**drawn)))
    return panel


def _button(panel, name):
    return next(b for b in panel.findChildren(QPushButton) if b.accessibleName() == name)


def test_the_menu_asks_by_the_settings_on_the_screen(qtbot):
    panel = _shown(qtbot)
    said = []
    panel.asked.connect(said.append)
    quantile, exposure, risks = panel._open.menu().actions()
    quantile.trigger()
    exposure.trigger()
    risks.menu().actions()[1].trigger()
    assert [(wish.method, wish.target) for wish in said] == [
        ("quantile", 0.01),
        ("exposure", 0.01),
        ("risk", 0.01),
    ]
    assert all(wish.masks == MaskSettings() for wish in said)
    assert all(a.toolTip() != a.text() for a in (quantile, exposure, *risks.menu().actions()))
    panel.show_state(StudioState(), StudioState())
    assert not panel._open.isEnabled()  # nothing to draw them for


def test_words_stand_there_only_with_something_to_say(qtbot, trained):
    panel = _shown(qtbot)
    assert not panel._words.isVisible()
    assert not panel._apply.isVisible()
    panel = _shown(qtbot, work="asking the teacher", progress=0.5)
    assert panel._words.text() == "asking the teacher"
    assert not panel._apply.isVisible()
    stopped = []
    panel.dismissed.connect(lambda: stopped.append(True))
    qtbot.mouseClick(_button(panel, "Stop"), Qt.MouseButton.LeftButton)
    assert stopped
    proposal = _proposed(trained, "risk", MaskSettings(), target=0.5)
    panel = _shown(qtbot, shown=proposal)
    assert all(words in panel._words.text() for words in proposal.words)
    assert panel._apply.isEnabled()


@pytest.mark.parametrize("size", [(1024, 640), (1280, 720)])
def test_what_is_proposed_comes_into_sight_with_its_buttons(opened, qtbot, size):
    opened.resize(*size)
    panel = opened.page.trust_side.proposals
    opened.page.desk.reset()
    masks, how = MaskSettings(tau_patch=0.1), "kept pixels err by so much, of so many scenes " * 3
    shown = ThresholdProposal(
        method="risk", masks=masks, retained=0.5, patches=0.5, error=None, how=how
    )
    opened.session._store.become(drawn=ThresholdState(shown=shown))

    def in_sight(part):
        return part.isVisible() and part.visibleRegion().boundingRect() == part.rect()

    qtbot.waitUntil(lambda: in_sight(panel._apply) and in_sight(panel._words))
