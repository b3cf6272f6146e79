"""JSON and TOML of anybody are refused in a clause: no other exception, and never a wait."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from smarthdr_studio.core.datasets.scan import read_labelled
from smarthdr_studio.core.errors import PlanError, StudioError
from smarthdr_studio.core.imaging.exposure import evs_from_exif
from smarthdr_studio.core.imaging.image_files import (
    image_size,
    read_frame,
    read_layers,
    read_radiance,
)
from smarthdr_studio.core.imaging.response import read_response
from smarthdr_studio.core.imaging.shots import read_shot
from smarthdr_studio.core.records import (
    DEEPEST,
    parse_json,
    parse_lines,
    parse_toml,
    read_bytes,
    read_json,
    read_toml,
)
from smarthdr_studio.core.reporting.splits import read_split
from smarthdr_studio.core.training.events import values_in
from smarthdr_studio.core.training.presets import preset_values
from smarthdr_studio.core.training.round_files import open_round_file
from smarthdr_studio.core.training.rounds import read_record
from smarthdr_studio.core.training.run_folder import RunFolder, held_out_checks, last_pace, runs_in
from smarthdr_studio.core.training.run_index import read_digest
from smarthdr_studio.core.training.run_lock import is_at_work
from smarthdr_studio.core.training.run_log import values_of
from smarthdr_studio.core.training.run_start import read_start_state
from smarthdr_studio.core.training.steering import Pause, leave_wish, take_wishes
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics

DEEP = b"[" * 100_000 + b"]" * 100_000
ODD = {
    "deep": DEEP,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a little too deep": b"[" * (DEEPEST + 1) + b"1" + b"]" * (DEEPEST + 1),
    "too large a number": b'{"step": 9' + b"9" * 400 + b"}",
    "far too large a number": b'{"step": 9' + b"9" * 5000 + b"}",
    "no UTF-8": b'{"a": "\xff\xfe"}',
    "nothing": b"",
    "a NUL": b"\0",
}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
@pytest.mark.timeout(120)
def test_a_run_whose_log_is_a_pipe_is_not_waited_for(tmp_path):
    run = RunFolder(tmp_path)
    os.mkfifo(run.events_path)
    assert held_out_checks(run) == ()
    assert last_pace(run) is None


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_odd_json_is_a_value_error_that_quotes_nothing(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"\S") as refused:
        read_json(path)
    assert len(str(refused.value)) < 300
    assert not isinstance(refused.value, RecursionError)


def test_what_is_deep_but_not_too_deep_is_read():
    text = "[" * DEEPEST + "]" * DEEPEST
    assert json.dumps(parse_json(text), separators=(",", ":")) == text
    assert parse_json("[9223372036854775807, -9223372036854775808]") == [2**63 - 1, -(2**63)]


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 50_000 + "]" * 50_000, "a = 1" + "0" * 60, "a = 1" + "0" * 6000, "="]
)
def test_odd_toml_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"\S") as refused:
        parse_toml(text)
    assert len(str(refused.value)) < 300


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text("a = 1")
    assert read_toml(path) == {"a": 1}
    with pytest.raises(ValueError, match="more than the 4"):
        read_bytes(path, most=4)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(ValueError, match="no plain file"):
        read_json(tmp_path / "a.json")
    run = tmp_path / "run"
    (run / "wishes").mkdir(parents=True)
    os.mkfifo(run / "wishes" / "0.json")
    leave_wish(run, Pause())
    assert take_wishes(run) == (Pause(),)
    assert take_wishes(run) == ()


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_odd_wishes_neither_end_a_training_nor_stay(tmp_path, content):
    run = tmp_path / "run"
    (run / "wishes").mkdir(parents=True)
    (run / "wishes" / "0.json").write_bytes(content)
    leave_wish(run, Pause())
    assert take_wishes(run) == (Pause(),)
    assert take_wishes(run) == ()


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_a_run_with_odd_files_is_listed(tmp_path, content):
    run = RunFolder(tmp_path / "20260101-000000-odd")
    run.path.mkdir()
    for path in (run.plan_path, run.events_path, run.start_path, run.path / "digest.json"):
        path.write_bytes(content)
    (run.path / "at-work.json").write_bytes(content)
    assert [each.id for each in runs_in(tmp_path)] == [run.id]
    assert not is_at_work(run.path)
    assert read_start_state(run).promoted == {}
    read_digest(run)


def test_a_line_of_a_log_that_is_nested_too_deep_costs_that_line():
    good = b'{"event": "StepDone", "step": 1}'
    log = good + b"\n" + b'{"event": ' + DEEP + b"}\n" + good + b"\n"
    assert [each["step"] for each in values_in(log)] == [1, 1]
    assert [each["step"] for each in values_of(log)] == [1, 1]
    with pytest.raises(ValueError, match="nested"):
        parse_lines(DEEP)


@pytest.mark.parametrize("text", ["a = " + "[" * 50_000, "schedule.epochs = 1" + "0" * 60])
def test_a_plan_that_is_nested_too_deep_or_holds_absurd_numbers_is_refused_by_name(tmp_path, text):
    plan = tmp_path / "mine.toml"
    plan.write_text(text)
    with pytest.raises(PlanError, match=r"mine\.toml"):
        preset_values(str(plan))


def pipe_at(path):
    os.mkfifo(path)
    return path


PLACES = {
    "a pipe": pipe_at,
    "a device": lambda _: Path("/dev/zero"),
    "a folder": lambda path: path.mkdir() or path,
}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize(
    "read",
    [
        read_frame,
        read_radiance,
        read_layers,
        image_size,
        read_shot,
        read_labelled,
        read_response,
        lambda path: read_split(path, SimpleNamespace(scenes=(), dataset=path)),
        read_record,
        open_round_file,
        SceneStatistics.load,
        lambda path: evs_from_exif([path]),
    ],
)
def test_where_a_file_should_be_nothing_else_is_waited_for(tmp_path, read, place):
    path = place(tmp_path / "a.txt")
    with pytest.raises(StudioError, match=str(path)) as refused:
        read(path)
    assert "\n" not in str(refused.value)
