"""A disk that fills up while a verb writes: one sentence, nothing decided is lost, and it mends."""

import random
import shutil

import pytest
from by_night import NIGHT, SEED
from made_users import fill_up, small_disk

from smarthdr_studio.core.project.project import Project

PAGE = 4  # kilobytes, of which a disk in memory is made
DISK = 8192
MET = 3  # moments each verb meets by day; by night every page

VERBS = {
    "promote": ("promote", "{project}", "003", "004"),
    "exclude": ("exclude", "{project}", "005"),
    "note": ("note", "{project}", "003", "--note", "x" * 20_000),
    "undo": ("undo", "{project}"),
    "import-split": ("import-split", "{project}", "{split}"),
    "truth": ("truth", "{project}", "004", "{truth}"),
    "tidy": ("tidy", "{project}", "--older-versions"),
    "doctor": ("doctor", "{project}", "--repair"),
    "report": ("report", "{project}", "{out}/report.html"),
    "export-dataset": ("export-dataset", "{project}", "{out}/set", "--copy"),
    "export-journal": ("export-journal", "{project}", "{out}/journal.csv"),
    "export-split": ("export-split", "{project}", "{out}/split.json"),
    "merge": ("merge", "{frames}", "-o", "{out}/merged.exr"),
    "new": ("new", "{out}/new.shdr", "{dataset}"),
    "sample": ("sample", "{out}/sample", "--scenes", "3", "--size", "64x64"),
    "label": ("label", "{project}", "--model", "starter", "--scenes", "003"),
}


@pytest.fixture
def words(dataset, tmp_path):
    """The words of a verb, about a project on that disk."""
    split = tmp_path / "split.txt"
    split.write_text("Training/003\n", encoding="utf-8")
    frames = sorted((dataset / "Training" / "003").glob("*.tif"))

    def of(verb, disk):
        known = {
            "{project}": [disk / "trial.shdr"],
            "{split}": [split],
            "{truth}": [dataset / "Training" / "004" / "HDRImg.hdr"],
            "{frames}": frames,
            "{dataset}": [dataset],
        }
        for word in VERBS[verb]:
            yield from known.get(word, [str(word).replace("{out}", str(disk))])

    return of


def decided(folder):
    """What was decided, entry by entry, and the bytes of every label it speaks of."""
    with Project.open(folder) as project:
        kept = project.entries()
        labels = {each.label for each in kept if each.label}
        return list(kept), {name: (folder / name).read_bytes() for name in labels}


def moments(needed, verb):
    """Pages of room at which the disk is full."""
    every = list(range(-(-needed // PAGE)))
    return every if NIGHT else random.Random(f"{verb} {SEED}").sample(every, min(MET, len(every)))


def filled(disk, left):
    """A disk with so many pages of room; what takes the rest."""
    ballast = fill_up(disk)
    with ballast.open("r+b") as stream:
        stream.truncate(max(ballast.stat().st_size - left * PAGE * 1024, 0))
    return ballast


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("verb", VERBS)
def test_a_disk_that_fills_up_costs_nothing(project, run, words, tmp_path, verb, record_property):
    run("promote", project, "004")
    run("note", project, "003", "--note", "before")
    told = 0
    with small_disk(tmp_path / "disk", kilobytes=DISK) as disk:
        here = disk / "trial.shdr"

        def begin():
            for each in disk.iterdir():
                shutil.rmtree(each) if each.is_dir() else each.unlink()
            shutil.copytree(project, here)
            return shutil.disk_usage(disk).used

        empty = begin()
        assert run(*words(verb, disk)).status == 0
        needed = (shutil.disk_usage(disk).used - empty) // 1024 + 8 * PAGE
        for left in moments(needed, verb):
            begin()
            before, labels = decided(here)
            ballast = filled(disk, left)
            answer = run(*words(verb, disk))
            ballast.unlink()
            assert "Traceback" not in answer.err
            if answer.status:
                told += 1
                said = answer.err.splitlines()[-1]
                assert "disk" in said or "No space" in said, (left, answer.err)
                assert said.startswith((str(disk), "The disk")), (left, said)
                assert "/." not in said.removeprefix(str(disk)).split(": ")[0], (left, said)
            after, kept = decided(here)
            assert after[: len(before)] == before, left
            assert kept.items() >= labels.items(), left
            if answer.status:
                assert after == before, (left, "told to have failed, and decided")
            run("doctor", here, "--repair")
            again = decided(here)
            assert again == (after, kept), left
            if answer.status and verb not in {"export-dataset"}:
                assert run(*words(verb, disk)).status == 0, left
    record_property("verbs on a full disk", len(moments(needed, verb)))
    record_property("refused for want of room", told)
