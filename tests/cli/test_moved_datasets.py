"""A dataset that is not where it was: every verb that needs frames says where, and the remedy."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from smarthdr_studio.cli import BAD_INPUT, DONE, VERBS
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.relocation import lost_dataset, refuse_without_dataset
from smarthdr_studio.core.remedies import FIND_DATASET, speak_in_window
from smarthdr_studio.core.training.threshold_proposals import Wish, propose_thresholds
from smarthdr_studio.core.trust.masking import MaskSettings

# What follows the project; a FILE is what the verb writes.
REFUSE = {
    "align": ((), ("--check",)),
    "response": ((), ("--use", "measured")),
    "accept": ((), ("--dry-run",)),
    "truth": (("004", "HDR"), ("004", "--check")),
    "train": ((), ("--preset", "quick-selfhdr")),
    "label": (("--model", "starter"),),
    "evaluate": (("--model", "starter"),),
    "export-dataset": (("FILE",), ("FILE", "--with-unlabelled")),
}
TELL = {
    "scenes": ((),),
    "queue": ((), ("--kind", "safest")),
    "propose": ((),),
    "report": (("FILE.html",),),
    "doctor": ((),),
}
DECIDE_OR_LIST = {"promote", "demote", "exclude", "restore", "note", "undo", "redo", "history"}
IN_THE_PROJECT = {"masks", "frames", "runs", "tidy", "export-split", "export-journal"}
IN_THE_PROJECT |= {"import-split"}
OF_NO_PROJECT = {"sample", "new", "merge", "benchmark", "presets", "desktop", "relocate"}


@pytest.fixture
def moved(project, dataset, tmp_path):
    """A project whose dataset was taken away; answers where that was."""
    place = tmp_path / "was-here"
    shutil.copytree(dataset, place)
    with Project.open(project) as opened:
        opened.move_dataset(place)
    with closing(sqlite3.connect(project / "project.sqlite")) as connection:
        connection.execute("DELETE FROM facts WHERE name = 'dataset_before'")  # else found there
        connection.commit()
    place.rename(tmp_path / "is-there")
    return place


def words_of(verbs):
    return [(verb, words) for verb, ways in verbs.items() for words in ways]


def asked(words, tmp_path):
    there = tmp_path / "is-there" / "Training" / "004"
    truth = next(iter(there.glob("*.hdr")))
    return [
        word.replace("FILE", str(tmp_path / "out")).replace("HDR", str(truth)) for word in words
    ]


def test_every_verb_is_one_that_needs_frames_or_one_that_does_not():
    assert {*REFUSE, *TELL} | DECIDE_OR_LIST | IN_THE_PROJECT | OF_NO_PROJECT == VERBS


@pytest.mark.parametrize(("verb", "words"), words_of(REFUSE))
def test_a_verb_that_needs_frames_says_where_they_were(run, project, moved, tmp_path, verb, words):
    before = sorted(tmp_path.rglob("*"))
    answer = run(verb, project, *asked(words, tmp_path))
    assert (answer.status, answer.out) == (BAD_INPUT, "")
    (sentence,) = [line for line in answer.err.splitlines() if "dataset" in line]
    assert sentence == f"{moved}: the dataset is not there; say where it is with: {FIND_DATASET}"
    assert sentence == answer.err.splitlines()[-1]
    assert [path for path in sorted(tmp_path.rglob("*")) if "backups" not in path.parts] == [
        path for path in before if "backups" not in path.parts
    ], "nothing was begun"


@pytest.mark.parametrize(("verb", "words"), words_of(TELL))
def test_a_verb_that_can_do_without_them_says_it_once(run, project, moved, tmp_path, verb, words):
    answer = run(verb, project, *asked(words, tmp_path), "--json")
    assert answer.status == (BAD_INPUT if verb == "doctor" else DONE)
    told = f"{moved}: the dataset is not there"
    findings = answer.json.get("findings") or [{"sentence": answer.json["problems"][0]}]
    assert [each["sentence"].startswith(told) for each in findings] == [True]
    if verb != "doctor":
        assert answer.err.count("\n") == (1 if verb != "report" else len(answer.json["problems"]))
        assert answer.err.splitlines()[0].startswith(told)


def test_the_window_is_told_its_own_remedy(project, moved):
    speak_in_window()
    try:
        with (
            Project.open(project) as opened,
            pytest.raises(ProjectError, match=r"was-here: .* with: File ▸ Where is the dataset\?"),
        ):
            refuse_without_dataset(opened)
    finally:
        speak_in_window(on=False)


def test_thresholds_are_not_proposed_without_frames(project, moved):
    with Project.open(project) as opened, pytest.raises(ProjectError, match="was-here"):
        propose_thresholds(
            opened,
            Wish(method="quantile", masks=MaskSettings()),
            predict=None,
            frames=None,
            run="a-run",
            said=None,
        )


def test_a_dataset_that_lacks_some_scenes_is_there(project, moved, tmp_path):
    (tmp_path / "is-there").rename(moved)
    for name in ("001", "002", "003", "005"):
        shutil.rmtree(moved / "Training" / name)
    with Project.open(project) as opened:
        assert lost_dataset(opened) is None
        refuse_without_dataset(opened)  # nor is it refused
