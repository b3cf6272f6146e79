"""The frames of a bracket are shown and chosen in a shell."""

import pytest
from made_truths import put_frames, view

from smarthdr_studio.core.project.project import Project


@pytest.fixture
def project(run, tmp_path):
    put_frames(tmp_path / "d" / "s", [view()] * 5, (0, 1, 2, 3, 4))
    (tmp_path / "d" / "s" / "exposure.txt").write_text("0 1 2 3 4")
    assert run("new", tmp_path / "p.shdr", tmp_path / "d").status == 0
    return tmp_path / "p.shdr"


def test_frames_are_shown_chosen_and_left_to_the_program_again(run, project):
    found = run("frames", project, "s", "--json").json
    assert [each["file"] for each in found["frames"]] == [f"f{n}.tif" for n in range(5)]
    assert not found["chosen"]
    told = run("frames", project, "s", "--use", "1,3,4", "--json").json
    assert [each["used"] for each in told["frames"]] == [
        ["under"], [], ["reference"], ["over"], []
    ]  # fmt: skip
    assert told["chosen"]
    with Project.open(project) as opened:
        assert opened.scene("s").chosen == (0, 2, 3)
    assert "chosen by hand" in run("frames", project, "s").out
    assert run("frames", project, "s", "--use", "auto", "--json").json["frames"] == found["frames"]
    assert run("undo", project).status == 0
    with Project.open(project) as opened:
        assert opened.scene("s").chosen == (0, 2, 3)


@pytest.mark.parametrize(
    ("use", "words"),
    [
        ("1,2", "not three numbers"),
        ("a,b,c", "not three numbers"),
        ("3,1,2", "choose an under"),
        ("1,2,6", "has 5 frames"),
        ("0,1,2", "choose an under"),
    ],
)
def test_what_is_no_choice_is_one_sentence(run, project, use, words):
    refused = run("frames", project, "s", "--use", use)
    assert refused.status == 2
    assert words in refused.err
