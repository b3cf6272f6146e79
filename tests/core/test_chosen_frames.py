"""Which frames of a bracket are used is a person's to say: in the journal, undone like the rest."""

import numpy as np
import pytest
from made_labels import pseudo_label
from made_truths import put_frames, view

from smarthdr_studio.core.datasets.ground_truth import TruthFix
from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.errors import BadScene, DamagedProject, LabelError, ProjectError
from smarthdr_studio.core.imaging.bracket import FrameReading, decode_bracket, decode_ground_truth
from smarthdr_studio.core.imaging.image_files import write_radiance_exr
from smarthdr_studio.core.imaging.response import ResponseCurve
from smarthdr_studio.core.project import database
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Kind
from smarthdr_studio.core.project.labels import TruthProvenance
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.stale import stale_in_words, stale_labels
from smarthdr_studio.core.trust.pseudo_label import read_provenance, write_pseudo_label

EXACT = view()
STOPS = (0.0, 1.0, 2.0, 3.0, 4.0)


@pytest.fixture
def project(tmp_path):
    """A scene of five frames with a ground truth, and the names of those that are used."""
    put_frames(tmp_path / "d" / "s", [EXACT] * 5, STOPS)
    (tmp_path / "d" / "s" / "exposure.txt").write_text(" ".join(map(str, STOPS)))
    write_radiance_exr(tmp_path / "d" / "s" / "HDRImg.exr", EXACT)
    found = find_scenes(tmp_path / "d")
    with Project.create(tmp_path / "p.shdr", found, labelled=()) as made:
        yield made


@pytest.fixture
def decisions(project):
    return Decisions(project)


def used(project):
    return tuple(path.name for path in project.scene("s").frames)


def give_pseudo_label(project):
    scene = project.scene("s")
    label = pseudo_label("s", size=(scene.height, scene.width))
    project.pseudo_path("s").parent.mkdir(exist_ok=True)
    write_pseudo_label(project.pseudo_path("s"), label)


def test_chosen_frames_are_used_kept_and_undone(project, decisions):
    before = used(project)
    decisions.choose_frames("s", (0, 1, 4))
    assert used(project) == ("f0.tif", "f1.tif", "f4.tif")
    assert project.scene("s").stops == (0, 1, 4)
    assert len(project.scene("s").whole_bracket) == 5
    entry = project.entries()[-1]
    assert (entry.kind, entry.three) == (Kind.CHOOSE_FRAMES, (0, 1, 4))
    with Project.open(project.folder) as again:
        assert again.scenes == project.scenes
        decisions.undo()
        again.entries()  # as a window asks that sees another has written
        assert again.scenes == project.scenes
    assert used(project) == before
    assert decisions.redo().words == "choose the frames of s"
    assert used(project) == ("f0.tif", "f1.tif", "f4.tif")
    decisions.choose_frames("s", None)
    assert used(project) == before
    assert project.scene("s").chosen is None


def test_the_reference_may_stand_in_for_another(project, decisions):
    decisions.choose_frames("s", (0, 4, 4))
    assert used(project) == ("f0.tif", "f4.tif", "f4.tif")
    bracket = decode_bracket(project.scene("s"))
    assert np.array_equal(bracket.over, bracket.reference)


@pytest.mark.parametrize("three", [(2, 1, 4), (0, 4, 3), (1, 1, 1), (0, 1, 5), (-1, 1, 2), (0, 1)])
def test_frames_that_make_no_bracket_are_refused_by_name(project, decisions, three):
    with pytest.raises(BadScene, match=r"s: has 5 frames .* choose an under"):
        decisions.choose_frames("s", three)
    assert decisions.next_undo is None


def test_the_same_choice_is_no_decision(project, decisions):
    decisions.choose_frames("s", None)
    assert decisions.next_undo is None
    decisions.choose_frames("s", (0, 1, 4))
    count = len(project.entries())
    decisions.choose_frames("s", (0, 1, 4))
    assert len(project.entries()) == count


def test_the_ground_truth_follows_the_under_frame(project, decisions):
    decisions.choose_frames("s", (0, 2, 4))
    plain = decode_ground_truth(project.scene("s")).astype(float)
    decisions.choose_frames("s", (2, 3, 4))
    followed = decode_ground_truth(project.scene("s")).astype(float)
    assert followed == pytest.approx(np.clip(plain * 4, 0, 1), rel=2e-3)
    # As METHOD §1 has it: 1 is what clips the under frame.
    under = decode_bracket(project.scene("s")).under / 65535
    inside = (under > 0.1) & (under < 0.9)
    assert np.median((under**2.2)[inside] / followed[inside]) == pytest.approx(1, abs=0.01)


