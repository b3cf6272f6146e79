"""The split and the journal as files, and a split from a file."""

import csv
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_handover import a_project, painting

from smarthdr_studio.core.errors import ExportError, ProjectError
from smarthdr_studio.core.project.journal import Kind, Status
from smarthdr_studio.core.reporting.splits import COLUMNS, export_split, read_split
from smarthdr_studio.core.reporting.tables import export_journal, unguarded, write_rows

GT, POOL, OUT, TEST = Status.GROUND_TRUTH, Status.UNLABELLED, Status.EXCLUDED, Status.TEST


@pytest.fixture
def decided(tmp_path):
    with a_project(tmp_path) as (project, decisions):
        decisions.promote(["002"], note="sharp")
        decisions.promote(["002"], whole=True, note="=1+1")
        decisions.exclude(["005"])
        decisions.annotate(["003"], note="a, b;\n“c”", add=["night", "crowd"])
        yield project, decisions


def table(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def written(tmp_path, text, name="split.txt"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_both_kinds_of_split_say_the_same_of_every_scene(decided, tmp_path):
    project, _ = decided
    for name in ("s.csv", "s.json"):
        assert export_split(project, tmp_path / name) == 6
    rows, told = table(tmp_path / "s.csv"), json.loads((tmp_path / "s.json").read_text())
    assert tuple(rows[0]) == COLUMNS
    for row, whole in zip(rows, told["scenes"], strict=True):
        assert set(whole) == set(COLUMNS)
        for column, cell in row.items():
            value = whole[column]
            if isinstance(value, bool):
                value = "yes" if value else "no"
            elif isinstance(value, list):
                value = " ".join(value)
            assert unguarded(cell) == ("" if value is None else str(value)), column


def test_a_promoted_scene_tells_its_version_and_what_it_was_made_with(decided, tmp_path):
    project, _ = decided
    export_split(project, tmp_path / "s.json")
    rows = {row["id"]: row for row in json.loads((tmp_path / "s.json").read_text())["scenes"]}
    row, state = rows["002"], project.state("002")
    assert (row["status"], row["version"], row["whole"]) == ("promoted", 2, True)
    assert (row["label"], row["label_sha256"]) == (state.label, state.checksum)
    assert (row["tau_pixel"], row["round"], row["run"]) == (0.3, 3, "20261122-150301-quick")
    assert row["reason"] == "=1+1"
    assert row["retained"] == 1  # it counts whole
    assert row["reference"] == "Training/002/photo_2.tif"
    assert (rows["003"]["note"], rows["003"]["tags"]) == ("a, b;\n“c”", ["crowd", "night"])
    assert rows["001"]["retained"] is None
    assert rows["001"]["ground_truth"] == "Training/001/HDRImg.hdr"


def test_the_journal_has_every_entry_with_its_words(decided, tmp_path):
    project, decisions = decided
    decisions.paint("003", painting)
    decisions.undo()
    entries = project.entries()
    for name in ("j.csv", "j.json"):
        assert export_journal(project, tmp_path / name) == len(entries)
    rows, told = table(tmp_path / "j.csv"), json.loads((tmp_path / "j.json").read_text())
    assert [int(row["seq"]) for row in rows] == [entry.seq for entry in entries]
    assert [row["kind"] for row in rows] == [e["kind"] for e in told["entries"]]
    assert rows[-1]["what"] == "undo: paint on 003"
    assert [row["stands"] for row in rows if row["kind"] == Kind.PAINT] == ["no"]
    assert [row["note"] for row in rows if row["kind"] == Kind.PROMOTE] == ["sharp", "'=1+1"]
    assert told["entries"][-1]["person"] is None
    assert told["entries"][-1]["masks"]["tau_pixel"] == 0.3


@given(cell=st.text(alphabet="=+-@\t'ab,;\"\n μ\u00a0＝", max_size=8))
def test_no_cell_is_a_formula_and_each_comes_back(cell, tmp_path_factory):
    path = tmp_path_factory.mktemp("cells") / "t.csv"
    write_rows(path, [{"id": "x", "note": cell}], columns=("id", "note"))
    (row,) = table(path)
    # Some spreadsheets pass over blanks, and take wide signs for plain ones.
    assert not row["note"].lstrip(" \n\u00a0").startswith(("=", "+", "-", "@", "\t", "＝"))
    if not cell.startswith("'"):
        assert unguarded(row["note"]) == cell


def test_no_cell_gives_a_terminal_orders(tmp_path):
    note = "red \x1b[31m, \x07 and \u202eturned\tas it\nstands"
    write_rows(tmp_path / "t.csv", [{"note": note}], columns=("note",))
    (row,) = table(tmp_path / "t.csv")
    assert row["note"] == "red �[31m, � and �turned\tas it\nstands"


def test_only_csv_and_json_are_written_and_never_half(decided, tmp_path):
    project, _ = decided
    with pytest.raises(ExportError, match=r"\.csv or \.json"):
        export_split(project, tmp_path / "s.xlsx")
    for export in (export_split, export_journal):
        with pytest.raises(ExportError, match="dataset folder"):
            export(project, tmp_path / "brackets" / "s.csv")
    (tmp_path / "taken.csv").mkdir()
    with pytest.raises(ExportError, match="cannot be written"):
        export_journal(project, tmp_path / "taken.csv")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_an_exported_split_changes_nothing_when_it_is_read_again(decided, tmp_path):
    project, decisions = decided
    before = project.statuses()
    for name in ("s.csv", "s.json"):
        export_split(project, tmp_path / name)
        decisions.import_split(read_split(tmp_path / name, project))
        assert project.statuses() == before


def test_a_split_brings_statuses_back_after_they_changed(decided, tmp_path):
    project, decisions = decided
    export_split(project, tmp_path / "s.csv")
    before = project.statuses()
    decisions.use_ground_truth(["003"])
    decisions.restore(["005"])
    decisions.import_split(read_split(tmp_path / "s.csv", project))
    assert project.statuses() == before
    assert decisions.undo().words == "import a split of 2 scenes"
    assert project.statuses()["003"] is GT


def test_a_plain_list_names_the_labelled_scenes_and_leaves_the_test_alone(decided, tmp_path):
    project, _ = decided
    path = written(tmp_path, "# mine\n003\n\n Training/001  # the good one\n003\n")
    assert read_split(path, project) == {
        "001": GT, "002": POOL, "003": GT, "004": POOL, "005": POOL,
    }  # fmt: skip


def test_lines_with_a_status_speak_of_their_scene_alone(decided, tmp_path):
    project, _ = decided
    text = "001 unlabelled\n003,Ground_Truth\nTest/006\ttest\n004 ; excluded\n"
    assert read_split(written(tmp_path, text), project) == {
        "001": POOL, "003": GT, "Test-006": TEST, "004": OUT,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["006", "Test-006", "test/006", "Test\\006", "Test/006/"])
def test_a_scene_is_known_by_id_folder_or_last_part(decided, tmp_path, name):
    project, _ = decided
    assert read_split(written(tmp_path, f"{name} excluded"), project) == {"Test-006": OUT}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("001\n009\n", "line 2: “009” is no scene"),
        ("001 perhaps\n", "line 1: “perhaps” is no status"),
        ("009 perhaps\n", "line 1: “009 perhaps” is no scene"),
        ("001 test\n002\n", "line 2: says no status for 002"),
        ("001 test\n001 excluded\n", "line 2: 001 was another thing before"),
        ("001\nTest-006\n", "line 2: Test-006 is a test scene"),
        ("\n005 ground truth\n", "line 2: 005 has no ground truth"),
        ("005\n", "line 1: 005 has no ground truth"),
        ("003 promoted\n", "line 1: 003 is not promoted here"),
        ("id,status\n001,gone\n", "line 2: “gone” is no status"),
        ("id;note;status\n001;a;test\n\n008;b;test\n", "line 4: “008” is no scene"),
        ("# nothing\n", "names no scene"),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_line(decided, tmp_path, text, told):
    project, _ = decided
    path = written(tmp_path, text)
    with pytest.raises(ProjectError, match=told) as error:
        read_split(path, project)
    assert str(error.value).startswith(str(path))
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("text", ["{", '{"scenes": 3}', '[{"id": 3}]', '["009"]'])
def test_a_json_file_that_is_no_split_is_told(decided, tmp_path, text):
    project, _ = decided
    with pytest.raises(ProjectError, match=r"s\.json"):
        read_split(written(tmp_path, text, "s.json"), project)


def test_json_may_be_a_list_or_pairs(decided, tmp_path):
    project, _ = decided
    assert read_split(written(tmp_path, '["001"]', "s.json"), project)["001"] is GT
    pairs = written(tmp_path, '{"003": "excluded"}', "s.json")
    assert read_split(pairs, project) == {"003": OUT}


def test_a_name_that_may_be_several_scenes_asks_for_the_whole_id(tmp_path):
    from made_handover import put_scene

    from smarthdr_studio.core.datasets.scan import find_scenes
    from smarthdr_studio.core.project.project import Project

    for place in ("Training/day-1", "Training/night-1", "crash test"):
        put_scene(tmp_path / "d" / place, seed=1)
    with Project.create(tmp_path / "p.shdr", find_scenes(tmp_path / "d"), labelled=()) as project:
        with pytest.raises(ProjectError, match="line 1: “1” may be day-1, night-1"):
            read_split(written(tmp_path, "1\n"), project)
        assert read_split(written(tmp_path, "crash test\n"), project)["crash_test"] is GT


def test_a_file_that_is_no_text_is_told(decided, tmp_path):
    project, _ = decided
    (tmp_path / "x.txt").write_bytes(b"\xff\xfe\x00")
    for name in ("x.txt", "no-such.txt"):
        with pytest.raises(ProjectError, match=name):
            read_split(tmp_path / name, project)
