"""The sample, the merge, the doctor, and the door to the window."""

import re
import struct
import sys
import tomllib
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from made_curves import photograph, put_png, shot
from made_truths import put_frames, view

from smarthdr_studio import cli
from smarthdr_studio.cli import app, doctor
from smarthdr_studio.core.errors import DeviceError
from smarthdr_studio.core.imaging.image_files import read_frame, read_layers
from smarthdr_studio.core.imaging.radiometry import exposure_weighted_merge
from smarthdr_studio.studio import app as studio_app

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def frames(dataset):
    return sorted((dataset / "Training" / "001").glob("*.tif"))


@pytest.fixture
def no_display(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)


def test_the_table_of_verbs_is_the_one_the_door_knows():
    assert {*app._VERBS, "runs", "presets", "desktop"} == cli.VERBS


@pytest.mark.parametrize("verb", sorted(cli.VERBS))
def test_every_verb_explains_itself_and_speaks_json(run, verb):
    answer = run(verb, "--help")
    assert answer.status == 0
    assert "--json" in answer.out
    assert "..." not in answer.out.splitlines()[2]


def test_a_small_sample_becomes_a_project(run, tmp_path):
    words = ("--scenes", 4, "--size", "96x64", "--seed", 3)
    answer = run("sample", tmp_path / "sample", *words, "--json")
    assert answer.status == 0, answer.err
    made = run("new", tmp_path / "p.shdr", tmp_path / "sample", "--json").json
    assert (made["scenes"], made["labelled"], made["test"]) == (4, 1, 1)


def test_static_brackets_that_are_none_are_told_by_name(run, tmp_path):
    (tmp_path / "static").mkdir()
    answer = run("sample", tmp_path / "made", "--from-static", tmp_path / "static")
    assert answer.status == 2
    assert answer.err.startswith(f"{tmp_path / 'static'}: holds no scene")
    assert not (tmp_path / "made").exists()


def test_static_brackets_of_a_camera_are_read_under_its_curve_where_that_is_asked(run, tmp_path):
    light = photograph(4) / 2**4
    for stop in range(9):
        frame = shot(light, stop, "S-shaped", full_well=70_000, read=14, seed=stop)
        put_png(tmp_path / "d" / "view" / f"{stop}.png", frame)
    (tmp_path / "d" / "view" / "exposure.txt").write_text("0 1 2 3 4 5 6 7 8")
    asked = ("sample", tmp_path / "made", "--from-static", tmp_path / "d")
    refused = run(*asked)
    assert refused.status == 2
    assert f"--from-static {tmp_path / 'd'} --response measured" in refused.err
    assert not (tmp_path / "made").exists()
    answer = run(*asked, "--response", "measured")
    assert answer.status == 0, answer.err
    assert "The camera's curve is used" in answer.err
    assert "under the camera's curve" in (tmp_path / "made" / "README.txt").read_text()
    assert run("sample", tmp_path / "x", "--response", "gamma").status == 2


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--benchmark", "small", "--scenes", 4), "--scenes does nothing"),
        (("--from-static", "x", "--size", "96x64"), "--size does nothing"),
        (("--from-static", "x", "--benchmark", "small"), "--benchmark does nothing"),
    ],
)
def test_what_another_kind_of_sample_would_not_heed_is_refused(run, tmp_path, words, named):
    answer = run("sample", tmp_path / "sample", *words)
    assert answer.status == 2
    assert named in answer.err
    assert not (tmp_path / "sample").exists()


@pytest.mark.parametrize("size", ["big", "10x10", "100", "100x"])
def test_a_size_that_is_none_is_refused(run, tmp_path, size):
    answer = run("sample", tmp_path / "sample", "--size", size)
    assert answer.status == 2
    assert not (tmp_path / "sample").exists()


def test_a_merge_without_a_network_says_so_and_is_the_plain_one(run, frames, tmp_path):
    answer = run("merge", *frames, "-o", tmp_path / "out.exr", "--json")
    assert answer.status == 0, answer.err
    assert "exposure-weighted" in answer.err
    layers, _ = read_layers(tmp_path / "out.exr", only=("R", "G", "B"))
    plain = exposure_weighted_merge([read_frame(path) for path in frames], stops=(0, 2, 4))
    assert np.array_equal(np.stack([layers[c] for c in "RGB"], axis=-1), plain)


