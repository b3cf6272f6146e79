"""A model taken out answers as ours does, says what it is, and is kept only then."""

import hashlib
import json
import os
import zipfile
from contextlib import closing

import numpy as np
import pytest
import torch
from made_models import make_checkpoint
from safetensors import safe_open
from safetensors.torch import load_file

from smarthdr_studio.core.errors import CheckpointError, ExportError
from smarthdr_studio.core.project.places import MODEL_SUFFIXES
from smarthdr_studio.core.training.events import PhaseChanged
from smarthdr_studio.learning import export
from smarthdr_studio.learning import export as learning_export
from smarthdr_studio.learning.bundle import read_bundle
from smarthdr_studio.learning.export import (
    TOLERANCE,
    Exported,
    export_model,
    largest_difference,
    parity_crops,
)
from smarthdr_studio.learning.model_files import load_model, read_card
from smarthdr_studio.learning.networks import build_network, load_weights


@pytest.fixture
def checkpoint(tmp_path, make_plan):
    return make_checkpoint(tmp_path / "runs" / "a-run", make_plan(tile=72), psnr_mu=40.0)


def exported(*words, **wishes):
    *progress, last = export_model(*words, **wishes)
    assert progress
    assert all(isinstance(event, PhaseChanged) for event in progress)
    assert isinstance(last, Exported)
    assert last.path.stat().st_size == last.bytes
    return last


def card_beside_graph(path):
    """A TorchScript file is a zip; its description lies among the extra files."""
    with zipfile.ZipFile(path) as file:
        name = next(name for name in file.namelist() if name.endswith("extra/model.json"))
        return json.loads(file.read(name))


@pytest.mark.parametrize("part", ["teacher", "student"])
def test_a_bundle_holds_the_very_bytes_of_the_checkpoint(checkpoint, tmp_path, part):
    made = exported(checkpoint, tmp_path / "a.shdrmodel", form="bundle", part=part)
    card, weights = read_bundle(made.path)
    assert weights == (checkpoint / f"{part}.safetensors").read_bytes()
    assert card.part == part
    assert made.difference == 0


def test_safetensors_carry_where_they_are_from_in_their_header(checkpoint, tmp_path):
    made = exported(checkpoint, tmp_path / "a.safetensors", form="safetensors")
    with safe_open(made.path, "pt") as file:
        header = file.metadata()
    assert header["run"] == "a-run"
    assert header["step"] == "12"
    assert json.loads(header["metrics"]) == {"psnr_mu": 40.0}
    assert json.loads(header["model.json"])["plan"] == header["plan"] == read_card(checkpoint).plan
    ours = load_file(checkpoint / "teacher.safetensors")
    same = load_file(made.path)
    assert all(torch.equal(ours[name], same[name]) for name in ours)
    load_weights(build_network("light"), made.path)  # a new run can start from it


@pytest.mark.skipif(os.name != "posix", reason="rights of files are those of POSIX")
@pytest.mark.parametrize("form", ["bundle", "safetensors"])
def test_whoever_may_read_new_files_may_read_an_export(checkpoint, tmp_path, form):
    made = exported(checkpoint, tmp_path / f"a{MODEL_SUFFIXES[form]}", form=form)
    (tmp_path / "other").touch()
    assert made.path.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_file_for_other_programs_says_so_where_a_bundle_is_wanted(checkpoint, tmp_path):
    made = exported(checkpoint, tmp_path / "a.safetensors", form="safetensors")
    with pytest.raises(CheckpointError, match=r"a \.safetensors is for other programs; export"):
        read_bundle(made.path)
    with pytest.raises(CheckpointError, match="nowhere: no such file; give a checkpoint"):
        read_card(tmp_path / "nowhere")


def test_torchscript_answers_as_ours_for_any_batch_at_the_tile(checkpoint, tmp_path, project):
    made = exported(checkpoint, tmp_path / "a.pt", form="torchscript", project=project)
    assert made.difference <= TOLERANCE
    assert made.crops == 3  # noise, and two scenes
    ask, about = learning_export.load_torchscript(made.path), card_beside_graph(made.path)
    assert about["tile"] == 72
    assert about["run"] == "a-run"
    ours, _ = load_model(checkpoint)
    for batch in (1, 3):
        frames = [torch.rand(batch, 6, 72, 72) for _ in range(3)]
        with torch.inference_mode():
            (hdr, sigma), answer = ask(tuple(frames)), ours(*frames)
        np.testing.assert_allclose(hdr, answer.hdr.numpy(), atol=1e-5, rtol=1e-4)
        np.testing.assert_allclose(sigma, answer.sigma.numpy(), atol=1e-5, rtol=1e-4)


@pytest.mark.slow
def test_the_published_backbone_becomes_torchscript_as_well(tmp_path, make_plan):
    plan = make_plan(network={"name": "gfhdr"}, tile=64)
    checkpoint = make_checkpoint(tmp_path / "runs" / "g", plan, network="gfhdr")
    assert exported(checkpoint, tmp_path / "g.pt", form="torchscript").difference <= TOLERANCE


