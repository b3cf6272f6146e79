"""A model in one file: the same weights for everyone, readable by anyone, strangers refused."""

import hashlib
import json
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made_models import make_checkpoint
from safetensors.torch import load, save

from smarthdr_studio.core.errors import CheckpointError, ExportError
from smarthdr_studio.core.imaging.bracket import FrameStore
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label
from smarthdr_studio.learning.bundle import ModelCard, read_bundle, write_bundle
from smarthdr_studio.learning.inference import run_predictor
from smarthdr_studio.learning.model_files import load_model, load_predictor, read_card, read_weights
from smarthdr_studio.learning.model_labelling import label_scenes
from smarthdr_studio.learning.networks import build_network, load_weights

WEIGHTS = save({"a": torch.arange(4.0)})


def card_for(weights=WEIGHTS, **changes):
    values = {
        "network": "light",
        "part": "teacher",
        "tile": 96,
        "overlap": 32,
        "precision": "auto",
        "run": "20261125-101010-quick",
        "step": 7,
        "epoch": 2,
        "round": 1,
        "plan": "ab" * 32,
        "weights": hashlib.sha256(weights).hexdigest(),
        "metrics": {"psnr_mu": 41.5},
    }
    return ModelCard(**values | changes)


@pytest.fixture
def checkpoint(tmp_path, make_plan):
    return make_checkpoint(tmp_path / "runs" / "a-run", make_plan())


@pytest.fixture
def bundle(checkpoint, tmp_path):
    path = tmp_path / "elsewhere" / "mine.shdrmodel"
    write_bundle(path, *read_weights(checkpoint))
    return path


def rewritten(path, *, compression=zipfile.ZIP_STORED, **parts):
    """The same bundle with some of its parts exchanged."""
    with zipfile.ZipFile(path) as file:
        found = {name: file.read(name) for name in file.namelist()}
    found |= {name.replace("__", "."): content for name, content in parts.items()}
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in found.items():
            file.writestr(name, content)


@given(
    st.integers(2, 64),
    st.dictionaries(st.text(max_size=8), st.floats(allow_nan=False, allow_infinity=False)),
    st.text(max_size=20),
)
def test_a_card_comes_back_as_it_was(blocks, metrics, run):
    card = card_for(tile=8 * (blocks + 1), overlap=8 * (blocks // 3 + 1), metrics=metrics, run=run)
    assert ModelCard.from_plain(json.loads(card.as_text())) == card


def test_what_was_written_is_read_and_the_same_model_is_the_same_file(tmp_path):
    first, second = tmp_path / "a.shdrmodel", tmp_path / "b.shdrmodel"
    for path in (first, second):
        write_bundle(path, card_for(), WEIGHTS)
    assert first.read_bytes() == second.read_bytes()
    assert read_bundle(first) == (card_for(), WEIGHTS)
    assert {path.name for path in tmp_path.iterdir()} == {"a.shdrmodel", "b.shdrmodel"}


def test_it_can_be_read_with_a_zip_and_a_json_reader_alone(bundle):
    with zipfile.ZipFile(bundle) as file:
        about = json.loads(file.read("model.json"))
        weights = file.read("weights.safetensors")
        assert {entry.compress_type for entry in file.infolist()} == {zipfile.ZIP_STORED}
    assert about["network"] == "light"
    assert about["input"]["channels"] == [
        "H red",
        "H green",
        "H blue",
        "L red",
        "L green",
        "L blue",
    ]
    assert "shortest" in about["input"]["H"]
    assert about["output"]["mu"] == 5000
    assert (about["tile"], about["overlap"]) == (96, 32)
    assert hashlib.sha256(weights).hexdigest() == about["weights"]


def test_its_teacher_has_the_name_that_the_checkpoint_gives_it(checkpoint, bundle):
    assert read_card(bundle) == read_card(checkpoint)
    ours, _ = load_model(checkpoint)
    same, _ = load_model(bundle)
    for name, weights in ours.state_dict().items():
        assert torch.equal(weights, same.state_dict()[name])


def test_a_student_is_another_model(checkpoint):
    teacher, student = (read_card(checkpoint, part=part) for part in ("teacher", "student"))
    assert teacher.weights != student.weights
    assert student.title == "student of a-run, step 12"


def test_the_folder_of_a_run_means_its_best_checkpoint(tmp_path, make_plan):
    run = tmp_path / "runs" / "another"
    for step, psnr_mu in ((1, 30.0), (2, 33.0), (3, 31.0)):
        make_checkpoint(run, make_plan(), step=step, psnr_mu=psnr_mu)
    assert read_card(run).step == 2
    (run.parent / "empty" / "checkpoints").mkdir(parents=True)
    with pytest.raises(CheckpointError, match="no checkpoint yet"):
        read_card(run.parent / "empty")


def test_a_flipped_bit_in_the_weights_is_noticed(bundle):
    _, weights = read_bundle(bundle)
    rewritten(bundle, weights__safetensors=weights[:-1] + bytes([weights[-1] ^ 1]))
    with pytest.raises(CheckpointError, match="SHA-256 of its weights has changed"):
        read_bundle(bundle)


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"model__json": b"{}"}, "description is not understood: format is missing"),
        ({"model__json": b'{"format": "other"}'}, "it is other"),
        ({"model__json": b'{"format": "smarthdr-model", "version": 99}'}, "update SmartHDR Studio"),
        ({"model__json": b'{"format": "smarthdr-model", "version": []}'}, r"not understood\);"),
        ({"model__json": b"[" * 100}, "description is not understood"),
        ({"model__json": b" " * 2**21}, "description is too long"),
        ({"more__txt": b"?"}, "does not hold what a model holds"),
        ({"compression": zipfile.ZIP_DEFLATED}, "parts are compressed"),
    ],
)
def test_a_strange_file_is_refused_in_one_sentence(bundle, parts, sentence):
    rewritten(bundle, **parts)
    with pytest.raises(CheckpointError, match=sentence) as caught:
        read_bundle(bundle)
    assert "\n" not in str(caught.value)


