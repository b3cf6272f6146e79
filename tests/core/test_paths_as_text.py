"""Wherever core or learning takes a path, text is as good as a `Path`."""

import dataclasses
import importlib
import inspect
import pkgutil
import typing
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from made_models import make_checkpoint
from safetensors.torch import save_file

import smarthdr_studio.core
import smarthdr_studio.learning
from smarthdr_studio.core.datasets.layouts import frame_files, layout_name
from smarthdr_studio.core.datasets.scan import find_scenes, read_labelled
from smarthdr_studio.core.files import copy, move, replacing
from smarthdr_studio.core.imaging.exposure import read_exposures
from smarthdr_studio.core.imaging.image_files import (
    image_size,
    read_frame,
    read_layers,
    write_frame_tiff,
    write_layers,
)
from smarthdr_studio.core.project.integrity import check_up
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.core.training.run_folder import best_checkpoint, new_run, run_folders
from smarthdr_studio.learning.checkpoints import latest_checkpoint, load_weights_into, read_info
from smarthdr_studio.learning.export import export_model
from smarthdr_studio.learning.model_files import load_model, read_card
from smarthdr_studio.learning.networks import build_network, load_weights
from smarthdr_studio.synthetic.dataset import write_sample
from smarthdr_studio.synthetic.settings import SampleSettings

ROOMS = (smarthdr_studio.core, smarthdr_studio.learning)
LEAST = 150  # fewer would mean that this test no longer finds them


def public_functions():
    """Name and function of everything public that can be called, where it is defined."""
    for room in ROOMS:
        for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            module = importlib.import_module(found.name)
            for name, each in vars(module).items():
                if name.startswith("_") or getattr(each, "__module__", "") != module.__name__:
                    continue
                if inspect.isclass(each):
                    yield from methods(each)
                elif callable(each):
                    yield f"{module.__name__}.{name}", each


def methods(of):
    """What a class can be asked; made from values alone, it has no door of its own."""
    is_value = dataclasses.is_dataclass(of) or hasattr(of, "_fields")
    for name, each in vars(of).items():
        if name.startswith("_") and (name != "__init__" or is_value):
            continue
        function = each.__func__ if isinstance(each, classmethod | staticmethod) else each
        if inspect.isfunction(function):
            yield f"{of.__module__}.{of.__name__}.{name}", function


def mentions(annotation, wanted) -> bool:
    """Whether a type stands in an annotation, but for what a callback is given."""
    if annotation is wanted:
        return True
    if typing.get_origin(annotation) is Callable:
        return False
    return any(mentions(each, wanted) for each in typing.get_args(annotation))


def test_no_public_function_takes_a_path_but_as_text_too():
    doors, refused = [], []
    for name, function in public_functions():
        for parameter in inspect.signature(function).parameters.values():
            if mentions(parameter.annotation, Path):
                refused.append(f"{name}({parameter.name})")
            elif "PathLike" in str(parameter.annotation):
                doors.append(name)
    assert refused == []
    assert len(set(doors)) > LEAST


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("text") / "data"
    small = SampleSettings(scenes=4, labelled=2, test=1, width=96, height=96)
    list(write_sample(str(folder), small))
    return str(folder)


@pytest.fixture
def project(dataset, tmp_path):
    path = str(tmp_path / "p.shdr")
    Project.create(path, find_scenes(dataset), labelled=()).close()
    return path


def test_weights_load_from_a_path_written_as_text(tmp_path):
    torch.manual_seed(1)
    first, second = build_network("light"), build_network("light")
    save_file(first.state_dict(), tmp_path / "a.safetensors")
    loaded = load_weights(second, str(tmp_path / "a.safetensors"))
    assert loaded.path == tmp_path / "a.safetensors"
    for one, other in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_files_are_written_and_read(tmp_path):
    here = str(tmp_path / "a")
    frame = np.full((8, 9, 3), 1000, np.uint16)
    write_frame_tiff(f"{here}.tif", frame)
    assert image_size(f"{here}.tif") == (8, 9)
    assert np.array_equal(read_frame(f"{here}.tif"), frame)
    write_layers(f"{here}.exr", {"R": np.ones((8, 9), np.float32)}, header={})
    assert set(read_layers(f"{here}.exr")[0]) == {"R"}
    with replacing(f"{here}.txt") as draft:
        draft.write_text("-2 0 2")
    copy(f"{here}.txt", f"{here}.2.txt")
    move(f"{here}.2.txt", f"{here}.3.txt")
    assert read_exposures(f"{here}.3.txt").readings[0] == (-2.0, 0.0, 2.0)
    Path(f"{here}.ids").write_text("001")
    assert read_labelled(f"{here}.ids") == ("001",)
    files = [f"{here}_{number}.tif" for number in (1, 2, 3)]
    assert frame_files(files) == tuple(map(Path, files))
    assert layout_name(files, ()) == layout_name(tuple(map(Path, files)), ())


def test_a_project_is_opened_checked_and_given_a_run(project):
    with Project.open(project) as opened:
        assert opened.folder == Path(project).resolve()
        opened.move_dataset(str(opened.dataset))
    assert check_up(project).findings == ()
    run = new_run(project, "quick")
    assert run_folders(project) == (run,)


def test_a_model_is_found_loaded_and_exported(project, tmp_path):
    plan = load_preset("quick", changes={"tile": 96, "device": "cpu"}, own=str(tmp_path / "none"))
    run = str(new_run(project, "quick").path)
    made = make_checkpoint(Path(run), plan, psnr_mu=30.0)
    assert best_checkpoint(run) == latest_checkpoint(project) == made
    assert read_info(str(made)).step == read_card(run).step == load_model(run)[1].step
    load_weights_into(build_network("light"), str(made), part="student")
    bundle = str(tmp_path / "a.shdrmodel")
    *_, exported = export_model(run, bundle, form="bundle", project=project)
    assert exported.path == Path(bundle)
    assert read_card(bundle).step == read_info(str(made)).step
