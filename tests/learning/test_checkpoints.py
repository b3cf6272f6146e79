"""A checkpoint is whole or it is not there, and what is damaged says so."""

import json
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from smarthdr_studio.core.errors import CheckpointError
from smarthdr_studio.core.training.run_folder import checkpoints_of
from smarthdr_studio.learning import checkpoints
from smarthdr_studio.learning.checkpoints import (
    CheckpointInfo,
    drop_checkpoints,
    latest_checkpoint,
    load_state,
    load_weights_into,
    read_info,
    save_checkpoint,
    sweep_drafts,
    weights_hash,
)
from smarthdr_studio.learning.model_files import load_model
from smarthdr_studio.learning.networks import build_network


@pytest.fixture
def networks():
    torch.manual_seed(0)
    return build_network("light"), build_network("light")


def _save(run, networks, *, step=5, metrics=None, state=None):
    student, teacher = networks
    info = CheckpointInfo(
        run=run.name,
        step=step,
        epoch=2,
        round=1,
        network="light",
        plan={"tile": 96, "precision": "auto"},
        metrics=metrics or {},
    )
    return save_checkpoint(
        run / "checkpoints", info, student=student, teacher=teacher, state=state or {"a": 1}
    )


def test_what_is_saved_comes_back_to_the_last_bit(tmp_path, networks):
    state = {"order": torch.arange(5), "nested": {"x": [1, 2.5, None, "text"]}}
    path = _save(tmp_path / "run", networks, state=state)
    teacher, card = load_model(path)
    assert (card.run, card.step, card.epoch, card.network) == ("run", 5, 2, "light")
    assert not teacher.training
    for name, value in networks[1].state_dict().items():
        assert torch.equal(teacher.state_dict()[name], value)
    found = load_state(path)
    assert torch.equal(found["order"], state["order"])
    assert found["nested"] == state["nested"]


def test_the_weights_are_safetensors_with_the_judge_by_name(tmp_path, networks):
    path = _save(tmp_path / "run", networks)
    keys = load_file(path / "teacher.safetensors")
    assert any(key.startswith("judge.") for key in keys)
    about = json.loads((path / "checkpoint.json").read_text())
    assert about["hashes"]["teacher.safetensors"] == weights_hash(networks[1])
    assert read_info(path).teacher == weights_hash(networks[1])


def test_state_loads_without_executing_anything(tmp_path, networks):
    path = _save(tmp_path / "run", networks)
    assert torch.load(path / "state.pt", weights_only=True) == {"a": 1}


@pytest.mark.parametrize("name", ["student.safetensors", "teacher.safetensors", "state.pt"])
def test_a_truncated_or_changed_file_is_told_by_its_hash(tmp_path, networks, name):
    path = _save(tmp_path / "run", networks)
    load = load_state
    if name != "state.pt":
        load = partial(load_weights_into, networks[0], part=name.partition(".")[0])
    content = (path / name).read_bytes()
    for damaged in (content[:-9], content[:-1] + bytes([content[-1] ^ 1])):
        (path / name).write_bytes(damaged)
        with pytest.raises(CheckpointError, match=f"{name}: damaged, its SHA-256 has changed"):
            load(path)


def test_a_half_written_checkpoint_is_never_found(tmp_path, networks):
    run = tmp_path / "runs" / "20260101-000000-x"
    whole = _save(run, networks, step=5)
    later = _save(run, networks, step=9)
    (later / "checkpoint.json").unlink()
    (run / "checkpoints" / ".step-00000010.abc").mkdir()
    assert checkpoints_of(run) == [whole]
    assert latest_checkpoint(tmp_path) == whole


def test_what_a_kill_has_left_half_written_is_swept_away(tmp_path, networks):
    whole = _save(tmp_path, networks)
    (tmp_path / "checkpoints" / ".step-00000009.ab.old").mkdir()
    for part in ("rounds/.0001.ab.safetensors", "history/.0001.ab.npz", "previews/00001/.ab.jpg"):
        (tmp_path / part).parent.mkdir(parents=True)
        (tmp_path / part).write_bytes(b"half")
    (tmp_path / ".digest.ab.json").write_bytes(b"somebody else's")
    sweep_drafts(tmp_path)
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(left) == sorted([".digest.ab.json", *(path.name for path in whole.iterdir())])
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == [whole.name]


def test_an_error_while_writing_leaves_nothing_behind(tmp_path, networks):
    run = tmp_path / "run"
    with pytest.raises(AttributeError):
        _save(run, networks, state={"not plain": lambda: 0})
    assert list((run / "checkpoints").iterdir()) == []


