"""A pipe where a file belongs is refused in a sentence: whoever opens it would wait for ever."""

import os

import pytest

from smarthdr_studio.core.errors import CheckpointError, DeviceError, ProjectError
from smarthdr_studio.core.records import NoPlainFile, open_to_append
from smarthdr_studio.core.training.plan import TrainingPlan
from smarthdr_studio.core.training.run_folder import new_run
from smarthdr_studio.core.training.run_lock import is_at_work
from smarthdr_studio.learning.event_log import RunLog
from smarthdr_studio.learning.failures import explain_failure
from smarthdr_studio.learning.networks import build_network
from smarthdr_studio.learning.networks.weights import load_weights
from smarthdr_studio.learning.perceptual import load_perceptual_loss
from smarthdr_studio.learning.run_setup import open_run

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names"),
    pytest.mark.timeout(60),
]

RUN = ["events.jsonl", "at-work.json", "plan.toml", "start.json", "digest.json", "note.txt"]


@pytest.fixture
def pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


@pytest.mark.parametrize("name", RUN)
def test_a_run_with_a_pipe_in_it_is_not_gone_on_with(tmp_path, name):
    run = new_run(tmp_path, "quick").path
    os.mkfifo(run / name)
    refused = rf"{name}: is a pipe where a file belongs; move it away, or mend the project with: "
    with pytest.raises(ProjectError, match=refused):
        open_run(TrainingPlan(), tmp_path, resume=run.name)
    assert not is_at_work(run)


def test_the_log_of_a_run_is_not_written_into_a_pipe(tmp_path):
    run = new_run(tmp_path, "quick").path
    os.mkfifo(run / "events.jsonl")
    with pytest.raises(NoPlainFile) as caught:
        RunLog(run, step=0)
    told = explain_failure(caught.value, run=run.name, folder=run)
    assert str(told) == (
        f"{run / 'events.jsonl'}: is no plain file; move it away and resume {run.name}"
    )


def test_what_is_appended_comes_behind_what_was_there(tmp_path):
    for word in (b"one", b"two"):
        with open_to_append(tmp_path / "log") as log:
            log.write(word)
    assert (tmp_path / "log").read_bytes() == b"onetwo"


def test_weights_are_not_waited_for_where_they_are_a_pipe(pipe):
    with pytest.raises(DeviceError, match=r"pipe: is no plain file of VGG-16 weights; set loss\."):
        load_perceptual_loss(pipe)
    with pytest.raises(CheckpointError, match="pipe: cannot be read as weights"):
        load_weights(build_network("light"), pipe)