@pytest.mark.parametrize("count", [2, 5, 9])
def test_a_merge_uses_every_frame_it_is_given(run, tmp_path, count):
    light = view(3)
    stops = [index * 6 / (count - 1) - 1.0 for index in range(count)]
    paths = put_frames(tmp_path, [light] * count, stops)
    evs = ",".join(f"{stop:g}" for stop in stops)
    answer = run("merge", *paths, "-o", tmp_path / "out.exr", "--evs", evs)
    assert answer.status == 0, answer.err
    layers, _ = read_layers(tmp_path / "out.exr", only=("R", "G", "B"))
    merged = np.stack([layers[name] for name in "RGB"], axis=-1)
    # Independently: every value between 0.1 and 0.9, weighed by the light it took in.
    total, weight = np.zeros(light.shape), np.zeros(light.shape)
    for path, stop in zip(paths, stops, strict=True):
        value = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[..., ::-1] / 65535
        counts = 2.0**stop * ((value > 0.1) & (value < 0.9))
        total += counts * value**2.2 / 2.0 ** (stop - stops[0])
        weight += counts
    known = weight > 0
    assert known.mean() > 0.9
    assert np.abs(merged[known] * weight[known] / total[known] - 1).mean() < 0.01


def test_frames_given_in_any_order_are_sorted_by_their_exposure(run, frames, tmp_path):
    first, second = tmp_path / "a.exr", tmp_path / "b.exr"
    run("merge", *frames, "-o", first, "--evs", "0,2,4")
    run("merge", *reversed(frames), "-o", second, "--evs", "4,2,0")
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("count", "words", "named"),
    [
        (1, (), "two or more"),
        (3, ("--evs", "1,2"), "--evs"),
        (3, ("--evs", "1,2,2"), "different"),
        (3, ("--evs", "a,b,c"), "--evs"),
    ],
)
def test_a_bad_merge_is_one_sentence(run, frames, tmp_path, count, words, named):
    answer = run("merge", *frames[:count], "-o", tmp_path / "out.exr", *words)
    assert answer.status == 2
    assert named in answer.err
    assert len(answer.err.splitlines()) == 1
    assert not (tmp_path / "out.exr").exists()


def test_a_merge_writes_only_exr(run, frames, tmp_path):
    assert run("merge", *frames, "-o", tmp_path / "out.png").status == 2


def _project_file():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_doctor_tells_what_is_optional_and_how_to_get_it(run, monkeypatch):
    monkeypatch.setattr(doctor, "_extras", lambda: {"raw": ["no-such-library"]})
    told = run("doctor").out
    assert "not installed; optional, for raw" in told
    assert f"{sys.executable} -m pip install 'smarthdr-studio[EXTRA]'" in told


def test_libraries_that_the_doctor_looks_for_are_those_the_program_needs():
    needed = {re.match(r"[\w.-]+", each)[0] for each in _project_file()["dependencies"]}
    assert set(doctor._LIBRARIES) == needed


def test_a_system_without_any_font_is_told(monkeypatch):
    monkeypatch.setattr(studio_app, "_loads", lambda name: True)
    monkeypatch.setattr(studio_app, "_has_fonts", lambda: False)
    with pytest.raises(DeviceError, match=r"fonts.* fontconfig-config fonts-dejavu-core$"):
        studio_app.refuse_without({"DISPLAY": ":1"})


def test_the_bundle_asks_for_no_library_it_brings_itself(monkeypatch, tmp_path):
    (tmp_path / "libours.so.1").touch()  # what it needs of the system may still be missing
    assert not studio_app._loads("libours.so.1")
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert studio_app._loads("libours.so.1")


def test_the_doctor_knows_every_dependency_and_what_is_missing(run, monkeypatch, no_display):
    monkeypatch.setattr(studio_app, "_loads", lambda name: name != "libEGL.so.1")
    found = run("doctor", "--json").json
    assert found["libraries"]["numpy"] == np.__version__
    assert found["libraries"]["pyqtgraph"] is not None
    assert found["optional"]["onnx"].keys() == {"onnx", "onnxscript", "onnxruntime"}
    assert found["optional"].keys() == _project_file()["optional-dependencies"].keys()
    assert found["devices"][-1]["id"] == "cpu"
    assert any("libegl1" in sentence for sentence in found["missing"])
    assert run("doctor").status == 0


def test_the_set_up_installs_what_the_window_asks_for(monkeypatch):
    monkeypatch.setattr(studio_app, "_loads", lambda name: False)
    script = (ROOT / "packaging" / "setup.sh").read_text(encoding="utf-8")
    table = re.search(r"window_libraries='(.*?)'", script, flags=re.DOTALL).group(1)
    packages = table.split()[1::2]
    with pytest.raises(DeviceError) as refused:
        studio_app.refuse_without({"QT_QPA_PLATFORM": "xcb"})
    assert str(refused.value).endswith(" ".join(packages))


def test_without_a_display_the_window_is_refused_in_words(run, project, no_display):
    answer = run(project)
    assert answer.status == 2
    assert "display" in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("no-such-verb",), "no-such-verb: neither"),
        (("no-such-verb", "p.shdr"), "no-such-verb: neither"),
        (("--no-such-option",), "--no-such-option"),
        (("masks",), "PROJECT"),
        (("evaluate", "p.shdr", "--which", "last"), "--which: is a checkpoint of --run"),
        (("queue", "p.shdr", "--kind", "best"), "'--kind': 'best' is not one of 'safest', 'worth'"),
    ],
)
def test_bad_usage_is_one_sentence_about_what_is_wrong(run, words, named):
    answer = run(*words)
    assert answer.status == 2
    assert len(answer.err.splitlines()) == 1
    assert named in answer.err


