"""Whether σ is any good, in words, figures and charts, and how to come by them."""

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt

from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.trust.reliability import Evidence, Part
from smarthdr_studio.studio.plots.uncertainty import Calibration, Sparsification
from smarthdr_studio.studio.state import EvidenceState, StudioState
from smarthdr_studio.studio.trust.evidence_panel import (
    ASK,
    MEASURE,
    EvidencePanel,
    coverage,
    figures,
    removed,
    sentence,
)


def curve(error, order):
    """Mean error of the rest ÷ mean error of all, dropping in this order, at 0, 1 … 100 %."""
    n = len(error)
    rest = [error[order[round(share * n) :]] for share in np.linspace(0, 1, 101)]
    return np.array([part.mean() if len(part) else 0.0 for part in rest]) / error.mean()


def evidence(sigma, error, **changes):
    known = {
        "pixels": len(error),
        "error": float(error.mean()),
        "by_sigma": curve(error, np.argsort(-sigma, kind="stable")),
        "oracle": curve(error, np.argsort(-error, kind="stable")),
        "random": np.ones(101),
        "ause": 0.123,
        "aurg": 0.271,
        "spearman": 0.618,
        "auroc": 0.871,
        "ence": 0.244,
        "coverage": (0.612, 0.904, 0.9712),
        "predicted": np.array([0.01, 0.02]),
        "observed": np.array([0.01, 0.03]),
    }
    return Evidence(**(known | changes))


def scene(seed, *, knows):
    rng = np.random.default_rng(seed)
    error = rng.exponential(0.01, 1000) + 1e-6
    noise = rng.exponential(0.01, 1000)
    return knows * error + (1 - knows) * noise, error


@given(
    st.integers(0, 200), st.sampled_from([0.0, 0.3, 0.8, 1.0]), st.sampled_from([0.05, 0.1, 0.5])
)
def test_what_is_removed_is_the_share_of_the_summed_error(seed, knows, dropped):
    sigma, error = scene(seed, knows=knows)
    gone = removed(evidence(sigma, error), dropped=dropped)
    most = round(dropped * len(error))
    surest_last = np.argsort(-sigma, kind="stable")
    assert gone.by_sigma == pytest.approx(error[surest_last[:most]].sum() / error.sum())
    assert gone.oracle == pytest.approx(np.sort(error)[::-1][:most].sum() / error.sum())


def test_the_sentence_has_the_numbers_of_plain_numpy():
    sigma, error = scene(3, knows=0.8)
    worst = np.argsort(-sigma, kind="stable")[:100]
    by_sigma = 100 * error[worst].sum() / error.sum()
    oracle = 100 * np.sort(error)[-100:].sum() / error.sum()
    words = sentence(evidence(sigma, error))
    assert words == (
        f"σ knows where the errors are: dropping the least sure 10 % removes {by_sigma:.0f} %"
        f" of the absolute error (an oracle {oracle:.0f} %)."
    )


def test_the_verdict_follows_how_much_of_an_oracle_sigma_is():
    verdicts = [
        sentence(evidence(*scene(3, knows=knows))).split(":")[0] for knows in (1.0, 0.45, 0.0)
    ]
    assert verdicts == [
        "σ knows where the errors are",
        "σ knows roughly where the errors are",
        "σ does not know where the errors are",
    ]


def test_there_is_a_sentence_where_there_is_nothing_to_know():
    sigma, flat = np.linspace(0, 1, 1000), np.full(1000, 0.01)
    assert "alike" in sentence(evidence(sigma, flat))
    assert "no such pixels" in sentence(evidence(sigma, flat, pixels=0))
    nothing = np.full(101, math.nan)
    assert "no error" in sentence(evidence(sigma, flat, by_sigma=nothing, oracle=nothing))