def test_a_state_that_holds_more_than_numbers_is_refused_in_our_own_words(tmp_path, networks):
    path = _save(tmp_path, networks, state={"a": tmp_path})
    with pytest.raises(CheckpointError) as refused:
        load_state(path)
    told = str(refused.value)
    assert told.startswith(f"{path / 'state.pt'}: is damaged, or holds more than numbers; ")
    assert "weights_only" not in told
    assert "pickle" not in told


def test_a_checkpoint_is_durable_when_it_has_its_name(tmp_path, networks, monkeypatch):
    flushed = []
    monkeypatch.setattr(
        checkpoints, "flush_folder", lambda folder: flushed.append(set(Path(folder).iterdir()))
    )
    path = _save(tmp_path, networks, state={"a": 1})
    assert path in flushed[-1]


def test_the_same_step_may_be_saved_again(tmp_path, networks):
    run = tmp_path / "run"
    _save(run, networks, state={"a": 1})
    path = _save(run, networks, state={"a": 2})
    assert load_state(path) == {"a": 2}
    assert [p.name for p in (run / "checkpoints").iterdir()] == [path.name]


def test_a_checkpoint_that_is_saved_again_is_not_lost_on_the_way(tmp_path, networks, monkeypatch):
    path = _save(tmp_path, networks, state={"a": 1})
    real, renamed = Path.rename, []

    def rename(self, target):
        renamed.append(self)
        if len(renamed) == 2:  # the new one could not take its place
            raise OSError("no room")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(OSError, match="no room"):
        _save(tmp_path, networks, state={"a": 2})
    assert load_state(path) == {"a": 1}
    path.rename(path.with_name(f".{path.name}.ab.old"))  # a kill at the same moment
    sweep_drafts(tmp_path)
    assert checkpoints_of(tmp_path) == [path]


def test_the_latest_is_the_newest_of_the_newest_run_that_has_one(tmp_path, networks):
    assert latest_checkpoint(tmp_path) is None
    old, new = (tmp_path / "runs" / name for name in ("20260101-000000-x", "20260202-000000-x"))
    _save(old, networks, step=90)
    _save(new, networks, step=2)
    expected = _save(new, networks, step=10)
    (tmp_path / "runs" / "20260303-000000-x").mkdir()
    assert latest_checkpoint(tmp_path) == expected


def test_the_two_newest_and_the_best_are_kept(tmp_path, networks):
    run = tmp_path / "run"
    for step, psnr in ((1, 20.0), (2, 31.0), (3, 25.0), (4, 26.0), (5, 24.0)):
        _save(run, networks, step=step, metrics={"psnr_mu": psnr})
    drop_checkpoints(run)
    assert [read_info(path).step for path in checkpoints_of(run)] == [2, 4, 5]


def test_a_checkpoint_of_another_network_or_a_newer_format_is_refused(tmp_path, networks):
    path = _save(tmp_path / "run", networks)
    with pytest.raises(CheckpointError, match="does not fit this network"):
        load_weights_into(torch.nn.Linear(1, 1), path, part="student")
    about = json.loads((path / "checkpoint.json").read_text())
    (path / "checkpoint.json").write_text(json.dumps(about | {"format": 99}))
    with pytest.raises(CheckpointError, match="newer format"):
        read_info(path)
    with pytest.raises(CheckpointError, match="nowhere: no such file"):
        read_info(tmp_path / "nowhere")


@pytest.mark.parametrize("held", ["Ж" * 5000, "Жщ " * 2000])
@pytest.mark.parametrize("key", ["network", "step", "plan", "metrics", "format", "Жщ" * 999])
def test_a_checkpoint_that_says_odd_things_is_a_sentence_that_quotes_little(
    tmp_path, networks, key, held
):
    path = _save(tmp_path, networks)
    about = json.loads((path / "checkpoint.json").read_text())
    (path / "checkpoint.json").write_text(json.dumps({**about, key: held}))
    with pytest.raises(CheckpointError) as refused:
        load_model(path)
    assert str(refused.value).count("Ж") <= 300
    assert "\n" not in str(refused.value)


def test_a_checkpoint_whose_plan_is_not_whole_is_a_sentence(tmp_path, networks):
    path = _save(tmp_path, networks)
    about = json.loads((path / "checkpoint.json").read_text())
    (path / "checkpoint.json").write_text(json.dumps({**about, "plan": {"seed": 0}}))
    with pytest.raises(CheckpointError, match="its plan is not whole; choose another checkpoint"):
        load_model(path)
