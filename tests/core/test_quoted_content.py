"""However much a file holds, a sentence about it quotes little of it and is no traceback."""

import json
import shutil
import sqlite3
from contextlib import closing

import pytest
from brackets import write_dataset
from made_labels import a_project, pseudo_label

from smarthdr_studio.core.datasets.scan import find_scenes, read_labelled
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.imaging.image_files import (
    image_size,
    read_frame,
    read_layers,
    read_radiance,
    write_layers,
)
from smarthdr_studio.core.project.integrity import check_up
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.reporting.splits import read_split
from smarthdr_studio.core.training.benchmark import load_benchmark
from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label, write_pseudo_label

MOST = 300  # characters of a file in a sentence
LONG = "Ж" * 5000
SPACED = "Жщ " * 2000
HELD = pytest.mark.parametrize("held", [LONG, SPACED.strip()], ids=["one word", "many words"])


def quoted(call, *about, must_fail=True):
    """How many of the letters that only the file holds are in the sentence about it."""
    try:
        call(*about)
    except StudioError as error:
        sentence = str(error)
        assert "\n" not in sentence
        return sentence.count("Ж") + sentence.count("щ") + sentence.count("Жщ ")
    assert not must_fail, "nothing was wrong"
    return 0


PLANS = {
    "a key": '"{}" = 1',
    "a section": '["{}"]\na = 1',
    "a key of a section": '[schedule]\n"{}" = 1',
    "a text for a number": 'seed = "{}"',
    "a list": 'seed = ["{}"]',
    "a choice": 'precision = "{}"',
    "a form": 'device = "{}"',
    "a network": '[network]\nname = "{}"',
    "a base": 'base = "{}"',
    "a base that is none": 'base = ["{}"]',
    "no TOML": "[{}\n",
}


@HELD
@pytest.mark.parametrize("form", PLANS.values(), ids=PLANS)
def test_a_plan(tmp_path, form, held):
    path = tmp_path / "plan.toml"
    path.write_text(form.format(held), encoding="utf-8")
    assert quoted(load_preset, str(path)) <= MOST


@HELD
@pytest.mark.parametrize(
    "form",
    ['"{}" = 1', 'name = "{}"', 'seeds = "{}"', '[[rows]]\nname = "{0}"\npreset = "{0}"', "[{}"],
)
def test_a_benchmark(tmp_path, form, held):
    path = tmp_path / "b.toml"
    path.write_text(form.format(held), encoding="utf-8")
    assert quoted(load_benchmark, str(path)) <= MOST


SPLITS = {
    "a.txt": "{}",
    "b.txt": "b {}",
    "c.csv": "id,status\n{0},{0}\n",
    "d.csv": 'id,status\nb,"{}"\n',
    "e.csv": "{0},{0}\n1,2\n",
    "f.json": '["{}"]',
    "g.json": '[{{"id": "b", "status": "{}"}}]',
    "h.json": '{{"{0}": "{0}"}}',
}


@HELD
@pytest.mark.parametrize(("name", "form"), SPLITS.items(), ids=SPLITS)
def test_a_split(tmp_path, name, form, held):
    (tmp_path / name).write_text(form.format(held), encoding="utf-8")
    with a_project(tmp_path / "of") as project:
        assert quoted(read_split, tmp_path / name, project) <= MOST


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    root = tmp_path_factory.mktemp("quoted") / "data"
    write_dataset(root, train=1)
    return root


@HELD
def test_exposures_and_lists_of_a_dataset(tmp_path, dataset, held):
    root = shutil.copytree(dataset, tmp_path / "data")
    (tmp_path / "list.txt").write_text(held, encoding="utf-8")
    known = find_scenes(root)
    assert quoted(lambda: read_labelled(tmp_path / "list.txt", catalogue=known)) <= MOST
    for path in root.rglob("exposure.txt"):
        path.write_text(held, encoding="utf-8")
    assert quoted(find_scenes, root) <= MOST


@HELD
@pytest.mark.parametrize("suffix", ["tif", "png", "jpg", "exr", "hdr", "pfm", "dng", "heic", "jxl"])
def test_pictures(tmp_path, suffix, held):
    path = tmp_path / f"a.{suffix}"
    for begin in (b"", b"#?RADIANCE\n", b"PF\n", b"\x76\x2f\x31\x01\x02\0\0\0", b"II*\0"):
        path.write_bytes(begin + held.encode())
        for read in (read_frame, read_radiance, image_size):
            assert quoted(read, path) <= MOST


@HELD
def test_what_a_label_says_of_itself(tmp_path, held):
    path = tmp_path / "a.exr"
    write_pseudo_label(path, pseudo_label("a"))
    layers, header = read_layers(path)
    texts = {name: value for name, value in header.items() if isinstance(value, str)}
    assert "smarthdr.masks" in texts
    for name in texts:
        for value in (held, json.dumps({held: held})):
            write_layers(path, layers, header={**texts, name: value})
            assert quoted(read_pseudo_label, path, must_fail=False) <= MOST


COLUMNS = [
    *(("scenes", name) for name in ("id", "under", "ground_truth", "bracket", "layout")),
    *(("journal", name) for name in ("scene", "kind", "before", "after", "masks", "label")),
    *(("journal", name) for name in ("tags", "truth", "person", "run", "action")),
    *(("facts", "value"), ("stamps", "path")),
]


@HELD
@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_database(tmp_path, table, column, held):
    with a_project(tmp_path) as project:
        pass
    with closing(sqlite3.connect(project.folder / "project.sqlite")) as by_hand:
        by_hand.execute("DROP TRIGGER journal_is_never_changed")
        by_hand.execute("INSERT INTO stamps VALUES ('b/1.tif', 1, 1, 'x')")
        last = {"facts": "name = 'dataset'", "stamps": "1"}.get(table, "rowid = 2")
        by_hand.execute(f"UPDATE {table} SET {column} = ? WHERE {last}", [f"/{held}"])
        by_hand.commit()

    def look():
        with Project.open(project.folder) as opened:
            opened.read_journal()
            opened.compare_pictures()

    assert quoted(look, must_fail=False) <= MOST
    for found in check_up(project.folder).findings:
        if found.trouble != "dataset":  # where it lies is no content
            assert found.sentence.count("Ж") <= MOST
