"""The perceptual loss takes torchvision's weights, sees no untrusted pixel, says what it lacks."""

import sys
from urllib.error import URLError

import pytest
import torch

from smarthdr_studio.core.errors import DeviceError
from smarthdr_studio.learning import perceptual
from smarthdr_studio.learning.perceptual import PerceptualLoss, load_perceptual_loss
from smarthdr_studio.learning.trainer import train

# torchvision's vgg16.features: the places of its 3×3 convolutions, and what they read and write.
TORCHVISION = {
    0: (3, 64), 2: (64, 64), 5: (64, 128), 7: (128, 128), 10: (128, 256), 12: (256, 256),
    14: (256, 256), 17: (256, 512), 19: (512, 512), 21: (512, 512), 24: (512, 512),
    26: (512, 512), 28: (512, 512),
}  # fmt: skip


@pytest.fixture
def weights(tmp_path):
    generator = torch.Generator().manual_seed(0)
    state = {}
    for place, (reads, writes) in TORCHVISION.items():
        scale = (2 / (9 * reads)) ** 0.5
        state[f"features.{place}.weight"] = (
            torch.randn(writes, reads, 3, 3, generator=generator) * scale
        )
        state[f"features.{place}.bias"] = torch.zeros(writes)
    state["classifier.0.bias"] = torch.zeros(4)
    torch.save(state, tmp_path / "vgg16.pth")
    return tmp_path / "vgg16.pth"


def _pictures(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    first, second = torch.rand(2, 1, 3, 16, 16, generator=torch.Generator().manual_seed(seed))
    return first, second


EVERYWHERE = torch.ones(1, 1, 16, 16, dtype=torch.bool)


def test_weights_of_torchvision_are_used_up_to_the_tenth_convolution(weights):
    loss = load_perceptual_loss(weights)
    saved = torch.load(weights, weights_only=True)
    assert torch.equal(loss.features[21].weight, saved["features.21.weight"])
    assert len(loss.features) == 23


def test_equal_pictures_differ_by_nothing_and_others_by_something(weights):
    loss = load_perceptual_loss(weights)
    first, second = _pictures()
    assert loss(first, first, trusted=EVERYWHERE).item() == 0
    assert loss(first, second, trusted=EVERYWHERE).item() > 0


def test_four_layers_are_compared_after_their_rectifiers(weights):
    loss = load_perceptual_loss(weights)
    first, second = _pictures()
    expected = 0.0
    x, y = ((picture - loss.mean) / loss.std for picture in (first, second))
    for index, layer in enumerate(loss.features):
        x, y = layer(x), layer(y)
        if index in (3, 8, 15, 22):
            assert isinstance(layer, torch.nn.ReLU)
            expected += (x - y).abs().mean().item()
    assert loss(first, second, trusted=EVERYWHERE).item() == pytest.approx(expected)


def test_the_label_of_untrusted_pixels_is_never_seen(weights):
    loss = load_perceptual_loss(weights)
    prediction, label = _pictures()
    trusted = EVERYWHERE.clone()
    trusted[..., :8, :] = False
    nonsense = torch.where(trusted, label, torch.full_like(label, 7.0))
    assert torch.equal(
        loss(prediction, label, trusted=trusted), loss(prediction, nonsense, trusted=trusted)
    )


def test_untrusted_pixels_receive_no_gradient_and_the_network_never_does(weights):
    loss = load_perceptual_loss(weights)
    prediction, label = _pictures()
    prediction.requires_grad_()
    trusted = EVERYWHERE.clone()
    trusted[..., :8, :] = False
    loss(prediction, label, trusted=trusted).backward()
    assert prediction.grad[..., :8, :].abs().max() == 0
    assert prediction.grad[..., 8:, :].abs().max() > 0
    assert all(parameter.grad is None for parameter in loss.parameters())


def test_a_crop_without_trusted_pixels_contributes_nothing(weights):
    prediction, label = _pictures()
    loss = load_perceptual_loss(weights)(prediction, label, trusted=~EVERYWHERE)
    assert loss.item() == 0


def test_weights_that_are_missing_or_foreign_are_refused_in_one_sentence(tmp_path):
    with pytest.raises(DeviceError, match=r"loss\.perceptual_weight to 0"):
        load_perceptual_loss(tmp_path / "nowhere.pth")
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(DeviceError, match="not the weights of VGG-16"):
        load_perceptual_loss(tmp_path / "other.pth")
    (tmp_path / "text.pth").write_text("not weights at all")
    with pytest.raises(DeviceError, match="is damaged, or holds more than numbers"):
        load_perceptual_loss(tmp_path / "text.pth")
    torch.save({"features.0.weight": tmp_path}, tmp_path / "code.pth")
    with pytest.raises(DeviceError) as refused:
        load_perceptual_loss(tmp_path / "code.pth")
    assert "weights_only" not in str(refused.value)
    assert str(refused.value).startswith(f"{tmp_path / 'code.pth'}: is damaged, or holds")


def test_weights_that_cannot_be_fetched_are_one_sentence_and_no_other_line(monkeypatch, capfd):
    def offline(*_: object, **__: object) -> None:
        sys.stderr.write("Downloading: there to here\n")
        raise URLError("no network")

    monkeypatch.setattr(perceptual.torch.hub, "load_state_dict_from_url", offline)
    with pytest.raises(DeviceError, match="could not be fetched"):
        load_perceptual_loss(perceptual.FETCH)
    assert capfd.readouterr() == ("", "")


def test_nobody_is_asked_for_weights_unless_the_plan_says_fetch(
    project, make_plan, monkeypatch, tmp_path
):
    monkeypatch.setattr(perceptual.torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(perceptual.torch.hub, "load_state_dict_from_url", None)
    before = sorted(path for path in project.rglob("*") if "sqlite" not in path.name)
    with pytest.raises(DeviceError, match="not on this machine") as refused:
        list(train(make_plan(loss={"perceptual_weight": 0.01}), project))
    assert [each.changes for each in refused.value.remedies] == [
        {"loss.vgg_weights": "fetch"},
        {"loss.perceptual_weight": 0},
    ]
    assert sorted(path for path in project.rglob("*") if "sqlite" not in path.name) == before
    assert not (project / "runs").exists()


def test_a_run_with_weights_reports_the_perceptual_terms(project, make_plan, weights, events_of):
    from smarthdr_studio.core.training.events import StepReported

    plan = make_plan(
        loss={"perceptual_weight": 0.01, "vgg_weights": str(weights)},
        schedule={"epochs": 2, "steps_per_epoch": 1},
    )
    steps = events_of(list(train(plan, project)), StepReported)
    assert {"labelled_perceptual", "unlabelled_perceptual"} <= set(steps[-1].losses)


def test_the_loss_is_frozen():
    assert not any(parameter.requires_grad for parameter in PerceptualLoss().parameters())


def test_half_a_trusted_crop_says_as_much_of_it_as_a_whole_one(weights):
    # Halves far enough apart that no convolution sees both: what is said of the upper one is the
    # same whether the lower one is trusted and equal, or not trusted.
    loss = load_perceptual_loss(weights)
    generator = torch.Generator().manual_seed(1)
    label = torch.rand(1, 3, 256, 16, generator=generator)
    prediction = label.clone()
    prediction[..., :40, :] = torch.rand(1, 3, 40, 16, generator=generator)
    everywhere = torch.ones(1, 1, 256, 16, dtype=torch.bool)
    upper = everywhere.clone()
    upper[..., 128:, :] = False
    whole = loss(prediction, label, trusted=everywhere)
    half = loss(prediction, label, trusted=upper)
    torch.testing.assert_close(half, 2 * whole)