def test_every_part_of_making_a_graph_is_said_before_it_and_given_up_leaves_nothing(
    checkpoint, tmp_path
):
    target = tmp_path / "out" / "a.pt"
    target.parent.mkdir()
    said = []
    with closing(export_model(checkpoint, target, form="torchscript")) as events:
        for event in events:
            said.append(event.text)
            if event.text.startswith("comparing crop 1"):
                break
    assert said[1:-1] == [
        "following the network",
        "writing TorchScript",
        "reading TorchScript back",
    ]
    assert list(target.parent.iterdir()) == []


@pytest.mark.slow
def test_onnx_answers_as_ours_for_any_batch_and_says_what_it_is(checkpoint, tmp_path, project):
    pytest.importorskip("onnxscript")
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    *said, made = export_model(checkpoint, tmp_path / "a.onnx", form="onnx", project=project)
    assert [event.text.partition(",")[0] for event in said[1:5]] == [
        "following the network",
        "translating it to ONNX",
        "writing ONNX",
        "reading ONNX back",
    ]
    assert made.difference <= TOLERANCE
    session = runtime.InferenceSession(str(made.path), providers=["CPUExecutionProvider"])
    assert [each.name for each in session.get_inputs()] == ["under", "reference", "over"]
    assert [each.name for each in session.get_outputs()] == ["hdr", "sigma"]
    ours, _ = load_model(checkpoint)
    for batch in (1, 3):
        frames = [torch.rand(batch, 6, 72, 72) for _ in range(3)]
        named = dict(zip(("under", "reference", "over"), frames, strict=True))
        hdr, _ = session.run(None, {name: frame.numpy() for name, frame in named.items()})
        with torch.inference_mode():
            np.testing.assert_allclose(hdr, ours(*frames).hdr.numpy(), atol=1e-4)
    about = {each.key: each.value for each in onnx.load(str(made.path)).metadata_props}
    assert json.loads(about["model.json"])["weights"] == read_card(checkpoint).weights


def test_without_its_packages_onnx_says_what_to_install(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(learning_export, "find_spec", lambda name: None)
    with pytest.raises(ExportError, match=r"pip install 'smarthdr-studio\[onnx\]'"):
        list(export_model(checkpoint, tmp_path / "a.onnx", form="onnx"))
    assert not (tmp_path / "a.onnx").exists()


def test_a_file_that_answers_otherwise_is_not_kept(checkpoint, tmp_path, monkeypatch):
    def wrong(path):
        return lambda frames: (np.zeros((2, 3, 72, 72), np.float32),) * 2

    monkeypatch.setitem(export._GRAPHS, "torchscript", (learning_export.write_torchscript, wrong))
    before = tmp_path / "a.pt"
    before.write_text("what lay there", encoding="utf-8")
    with pytest.raises(ExportError, match="not kept, it answers otherwise than ours"):
        list(export_model(checkpoint, before, form="torchscript"))
    assert before.read_text(encoding="utf-8") == "what lay there"
    assert not list(tmp_path.glob(".*"))


def test_an_answer_that_is_no_number_counts_as_infinitely_far(checkpoint):
    network, _ = load_model(checkpoint)
    frames = parity_crops(72, project=None)[1]
    nothing = np.full((1, 3, 72, 72), np.nan, np.float32)
    assert largest_difference(lambda _: (nothing, nothing[:, :1]), network, frames) == float("inf")


@pytest.mark.parametrize("form", ["bundle", "torchscript"])
def test_giving_up_leaves_nothing_behind(checkpoint, tmp_path, form):
    events = export_model(checkpoint, tmp_path / "out" / "a.pt", form=form)
    for event in events:
        if "writing" in event.text or "making" in event.text:
            break
    events.close()
    assert list((tmp_path / "out").iterdir()) == []


def test_an_exporter_that_fails_is_one_sentence(checkpoint, tmp_path, monkeypatch):
    def crash(*_words, **_wishes):
        raise NotImplementedError("operator aten::odd\nand a page more")

    monkeypatch.setattr(torch.jit, "trace", crash)
    with pytest.raises(ExportError, match=r"cannot be made by torch .* \(operator aten::odd\)"):
        list(export_model(checkpoint, tmp_path / "a.pt", form="torchscript"))
    assert not (tmp_path / "a.pt").exists()


def test_a_damaged_checkpoint_is_not_exported(checkpoint, tmp_path):
    weights = checkpoint / "teacher.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="damaged"):
        list(export_model(checkpoint, tmp_path / "a.shdrmodel", form="bundle"))


def test_a_place_that_cannot_be_written_is_one_sentence(checkpoint, tmp_path):
    (tmp_path / "file").touch()
    for form in ("bundle", "safetensors", "torchscript"):
        with pytest.raises(ExportError, match="cannot be written"):
            list(export_model(checkpoint, tmp_path / "file" / "a", form=form))


def test_exporting_a_bundle_again_changes_nothing(checkpoint, tmp_path):
    first = exported(checkpoint, tmp_path / "a.shdrmodel", form="bundle").path
    second = exported(first, tmp_path / "b.shdrmodel", form="bundle").path
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (first, second)}
    assert len(digests) == 1
