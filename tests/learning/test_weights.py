"""Weights are loaded whole or not at all, from our files and from the published ones."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from smarthdr_studio.core.errors import CheckpointError
from smarthdr_studio.learning.networks import FusionNetwork, build_network, load_weights


@pytest.fixture
def trained() -> FusionNetwork:
    torch.manual_seed(1)
    return build_network("light")


@pytest.fixture
def fresh() -> FusionNetwork:
    torch.manual_seed(2)
    return build_network("light")


def same(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_our_files_bring_backbone_and_judge(trained, fresh, tmp_path):
    save_file(trained.state_dict(), tmp_path / "a.safetensors")
    loaded = load_weights(fresh, tmp_path / "a.safetensors")
    assert same(trained, fresh)
    assert loaded.judge
    assert loaded.tensors == len(trained.state_dict())


@pytest.mark.parametrize("wrapped", [True, False])
def test_published_files_bring_the_backbone_and_leave_the_judge(trained, fresh, tmp_path, wrapped):
    judge = {name: value.clone() for name, value in fresh.judge.state_dict().items()}
    weights = {f"module.{name}": value for name, value in trained.backbone.state_dict().items()}
    weights["module.layers.0.blocks.1.attn_mask"] = torch.zeros(4, 64, 64)
    weights["module.layers.0.blocks.1.attn.relative_position_index"] = torch.zeros(64, 64)
    torch.save({"state_dict": weights, "epoch": 3} if wrapped else weights, tmp_path / "a.pth")
    loaded = load_weights(fresh, tmp_path / "a.pth")
    assert same(trained.backbone, fresh.backbone)
    assert not loaded.judge
    assert all(torch.equal(judge[name], value) for name, value in fresh.judge.state_dict().items())


def test_bytes_decide_what_a_file_is_not_its_suffix(trained, fresh, tmp_path):
    save_file(trained.state_dict(), tmp_path / "a.pth")
    load_weights(fresh, tmp_path / "a.pth")
    assert same(trained, fresh)


class Trap:
    """What a hostile file would have Python do on loading."""

    def __reduce__(self):
        return Path.touch, (Path("sprung"),)


def one_too_few(weights, path):
    torch.save(dict(list(weights.items())[1:]), path)


def one_too_many(weights, path):
    torch.save(weights | {"backbone.extra": torch.zeros(1)}, path)


def another_shape(weights, path):
    torch.save(weights | {"judge.last.weight": torch.zeros(2, 2)}, path)


def cut_short(weights, path):
    torch.save(weights, path)
    path.write_bytes(path.read_bytes()[:5000])


def our_file_cut_short(weights, path):
    save_file(weights, path)
    path.write_bytes(path.read_bytes()[:-100])


def holding_code(weights, path):
    torch.save({"state_dict": Trap()}, path)


def without_weights(weights, path):
    torch.save({"epoch": 3}, path)


def holding_text(weights, path):
    path.write_text("not weights at all")


def empty(weights, path):
    path.touch()


def absent(weights, path):
    pass


REFUSALS = {
    one_too_few: "1 missing, first backbone",
    one_too_many: "1 unknown, first backbone.extra",
    another_shape: r"1 of another shape, first judge.last.weight: \(2, 2\) instead of",
    cut_short: "truncated",
    our_file_cut_short: "truncated",
    holding_code: "code, which is never run",
    without_weights: "holds no state dict",
    holding_text: "cannot be read as weights",
    empty: "cannot be read as weights",
    absent: "no such file",
}


@pytest.mark.parametrize("spoiled", REFUSALS)
def test_what_does_not_fit_is_refused_in_a_sentence_and_changes_nothing(
    trained, fresh, tmp_path, monkeypatch, spoiled
):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "bad.pth"
    spoiled(dict(trained.state_dict()), path)
    before = {name: value.clone() for name, value in fresh.state_dict().items()}
    with pytest.raises(CheckpointError, match=REFUSALS[spoiled]) as refused:
        load_weights(fresh, path)
    assert str(refused.value).startswith(f"{path}: ")
    assert all(torch.equal(before[name], value) for name, value in fresh.state_dict().items())
    assert not Path("sprung").exists()


def test_weights_of_another_network_are_refused_by_its_name(trained, tmp_path):
    save_file(trained.state_dict(), tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match="'gfhdr'"):
        load_weights(build_network("gfhdr"), tmp_path / "a.safetensors")