def test_labels_of_other_frames_are_told_and_not_promoted(project, decisions):
    give_pseudo_label(project)
    decisions.choose_frames("s", (0, 1, 4))
    (label,) = stale_labels(project)
    assert label.words == (
        "its pseudo-label was made of other frames of the bracket than are chosen now"
    )
    words = stale_in_words([label])
    assert "smarthdr-studio frames PROJECT SCENE --use auto" in words
    with pytest.raises(LabelError, match="of other frames of s than are chosen now; make it anew"):
        decisions.promote(["s"])
    decisions.undo()
    assert stale_labels(project) == ()
    decisions.promote(["s"])


def test_a_pseudo_label_of_another_curve_is_not_promoted(project, decisions):
    give_pseudo_label(project)
    steep = tuple(float(light) for light in np.linspace(0, 1, 64) ** 2)
    decisions.read_frames(FrameReading(response=ResponseCurve(tables=(steep,))))
    with pytest.raises(
        LabelError, match=r"frames read with gamma 2\.2, and they are read under the"
    ):
        decisions.promote(["s"])
    decisions.undo()
    decisions.promote(["s"])


def test_a_label_keeps_of_which_frames_it_was_made(project):
    give_pseudo_label(project)
    assert read_provenance(project.pseudo_path("s")).three is None
    label = pseudo_label("s")
    of = label.provenance.__class__(
        **{n: getattr(label.provenance, n) for n in label.provenance.__dataclass_fields__}
        | {"three": (0, 2, 4)}
    )
    write_pseudo_label(project.pseudo_path("s"), label.__class__(
        scene="s", hdr=label.hdr, sigma=label.sigma, person=None, provenance=of
    ))  # fmt: skip
    assert read_provenance(project.pseudo_path("s")).three == (0, 2, 4)


def test_the_scale_of_a_scenes_own_label_is_not_taken_from_under_it(project, decisions):
    under = used(project)[0]
    give_pseudo_label(project)
    decisions.promote(["s"])
    place = int(under[1])
    with pytest.raises(ProjectError, match=r"s: has a label of its own.* undo the label first"):
        decisions.choose_frames("s", (place + 1, place + 2, 4))
    decisions.exclude(["s"])
    with pytest.raises(ProjectError, match="label of its own"):
        decisions.choose_frames("s", (place + 1, place + 2, 4))
    decisions.choose_frames("s", (place, place + 1, 4))
    assert {each.what for each in stale_labels(project)} == {"pseudo-label"}


def test_a_ground_truth_merged_of_other_frames_is_told(project, decisions):
    scene = project.scene("s")
    place = int(used(project)[0][1])
    of = TruthProvenance(sources=("a", "b"), checksums=("1", "2"), fix=TruthFix(), made="")
    decisions.import_truth("s", np.full((scene.height, scene.width, 3), 0.5, "f4"), provenance=of)
    assert stale_labels(project) == ()
    decisions.choose_frames("s", (place, place + 1, 4))
    assert [each.what for each in stale_labels(project)] == ["merged ground truth"]


def test_going_back_to_a_moment_brings_its_frames_back(project, decisions):
    decisions.choose_frames("s", (0, 1, 4))
    then = project.entries()[-1].seq
    decisions.choose_frames("s", (0, 2, 3))
    scenes, _ = decisions.go_back(then)
    assert scenes == ("s",)
    assert used(project) == ("f0.tif", "f1.tif", "f4.tif")
    with Project.open(project.folder) as again:
        assert again.scenes == project.scenes


def test_a_journal_that_speaks_of_frames_that_are_not_there_is_told(project, decisions):
    decisions.choose_frames("s", (0, 1, 4))
    entry = project.entries()[-1]
    odd = entry.__class__(
        **{name: getattr(entry, name) for name in entry.__dataclass_fields__}
        | {"three": (0, 1, 9), "seq": 0, "group": "other"}
    )
    with database.writing(project._connection, project.folder):
        database.append(project._connection, [odd])
    with (
        pytest.raises(DamagedProject, match="frames that s has not; mend it"),
        Project.open(project.folder) as opened,
    ):
        opened.scenes  # noqa: B018