def test_stopped_with_ctrl_c_a_verb_says_so_and_leaves_no_half(run, project, tmp_path, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("smarthdr_studio.core.reporting.dataset_export.manifest", stopped)
    answer = run("export-dataset", project, tmp_path / "out")
    assert answer.status == 130
    assert answer.err == "Stopped; what was finished so far stays.\n"
    assert list(tmp_path.iterdir()) == [project]


def test_stopped_before_it_began_a_verb_says_so_too(run, monkeypatch):
    def stopped(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "run", stopped)
    answer = run("doctor")
    assert (answer.status, answer.out) == (130, "")
    assert len(answer.err.splitlines()) == 1


def test_the_version_is_told(run):
    assert re.fullmatch(r"smarthdr-studio \d+\.\d+\.\d+\n", run("--version").out)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--evs", "0,2,nan"), "--evs"),
        (("--evs", "-inf,0,2"), "--evs"),
        (("--evs", "4,2,0"), "is no brighter than"),
        (("--evs", "0,3,6"), "is 2.0 stops brighter than"),
    ],
)
def test_a_merge_believes_no_exposures_that_the_pixels_contradict(
    run, frames, tmp_path, words, named
):
    answer = run("merge", *frames, "-o", tmp_path / "out.exr", *words)
    assert answer.status == 2
    assert named in answer.err
    assert len(answer.err.splitlines()) == 1
    assert not (tmp_path / "out.exr").exists()


def test_one_file_three_times_is_no_bracket(run, frames, tmp_path):
    words = ("-o", tmp_path / "out.exr", "--evs", "0,2,4")
    answer = run("merge", frames[0], frames[0], frames[0], *words)
    assert (answer.status, "1.tif: is given twice" in answer.err) == (2, True)


def test_a_merge_of_frames_without_exposures_measures_them_and_says_so(run, frames, tmp_path):
    for number, path in enumerate(frames):
        (tmp_path / f"{number}.tif").write_bytes(path.read_bytes())
    loose = [tmp_path / f"{number}.tif" for number in range(3)]
    answer = run("merge", *loose, "-o", tmp_path / "out.exr")
    assert "measured by its pixels: 0, 2, 4 EV" in answer.err
    run("merge", *frames, "-o", tmp_path / "told.exr")
    assert (tmp_path / "out.exr").read_bytes() == (tmp_path / "told.exr").read_bytes()


def test_a_merge_finds_the_exposure_file_of_any_layout_beside_its_frames(run, frames, tmp_path):
    scene = tmp_path / "scene"
    scene.mkdir()
    for number, path in enumerate(frames):
        (scene / f"{number}.png").write_bytes(path.read_bytes())
    np.save(scene / "exposures.npy", np.array([-3, -1, 1]))
    beside = [scene / f"{number}.png" for number in range(3)]
    answer = run("merge", *beside, "-o", tmp_path / "out.exr")
    assert (answer.status, "measured" in answer.err) == (0, False)
    run("merge", *frames, "-o", tmp_path / "told.exr", "--evs", "0,2,4")
    assert (tmp_path / "out.exr").read_bytes() == (tmp_path / "told.exr").read_bytes()


def test_a_merge_turns_frames_whose_tags_disagree_by_the_reference_in_any_order(run, tmp_path):
    y, x = np.mgrid[0:40, 0:60]
    scene = np.dstack([x / 60, y / 40, (x + 2 * y) / 140]) * 0.9 + 0.05
    paths = []
    for light, tag in ((1, 6), (1 / 16, 1), (1 / 4, 6)):  # over, under, reference
        values = np.round((scene * light) ** (1 / 2.2) * 65535).astype(np.uint16)
        exif = b"II*\0" + struct.pack("<IHHHIHxxI", 8, 1, 0x0112, 3, 1, tag, 0)
        coded = cv2.imencode(".png", np.ascontiguousarray(np.rot90(values))[..., ::-1])[1].tobytes()
        data = struct.pack(">I", len(exif)) + b"eXIf" + exif
        paths.append(tmp_path / f"{len(paths)}.png")
        paths[-1].write_bytes(
            coded[:33] + data + struct.pack(">I", zlib.crc32(data[4:])) + coded[33:]
        )
    answer = run("merge", *paths, "-o", tmp_path / "out.exr", "--evs", "4,0,2")
    assert answer.status == 0, answer.err
    merged = np.dstack([read_layers(tmp_path / "out.exr")[0][name] for name in "RGB"])
    np.testing.assert_allclose(merged, scene / 16, rtol=2e-3)
