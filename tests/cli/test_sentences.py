"""Whatever goes wrong outside, a verb says one harmless sentence of ours, and no traceback."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from smarthdr_studio.cli import main
from smarthdr_studio.cli.app import _VERBS
from smarthdr_studio.core.errors import ProjectError, harmless
from smarthdr_studio.core.project.project import Project


def said(arguments, *, out=subprocess.PIPE):
    """Exit status, stdout and stderr of the command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "smarthdr_studio", *map(str, arguments)],
        stdout=out,
        stderr=subprocess.PIPE,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout, done.stderr.decode()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_decision_whose_answer_nobody_takes_is_kept_and_told(project):
    with Path("/dev/full").open("w") as full:
        status, _, told = said(["exclude", project, "003"], out=full)
    assert status == 1
    assert told.count("\n") == 1
    assert "answer could not be written" in told
    with Project.open(project) as opened:
        assert opened.statuses()["003"] == "excluded"


@pytest.mark.skipif(os.name != "posix", reason="a shell of Unix closes what a program writes to")
@pytest.mark.parametrize("verb", ["exclude {} 003", "scenes {}", "scenes {} --json", "doctor {}"])
def test_an_answer_to_a_closed_place_is_told_and_no_file_comes_to_stand_there(project, verb):
    words = verb.format(project).split()
    command = [sys.executable, "-m", "smarthdr_studio", *words]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command],
        stderr=subprocess.PIPE,
        check=False,
        timeout=120,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "The answer could not be written (Bad file descriptor); what was done is kept.\n"
    )
    with Project.open(project) as opened:
        expected = "excluded" if words[0] == "exclude" else "unlabelled"
        assert opened.statuses()["003"] == expected


@pytest.mark.skipif(os.name != "posix", reason="a shell of Unix closes what a program writes to")
def test_a_verb_works_where_stdin_and_stderr_are_closed(project):
    command = [sys.executable, "-m", "smarthdr_studio", "scenes", str(project), "--json"]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&- 2>&-', "sh", *command],
        stdout=subprocess.PIPE,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0
    assert b"003" in done.stdout


