"""Labels made under another response curve are told before a run learns from them."""

from smarthdr_studio.core.imaging.bracket import FrameReading
from smarthdr_studio.core.imaging.response import ResponseCurve
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.events import RunStarted, Steered, StepReported
from smarthdr_studio.core.trust.pseudo_label import read_provenance
from smarthdr_studio.learning.estimate import estimate
from smarthdr_studio.learning.trainer import train

CURVE = FrameReading(response=ResponseCurve(tables=((0.0, 0.4, 1.0),)))


def read_under(project, reading):
    with Project.open(project) as opened:
        Decisions(opened).read_frames(reading)


def beginning(events):
    """What a run says before its first step."""
    told = []
    for event in events:
        if isinstance(event, StepReported):
            break
        told.append(event)
    events.close()
    return told


def stale(told):
    return [
        each.text for each in told if isinstance(each, Steered) and "response curve" in each.text
    ]


def test_a_promoted_label_of_another_curve_is_told_before_the_first_step(
    project, make_plan, decide
):
    decide("promote", ["u"])
    assert stale(beginning(train(make_plan(), project))) == []
    read_under(project, CURVE)
    (words,) = stale(beginning(train(make_plan(), project)))
    assert words.startswith("1 promoted label was made under another response curve")


def test_pseudo_labels_are_made_anew_and_so_are_not_told(project, make_plan):
    read_under(project, CURVE)
    assert stale(beginning(train(make_plan(), project))) == []


def test_a_run_that_is_gone_on_with_under_another_curve_says_so(project, make_plan):
    (started, *_) = (
        each for each in beginning(train(make_plan(), project)) if isinstance(each, RunStarted)
    )
    read_under(project, CURVE)
    (words,) = stale(beginning(train(make_plan(), project, resume=started.run)))
    assert words.startswith("1 run was made under another response curve")


def test_an_estimate_warns_of_them(project, make_plan, decide):
    decide("promote", ["u"])
    read_under(project, CURVE)
    found = [each for each in estimate(make_plan(), project) if hasattr(each, "warnings")][-1]
    assert any("1 promoted label was made under" in each for each in found.warnings)


def test_a_round_writes_into_its_labels_under_which_curve_they_were_made(project, make_plan):
    read_under(project, CURVE)
    list(train(make_plan(), project))
    with Project.open(project) as opened:
        made = [opened.pseudo_path(name) for name in ("u", "v")]
        curves = {read_provenance(path).curve for path in made if path.is_file()}
    assert curves == {CURVE.curve}