def test_figures_stand_beside_what_a_gaussian_would_have():
    shown = evidence(*scene(1, knows=0.5))
    first, second = figures(shown)
    told = {fact.name: fact.value for fact in (*first, *second, *coverage(shown))}
    assert told == {
        "AUSE": "0.12",
        "AURG": "0.27",
        "Spearman": "0.62",
        "AUROC": "0.87",
        "ENCE": "0.24",
        "pixels": "1,000",
        "within σ": "61, 90, 97 %",
        "Gaussian": "61, 99.3, >99.9 %",
    }
    first, second = figures(replace(shown, auroc=math.nan, pixels=1_500_000))
    told = {fact.name: fact.value for fact in (*first, *second)}
    assert told["AUROC"] == "–"
    assert told["pixels"] == "1.50 M"


def panel_with(qtbot, **changes):
    panel = EvidencePanel()
    panel.place_charts(Sparsification(), Calibration())
    qtbot.addWidget(panel)
    panel.resize(300, 620)
    panel.show()
    test, other = SceneFacts(id="001", status=Status.TEST), Status.UNLABELLED
    rows = (test, SceneFacts(id="002", status=other))
    state = StudioState(folder=Path("p"), shown="002", scenes=rows, **changes)
    panel.show_state(StudioState(), state)
    return panel


def heard(panel):
    said = []
    panel.scope_picked.connect(lambda scope: said.append(("scope", scope)))
    panel.part_picked.connect(lambda part: said.append(("part", part)))
    panel.measure_asked.connect(lambda: said.append(("measure",)))
    panel.cancel_asked.connect(lambda: said.append(("cancel",)))
    return said


def test_scope_and_part_are_picked(qtbot):
    panel = panel_with(qtbot)
    said = heard(panel)
    qtbot.mouseClick(panel._scope._buttons["pool"], Qt.MouseButton.LeftButton)
    panel._parts.setFocus()
    qtbot.keyClick(panel._parts, Qt.Key.Key_Down)
    assert said == [("scope", "pool"), ("part", str(Part.SATURATED))]
    for before, part in pairwise((Part.SATURATED, *Part)):
        old, new = (StudioState(evidence=EvidenceState(part=each)) for each in (before, part))
        panel.show_state(old, new)
        assert panel._parts.currentText() == str(part)


def test_when_nothing_is_known_it_says_why_and_what_helps(qtbot):
    panel = panel_with(qtbot, evidence=EvidenceState(note="This scene has no ground truth."))
    said = heard(panel)
    assert "not known" in panel._words.text()
    assert panel._note.toolTip() == "This scene has no ground truth."
    assert not panel._known.isVisible()
    assert panel._measure.text() == MEASURE
    qtbot.mouseClick(panel._measure, Qt.MouseButton.LeftButton)
    assert said == [("scope", "pool"), ("measure",)]


def test_a_scene_with_ground_truth_asks_the_teacher(qtbot):
    panel = panel_with(qtbot)
    said = heard(panel)
    before = panel._state
    panel.show_state(before, replace(before, shown="001"))
    assert panel._measure.text() == ASK
    qtbot.mouseClick(panel._measure, Qt.MouseButton.LeftButton)
    assert said == [("measure",)]


def test_work_is_told_and_can_be_cancelled(qtbot):
    panel = panel_with(
        qtbot, evidence=EvidenceState(scope="pool", work="scene 3 of 7", progress=0.4)
    )
    said = heard(panel)
    assert panel._work.whole == "scene 3 of 7"
    assert panel._bar.value() == 400
    assert not panel._measure.isEnabled()
    qtbot.mouseClick(panel._cancel, Qt.MouseButton.LeftButton)
    assert said == [("cancel",)]
    idle = replace(panel._state, evidence=EvidenceState(scope="pool"))
    panel.show_state(panel._state, idle)
    assert not panel._at_work.isVisible()
    assert panel._measure.isEnabled()


def test_evidence_of_the_pool_names_its_scenes_and_fits_the_column(qtbot):
    shown = evidence(*scene(1, knows=0.7))
    panel = panel_with(
        qtbot,
        evidence=EvidenceState(
            scope="pool", shown=shown, scenes=("001", "005"), note="Optimistic."
        ),
    )
    assert panel._words.text() == sentence(shown)
    assert panel._note.toolTip() == "Measured on 2 scenes: 001, 005. Optimistic."
    assert panel._known.isVisible()
    assert panel.minimumSizeHint().width() <= 300