@pytest.fixture
def full():
    """No file of this process can grow beyond a few kilobytes."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_sample_on_a_full_disk_names_the_folder(full, run, tmp_path):
    answer = run("sample", tmp_path / "s", "--scenes", "2", "--size", "128x96")
    assert answer.status == 2
    assert answer.err.startswith(f"{tmp_path / 's'}: cannot be written (File too large)")
    assert answer.err.count("\n") == 1


def test_what_the_system_refuses_within_a_verb_is_a_sentence(project, capsys, monkeypatch):
    def broken(*_args, **_more):
        raise OSError(5, "Input/output error", str(project))

    monkeypatch.setattr(Project, "entries", broken)
    assert main(["history", str(project)]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"{project}: Input/output error")
    assert "Traceback" not in told


def test_orders_to_a_terminal_in_notes_are_shown_and_not_obeyed(project, run):
    note = "a\x1b]0;evil\x07\x1b[31mred \u202etxt.exe"
    run("note", project, "003", "--note", note)
    for verb in (("history", project), ("scenes", project), ("note", project, "003")):
        told = run(*verb).out if verb[0] != "note" else run(*verb, "--tag", "t").out
        assert "\x1b" not in told
        assert "\x07" not in told
        assert "\u202e" not in told
    assert harmless(note) == "a\ufffd]0;evil\ufffd\ufffd[31mred \ufffdtxt.exe"


def test_a_sentence_is_one_line_of_bounded_length():
    told = str(ProjectError(f"/a/place: holds {'x' * 10_000}\nand \x1b[2J more; mend it"))
    assert told.startswith("/a/place: holds xxx")
    assert told.endswith("more; mend it")
    assert len(told) < 1010
    assert told.isprintable()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems know no such names")
def test_a_scene_whose_name_is_no_text_is_left_out_and_told(dataset, tmp_path, run):
    mine = shutil.copytree(dataset, tmp_path / "mine")
    training = next(path for path in mine.iterdir() if (path / "003").is_dir())
    (training / "003").rename(training / os.fsdecode(b"bad\xff"))
    told = run("new", tmp_path / "odd.shdr", mine)
    assert "bad\ufffd: its name is not written in UTF-8" in told.out + told.err
    with Project.open(tmp_path / "odd.shdr") as opened:
        assert [scene.id for scene in opened.scenes if scene.id == "003"] == []
        assert len(opened.scenes) >= 4


@pytest.mark.parametrize(
    "words",
    [
        *(
            ("scenes", "LOOP"),
            ("doctor", "LOOP"),
            ("relocate", "LOOP", "LOOP"),
            ("runs", "list", "LOOP"),
        ),
        *(("truth", "LOOP", "a", "x.hdr"), ("new", "p.shdr", "LOOP"), ("sample", "LOOP")),
        *(("masks", "LOOP"), ("merge", "LOOP", "--out", "x.exr"), ("tidy", "LOOP")),
    ],
)
def test_a_link_that_leads_to_itself_is_told_in_one_sentence(run, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "LOOP").symlink_to("LOOP")
    answer = run(*words)
    assert answer.status != 0
    assert "Traceback" not in answer.err
    assert "LOOP" in answer.err
    assert sorted(tmp_path.iterdir()) == [tmp_path / "LOOP"]


_OF_A_PROJECT = {  # every verb whose first word is a project, and the words it needs after it
    **dict.fromkeys(("train", "label", "masks", "scenes", "queue", "propose", "history"), ()),
    **dict.fromkeys(("undo", "redo", "evaluate", "doctor", "align", "response", "tidy"), ()),
    **dict.fromkeys(("promote", "demote", "exclude", "restore", "frames"), ("003",)),
    **dict.fromkeys(("export-journal", "export-split", "report"), ("out",)),
    "accept": (),
    "export-dataset": ("out",),
    "import-split": ("file",),
    "note": ("003", "--note", "x"),
    "relocate": ("data",),
    "truth": ("003", "file"),
}


@pytest.mark.parametrize("verb", _OF_A_PROJECT)
def test_a_project_that_is_not_there_is_told_alike_by_every_verb(
    verb, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("", encoding="utf-8")
    Path("data").mkdir()
    assert main([verb, "nowhere.shdr", *_OF_A_PROJECT[verb]]) == 2
    *_, told = capsys.readouterr().err.strip().splitlines()
    assert told == (
        f"{tmp_path / 'nowhere.shdr'}: not a project (no project.sqlite); create one with: "
        f"smarthdr-studio new {tmp_path / 'nowhere.shdr'} DATASET"
    )
    assert not Path("nowhere.shdr").exists()
    assert not Path("out").exists()


def test_a_picture_or_a_dataset_in_the_place_of_a_project_is_told_for_what_it_is(tmp_path, capsys):
    picture, dataset = tmp_path / "one.png", tmp_path / "data"
    picture.write_bytes(b"")
    dataset.mkdir()
    assert main(["masks", str(picture)]) == 2
    told = capsys.readouterr().err
    assert told == f"{picture}: is a file, not a project; name the folder of one, NAME.shdr\n"
    assert main(["masks", str(dataset)]) == 2
    told = capsys.readouterr().err
    assert told.endswith(f"smarthdr-studio new {dataset}.shdr {dataset}\n")


def test_every_verb_that_takes_a_project_is_among_those():
    others = {"sample", "new", "merge", "benchmark"}
    assert set(_OF_A_PROJECT) == set(_VERBS) - others


@pytest.mark.parametrize("group", ["runs", "presets", "desktop"])
def test_a_group_of_verbs_alone_shows_its_help_as_help(group, capsys):
    assert main([group]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"Usage: smarthdr-studio {group} ")
    assert "\n\nCommands:\n" in told


def test_a_place_of_the_dataset_that_fills_pages_is_told_in_brief(project, run):
    with closing(sqlite3.connect(project / "project.sqlite")) as by_hand:
        by_hand.execute("DELETE FROM facts WHERE name != 'dataset'")
        by_hand.execute("UPDATE facts SET value = ?", ("/data/" + "x" * 5000,))
        by_hand.commit()
    for verb in ("scenes", "doctor"):
        answer = run(verb, project)
        assert "the dataset is not there" in answer.out + answer.err
        assert "x" * 300 not in answer.out + answer.err