def test_a_truncated_file_another_file_or_none_is_refused(bundle, tmp_path):
    bundle.write_bytes(bundle.read_bytes()[:-40])
    (tmp_path / "text.shdrmodel").write_text("no zip at all", encoding="utf-8")
    for path in (bundle, tmp_path / "text.shdrmodel", tmp_path / "none.shdrmodel", tmp_path):
        with pytest.raises(CheckpointError) as caught:
            load_model(path)
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value)


def test_weights_of_another_network_are_refused_though_the_hash_fits(tmp_path):
    path = tmp_path / "odd.shdrmodel"
    write_bundle(path, card_for(), WEIGHTS)
    with pytest.raises(CheckpointError, match="do not fit the network light"):
        load_model(path)
    write_bundle(path, card_for(network="unheard-of"), WEIGHTS)
    with pytest.raises(CheckpointError, match="made by another version"):
        load_model(path)
    noise = b"no safetensors"
    write_bundle(path, card_for(noise), noise)
    with pytest.raises(CheckpointError, match="do not fit"):
        load_model(path)


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="cannot be written"):
        write_bundle(tmp_path / "file" / "a.shdrmodel", card_for(), WEIGHTS)


def test_a_run_can_start_from_a_bundle(bundle):
    network = build_network("light")
    loaded = load_weights(network, bundle)
    assert loaded.judge
    weights = load(read_bundle(bundle)[1])
    assert all(torch.equal(weights[name], value) for name, value in network.state_dict().items())
    with pytest.raises(CheckpointError, match="not weights for the network 'gfhdr'"):
        load_weights(build_network("gfhdr"), bundle)


def test_a_bundle_sees_a_scene_and_labels_it_as_its_checkpoint_does(project, bundle, checkpoint):
    with Project.open(project) as opened:
        scene = opened.scene("u")
    ours, sigma = run_predictor(
        load_predictor(checkpoint, who="teacher", device="cpu", frames=FrameStore()), scene
    )
    same, again = run_predictor(
        load_predictor(bundle, who="teacher", device="cpu", frames=FrameStore()), scene
    )
    np.testing.assert_array_equal(ours, same)
    np.testing.assert_array_equal(sigma, again)
    list(label_scenes(project, model=bundle, ids=["u"], device="cpu"))
    label = read_pseudo_label(project / "pseudo" / "u.exr")
    np.testing.assert_array_equal(label.hdr, ours)
    assert label.provenance.run == "a-run"
    assert label.provenance.checkpoint == read_card(checkpoint).weights
