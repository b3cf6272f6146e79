"""No verb speaks to anybody over a network, and what it loads keeps nothing about this machine."""

import json
import os
import subprocess
import sys

import pytest

VERBS = """
import json, sys

asked = []


def listen(event, details):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"):
        asked.append(f"{event} {details[1:]}")


sys.addaudithook(listen)
from smarthdr_studio.cli import main

project, folder = sys.argv[1:]
tiny = (
    "schedule.epochs=1", "schedule.warmup_epochs=0", "schedule.steps_per_epoch=1",
    "network.name=light", "batch.crop=32", "batch.stride=32", "batch.labelled=1",
    "batch.unlabelled=1", "loss.perceptual_weight=0", "held_out=1", "device=cpu",
)
statuses = {}
for words in (
    ["sample", f"{folder}/s", "--scenes", "2", "--size", "64x64"],
    ["doctor"],
    ["train", project, *(part for each in tiny for part in ("--set", each))],
    ["label", project],
    ["masks", project],
    ["promote", project, "003"],
    ["evaluate", project],
    ["scenes", project],
    ["report", project, f"{folder}/r.html"],
    ["export-split", project, f"{folder}/s.json"],
    ["export-journal", project, f"{folder}/j.csv"],
    ["export-dataset", project, f"{folder}/curated"],
    ["runs", "list", project],
    ["doctor", project],
):
    statuses[" ".join(words[:2])] = main(words)
from importlib.util import find_spec
from pathlib import Path

if all(map(find_spec, ("onnx", "onnxruntime", "onnxscript"))):
    (run,) = Path(project, "runs").iterdir()
    words = ["runs", "export", project, run.name, "--as", "onnx", "--out", f"{folder}/m.onnx"]
    statuses["onnx"] = main(words)
print(json.dumps({"asked": asked, "statuses": statuses}))
"""


@pytest.mark.slow
def test_no_verb_opens_a_connection_and_nothing_is_kept_about_the_machine(project, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "OMP_NUM_THREADS": "1"}
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "ORT_DISABLE_TELEMETRY"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-c", VERBS, str(project), str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["asked"] == []
    kept = [path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()]
    assert [name for name in kept if "onnx" in name.lower() or "device" in name.lower()] == []
    assert {name: status for name, status in told["statuses"].items() if status not in (0, 2)} == {}
    assert told["statuses"]["train " + str(project)] == 0, done.stderr
