"""Either network of a checkpoint says what it thinks of one scene, and can be interrupted."""

import numpy as np
import pytest
import torch

from smarthdr_studio.core.errors import CheckpointError, DeviceError
from smarthdr_studio.core.imaging.bracket import FrameStore
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.run_folder import CHECKPOINT_ABOUT
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label
from smarthdr_studio.learning.checkpoints import latest_checkpoint, load_weights_into, read_info
from smarthdr_studio.learning.inference import Predictor, predict_tiled, run_predictor
from smarthdr_studio.learning.model_files import load_predictor
from smarthdr_studio.learning.networks import build_network
from smarthdr_studio.learning.trainer import train

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def trained(make_project, make_plan, tmp_path_factory):
    """A project after a short run."""
    project = make_project(tmp_path_factory.mktemp("trained"))
    list(train(make_plan(schedule={"epochs": 2, "steps_per_epoch": 2}), project))
    return project


@pytest.fixture
def scene(trained):
    with Project.open(trained) as opened:
        return opened.scene("u")


@pytest.mark.parametrize("who", ["student", "teacher"])
def test_an_prediction_is_what_the_weights_in_the_checkpoint_answer(trained, scene, who):
    checkpoint, frames = latest_checkpoint(trained), FrameStore()
    hdr, sigma = run_predictor(
        load_predictor(checkpoint, who=who, device="cpu", frames=frames), scene
    )
    network = build_network(read_info(checkpoint).network)
    load_weights_into(network, checkpoint, part=who)
    bracket = frames.bracket(scene)
    again, same = predict_tiled(
        network.eval(), bracket.frames, stops=bracket.stops, device=CPU, tile=96
    )
    np.testing.assert_array_equal(hdr, again)
    np.testing.assert_array_equal(sigma, same)
    assert (hdr.dtype, sigma.dtype) == (np.float16, np.float32)


def test_student_and_teacher_differ_and_the_teacher_made_the_pseudo_label(trained, scene):
    checkpoint, frames = latest_checkpoint(trained), FrameStore()
    student, _ = run_predictor(
        load_predictor(checkpoint, who="student", device="cpu", frames=frames), scene
    )
    teacher, sigma = run_predictor(
        load_predictor(checkpoint, who="teacher", device="cpu", frames=frames), scene
    )
    label = read_pseudo_label(trained / "pseudo" / "u.exr")
    assert (student != teacher).any()
    np.testing.assert_array_equal(teacher, label.hdr)
    np.testing.assert_array_equal(sigma, label.sigma)


def test_between_tiles_it_says_how_far_it_is_and_can_be_given_up(trained, scene):
    said = []

    def give_up(done, total):
        said.append((done, total))
        if done == 2:
            raise KeyboardInterrupt

    predictor = load_predictor(latest_checkpoint(trained), device="cpu", frames=FrameStore())
    small = Predictor(
        network=predictor.network,
        frames=predictor.frames,
        device=CPU,
        precision=torch.float32,
        tile=64,
    )
    with pytest.raises(KeyboardInterrupt):
        run_predictor(small, scene, said=give_up)
    assert said == [(1, 4), (2, 4)]
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()


def test_a_checkpoint_that_is_gone_or_damaged_is_one_sentence(trained, scene, tmp_path):
    with pytest.raises(CheckpointError, match="not a whole checkpoint"):
        run_predictor(load_predictor(tmp_path, who="student", frames=FrameStore()), scene)
    about = latest_checkpoint(trained) / CHECKPOINT_ABOUT
    told = about.read_bytes()
    about.write_bytes(b"[]")
    with pytest.raises(CheckpointError, match=f"{CHECKPOINT_ABOUT} is damaged"):
        load_predictor(about.parent, who="student", frames=FrameStore())
    about.write_bytes(told)
    weights = latest_checkpoint(trained) / "student.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-5])
    with pytest.raises(CheckpointError, match="damaged"):
        run_predictor(
            load_predictor(
                latest_checkpoint(trained), who="student", device="cpu", frames=FrameStore()
            ),
            scene,
        )
    weights.write_bytes(whole)


def test_a_device_without_memory_is_one_sentence(trained, scene, monkeypatch):
    def full(*_args, **_words):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate…\nand much more")

    monkeypatch.setattr(Predictor, "predict", full)
    with pytest.raises(DeviceError, match="no memory left to look at u; ask again") as caught:
        run_predictor(
            load_predictor(
                latest_checkpoint(trained), who="teacher", device="cpu", frames=FrameStore()
            ),
            scene,
        )
    assert "\n" not in str(caught.value)
