"""Which scenes start with their ground truth, when nobody says and when somebody does."""

from dataclasses import replace

import pytest

from smarthdr_studio.core.datasets.scan import labelled_by_count, labelled_by_default, read_labelled
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.imaging.bracket import TRUTH_ODD, Catalogue, Scene, SceneNote


def scene_in(root, name, *, split="train", truth=True):
    frames = (root / name / "1.tif", root / name / "2.tif", root / name / "3.tif")
    return Scene(
        id=name,
        frames=frames,
        evs=(-2, 0, 2),
        height=40,
        width=60,
        split=split,
        ground_truth=root / name / "HDRImg.hdr" if truth else None,
    )


def catalogue_in(root, count=8):
    train = [scene_in(root, f"{index:03d}") for index in reversed(range(count))]
    return Catalogue(root=root, scenes=(*train, scene_in(root, "T-001", split="test")), skipped=())


def test_five_labels_spread_evenly_where_every_scene_has_one(tmp_path):
    chosen = labelled_by_default(catalogue_in(tmp_path, 74))
    assert chosen == ("000", "018", "036", "055", "073")
    for count in range(1, 30):
        chosen = labelled_by_default(catalogue_in(tmp_path, count))
        assert len(set(chosen)) == min(5, count)
        assert chosen[0] == "000"
        assert chosen[-1] == f"{count - 1:03d}"


def test_all_the_labels_there_are_where_some_scenes_have_none(tmp_path):
    catalogue = catalogue_in(tmp_path, 9)
    bare = scene_in(tmp_path, "bare", truth=False)
    chosen = labelled_by_default(replace(catalogue, scenes=(*catalogue.scenes, bare)))
    assert chosen == tuple(f"{index:03d}" for index in range(9))


def warned(catalogue, *ids):
    notes = tuple(SceneNote(scene=each, topic=TRUTH_ODD, text="odd") for each in ids)
    return replace(catalogue, notes=notes)


def test_a_ground_truth_that_is_warned_of_is_no_label_while_others_are_there(tmp_path):
    catalogue = catalogue_in(tmp_path)
    chosen = labelled_by_default(warned(catalogue, "000", "003"))
    assert (len(chosen), {"000", "003"} & set(chosen)) == (5, set())
    ids = tuple(f"{index:03d}" for index in range(8))
    assert labelled_by_default(warned(catalogue, *ids[2:])) == ids[:2]
    assert labelled_by_default(warned(catalogue, *ids)) == labelled_by_default(catalogue)
    bare = scene_in(tmp_path, "bare", truth=False)
    some = replace(catalogue, scenes=(*catalogue.scenes, bare))
    assert labelled_by_default(warned(some, "003")) == tuple(e for e in ids if e != "003")


def test_so_many_labels_are_spread_over_the_sound_ground_truths_or_are_fewer(tmp_path):
    catalogue = catalogue_in(tmp_path)
    train = sorted(each.id for each in catalogue.scenes if each.split == "train")
    assert set(labelled_by_count(catalogue, 8)) == set(train)
    assert labelled_by_count(catalogue, 0) == ()
    some = warned(catalogue, "000", "003", "005")
    for count in range(1, 9):
        chosen = labelled_by_count(some, count)
        assert len(set(chosen)) == min(count, 5)
        assert not {"000", "003", "005"} & set(chosen)
    assert len(labelled_by_count(warned(catalogue, *train), 3)) == 3, "where all are warned of"


def test_a_listed_label_may_be_warned_of(tmp_path):
    catalogue = warned(catalogue_in(tmp_path), "005")
    (tmp_path / "labelled.txt").write_text("005\n002\n", "utf-8")
    assert labelled_by_default(catalogue) == ("005", "002")


def test_the_datasets_own_list_wins(tmp_path):
    catalogue = catalogue_in(tmp_path)
    (tmp_path / "labelled.txt").write_text("# ours\n005\n\n002 # bright\nskipped\n", "utf-8")
    assert labelled_by_default(catalogue) == ("005", "002")


def test_a_list_of_labels_is_checked_against_the_scenes(tmp_path):
    catalogue = catalogue_in(tmp_path)
    listed = tmp_path / "mine.txt"
    listed.write_text("\ufeff003\r\n003\r\n001\r\n", "utf-8")
    assert read_labelled(listed, catalogue=catalogue) == ("003", "001")
    listed.write_text("typo\n", "utf-8")
    with pytest.raises(ProjectError, match=r"mine\.txt: typo is no scene"):
        read_labelled(listed, catalogue=catalogue)
    listed.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProjectError, match="not a text file"):
        read_labelled(listed)
    with pytest.raises(ProjectError, match="cannot be read"):
        read_labelled(tmp_path / "absent.txt")
