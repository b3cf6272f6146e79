"""The verbs that help to choose, on a small project of which every figure can be counted."""

import shutil

import pytest

from smarthdr_studio.core.curation.clues import kept_records
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.rounds import RoundRecord, history_path, write_record
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics

POOL = {"003", "004", "005"}


def write_rounds(folder, shares):
    """A run whose rounds kept these shares, one mapping of scenes each."""
    with Project.open(folder) as opened:
        run = opened.runs_folder / "20260101-000000-quick"
        statistics = {name: SceneStatistics.load(opened.statistics_path(name)) for name in POOL}
    for number, retained in enumerate(shares):
        path = history_path(run, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        record = RoundRecord(
            round=number,
            step=number,
            epoch=number,
            masks=MaskSettings(),
            patch_range=None,
            pixel_range=None,
            statistics={name: statistics[name] for name in retained},
            retained=retained,
        )
        write_record(path, record)


def trust_all(run, project):
    run("masks", project, "--tau-patch", 1, "--tau-pixel", 1, "--save")


@pytest.mark.parametrize("kind", ["safest", "worth"])
def test_a_queue_holds_every_waiting_scene_with_its_reason(run, project, kind):
    answer = run("queue", project, "--kind", kind, "--json")
    assert answer.status == 0
    assert {item["scene"] for item in answer.json["queue"]} == POOL
    assert all("trusted" in item["reason"] for item in answer.json["queue"])
    scores = [item["score"] for item in answer.json["queue"]]
    assert scores == sorted(scores, reverse=True)
    assert (answer.json["reviewed"], answer.json["of"]) == (0, 3)


def test_looking_at_frames_is_done_once_and_kept(run, project, monkeypatch):
    run("queue", project)
    with Project.open(project) as opened:
        assert set(kept_records(opened)) == POOL | {"001", "002"}
    monkeypatch.setattr(
        "smarthdr_studio.core.curation.clues.decode_bracket",
        lambda scene: pytest.fail(f"{scene.id} is looked at again"),
    )
    assert run("queue", project).status == 0


def test_a_scene_whose_frames_are_damaged_is_named_and_the_rest_ranked(run, project, monkeypatch):
    from smarthdr_studio.core.errors import UnreadableImage

    def damaged(scene):
        raise UnreadableImage(f"{scene.frames[0]}: is truncated or damaged")

    monkeypatch.setattr("smarthdr_studio.core.curation.clues.decode_bracket", damaged)
    answer = run("queue", project, "--json")
    assert {item["scene"] for item in answer.json["queue"]} == POOL
    assert "003" in answer.err


def test_top_and_where_narrow_a_queue_without_changing_its_order(run, project):
    whole = [item["scene"] for item in run("queue", project, "--json").json["queue"]]
    short = run("queue", project, "--top", 2, "--json").json["queue"]
    assert [item["scene"] for item in short] == whole[:2]
    some = run("queue", project, "--where", "-id:004", "--json").json["queue"]
    assert [item["scene"] for item in some] == [name for name in whole if name != "004"]


def test_a_query_nobody_understands_is_one_sentence_and_status_2(run, project):
    for verb in ("queue", "scenes"):
        answer = run(verb, project, "--where", "retained<")
        assert answer.status == 2
        assert answer.err.count("\n") == 1
        assert "retained<0.6" in answer.err


def test_scenes_are_listed_filtered_and_sorted(run, project):
    trusted = run("masks", project, "--json").json["scenes"]
    expected = sorted(trusted, key=lambda scene: -scene["retained"])
    answer = run(
        *("scenes", project, "--where", "status:unlabelled"),
        *("--sort", "retained", "--descending", "--json"),
    )
    found = answer.json["scenes"]
    assert [scene["id"] for scene in found] == [scene["id"] for scene in expected]
    for mine, theirs in zip(found, expected, strict=True):
        assert mine["retained"] == pytest.approx(theirs["retained"], abs=0.01)
    assert "3 of 6 scenes" in run("scenes", project, "--where", "status:unlabelled").out


def test_a_proposal_changes_nothing_until_it_is_asked_to(run, project):
    trust_all(run, project)
    write_rounds(project, [dict.fromkeys(POOL, 0.97)] * 2 + [{"003": 0.97, "004": 0.9}])
    answer = run("propose", project, "--json").json
    assert [each["scene"] for each in answer["candidates"]] == ["003"]
    assert answer["pixels"] == 128 * 192
    assert (answer["before"]["pool"], answer["after"]["pool"]) == (3, 2)
    assert answer["after"]["labelled"] == answer["before"]["labelled"] + 1 == 3
    assert not answer["promoted"]
    with Project.open(project) as opened:
        assert opened.statuses()["003"] == "unlabelled"


def test_a_confirmed_proposal_is_one_decision_with_its_rule_as_the_note(run, project):
    trust_all(run, project)
    write_rounds(project, [dict.fromkeys(("003", "005"), 0.97)] * 3)
    assert "Promoted." in run("propose", project, "--promote").out
    with Project.open(project) as opened:
        assert opened.statuses()["003"] == opened.statuses()["005"] == "promoted"
        assert "95 %" in opened.entries()[-1].note
    run("undo", project)
    with Project.open(project) as opened:
        assert opened.statuses()["003"] == opened.statuses()["005"] == "unlabelled"


def test_a_scene_that_cannot_be_promoted_is_left_out_of_a_proposal_and_told(run, project):
    trust_all(run, project)
    write_rounds(project, [dict.fromkeys(POOL, 0.97)] * 3)
    damaged = project / "pseudo" / "004.exr"
    damaged.write_bytes(damaged.read_bytes()[:-600])
    answer = run("propose", project, "--promote", "--json")
    assert answer.status == 6
    assert [each["id"] for each in answer.json["left_out"]] == ["004"]
    assert "004.exr: truncated" in answer.json["left_out"][0]["why"]
    assert "left out: " in answer.err
    assert "004.exr" in answer.err
    with Project.open(project) as opened:
        found = {name: opened.statuses()[name] for name in sorted(POOL)}
    assert found == {"003": "promoted", "004": "unlabelled", "005": "promoted"}
    assert not list((project / "labels").rglob("draft-*"))
    again = run("propose", project, "--promote")
    assert again.status == 6, "the one that is left cannot be promoted either"
    assert "Promoted 0 of 1 scene; the others were left out." in again.out


def test_without_a_run_nothing_is_proposed(run, project):
    answer = run("propose", project, "--promote")
    assert answer.status == 0
    assert "No scene has" in answer.out


def test_a_queue_that_holds_nothing_is_one_line(run, project):
    answer = run("queue", project, "--where", "status:test")
    assert answer.out == "Most worth labelling (0 of 3 reviewed)\n"
    run("exclude", project, "003")  # who decides has looked at it
    answer = run("queue", project, "--where", "status:test")
    assert answer.out == "Most worth labelling (1 of 3 reviewed)\n"


def test_changed_and_lost_pictures_are_told_as_doctor_tells_them(run, project, dataset, tmp_path):
    mine = shutil.copytree(dataset, tmp_path / "mine")
    with Project.open(project) as opened:
        opened.move_dataset(mine)
        opened.compare_pictures()
        changed, lost = opened.scene("003").frames[0], opened.scene("004").frames[2]
    changed.write_bytes(changed.with_name(opened.scene("003").frames[1].name).read_bytes())
    lost.unlink()
    known = run("doctor", project, "--json").json["findings"]
    assert [each["what"] for each in known] == ["003", "004"]
    assert changed.name in known[0]["sentence"]
    assert lost.name in known[1]["sentence"]
    for verb in ("scenes", "propose", "queue"):
        answer = run(verb, project, "--json")
        assert answer.json["findings"] == known, verb
        for each in known:
            assert f"{each['sentence']}; {each['remedy']}\n" in answer.err
