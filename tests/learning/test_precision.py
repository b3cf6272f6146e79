"""Bfloat16 where a processor has it and a trial wins by enough; a run stays with what it began in.

The clock of every trial is made up: nothing is measured here.
"""

import itertools
import json
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import torch

from smarthdr_studio.core import environment
from smarthdr_studio.core.imaging.bracket import FrameStore
from smarthdr_studio.core.training.diary import diary_of
from smarthdr_studio.core.training.events import RunStarted, StepReported
from smarthdr_studio.core.training.run_folder import RunFolder, checkpoints_of
from smarthdr_studio.core.training.run_log import rare_events
from smarthdr_studio.learning import compute as choosing
from smarthdr_studio.learning import estimate as estimating
from smarthdr_studio.learning import run_setup, saved_state
from smarthdr_studio.learning.checkpoints import latest_checkpoint, load_state
from smarthdr_studio.learning.compute import (
    DeviceError,
    choose_by_trial,
    has_bfloat16_arithmetic,
    measured_gain,
    precision_to_predict,
    time_prediction,
    training_shapes,
)
from smarthdr_studio.learning.estimate import estimate
from smarthdr_studio.learning.event_log import run_started
from smarthdr_studio.learning.mean_teacher import ForwardPass, MeanTeacher
from smarthdr_studio.learning.model_files import load_model, load_predictor
from smarthdr_studio.learning.networks import build_network
from smarthdr_studio.learning.run_setup import open_run, prepare_run, settle_precision
from smarthdr_studio.learning.trainer import train

CPU = torch.device("cpu")
SHAPES = ((1, 32), (1, 128), (8, 128))
NO_ARITHMETIC = "this processor has no bfloat16 arithmetic"


class MadeUpTimer:
    """Tells what passes take from what they would cost for each pixel, and remembers all it told.

    `gains` is how many times as fast bfloat16 is, for all shapes or by shape; the first pass of a
    shape in a precision takes `first` times as long.
    """

    def __init__(self, gains=1.0, *, pixel=1e-7, first=1.0):
        self.gains, self.pixel, self.first = gains, pixel, first
        self.told = []

    def __call__(self, precision, shape):
        gain = self.gains[shape] if isinstance(self.gains, dict) else self.gains
        seconds = self.pixel * shape[0] * shape[1] ** 2
        if precision is torch.bfloat16:
            seconds /= gain
        if (precision, shape) not in [told[:2] for told in self.told]:
            seconds *= self.first
        self.told.append((precision, shape, seconds))
        return seconds

    @property
    def shapes(self):
        return [shape for shape, _ in itertools.groupby(told[1] for told in self.told)]

    @property
    def spent(self):
        return sum(told[2] for told in self.told)


def _never(*_):
    raise AssertionError("nothing was to be tried")


@pytest.fixture
def processor(tmp_path, monkeypatch):
    """The system tells these lines of its processor."""

    def plant(*lines):
        path = tmp_path / "cpuinfo"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        monkeypatch.setattr(environment, "_PROCESSORS", path)

    return plant


@pytest.fixture
def fast(processor, monkeypatch):
    """A processor with bfloat16 arithmetic on which the passes of a run take what a timer says."""

    def plant(timer):
        processor("flags : fpu avx512_bf16")
        monkeypatch.setattr(ForwardPass, "time_pass", lambda _, *pass_: timer(*pass_))
        return timer

    return plant


@pytest.fixture
def slow(processor, monkeypatch):
    """Another machine, without bfloat16 arithmetic, on which nothing is tried."""

    def plant():
        processor("flags : fpu avx2")
        monkeypatch.setattr(ForwardPass, "time_pass", _never)

    return plant


@pytest.fixture
def short(make_plan):
    """Two epochs of one step on labels alone, and nothing but steps."""
    return make_plan(
        held_out=0,
        batch={"labelled": 1, "unlabelled": 0},
        schedule={"epochs": 2, "warmup_epochs": 0, "steps_per_epoch": 1},
    )


@pytest.mark.parametrize(
    ("lines", "has"),
    [
        (("processor\t: 0", "flags\t\t: fpu avx512f avx512_bf16"), True),
        (("flags : fpu amx_bf16 amx_tile",), True),
        (("Features\t: fp asimd bf16",), True),
        (("flags : fpu avx2 avx512f f16c",), False),
        (("Features : fp asimd asimdhp",), False),
        (("flags : fpu avx2", "flags : fpu avx512_bf16"), False),  # the first stands for all
    ],
)
def test_a_processor_is_known_by_its_flags(processor, lines, has):
    processor(*lines)
    assert has_bfloat16_arithmetic() is has


@pytest.mark.parametrize("has", [True, False])
def test_torch_is_asked_where_the_system_does_not_tell(monkeypatch, has):
    monkeypatch.setattr(environment, "_PROCESSORS", Path("not there"))
    told = {"avx2": True, "amx_bf16": has, "cpu_name": "bf16"}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told, raising=False)
    assert has_bfloat16_arithmetic() is has
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert not has_bfloat16_arithmetic()


def test_without_the_arithmetic_nothing_is_tried(processor):
    processor("flags : fpu avx2")
    choice = choose_by_trial(_never, SHAPES)
    assert (choice.precision, choice.why) == (torch.float32, NO_ARITHMETIC)


@pytest.mark.parametrize(
    ("gain", "wins"), [(0.05, False), (1.0, False), (1.19, False), (1.21, True), (2.3, True)]
)
def test_bfloat16_wins_by_a_fifth_or_not_at_all(processor, gain, wins):
    processor("flags : avx512_bf16")
    choice = choose_by_trial(MadeUpTimer(gain), SHAPES)
    assert choice.precision is (torch.bfloat16 if wins else torch.float32)
    assert choice.why == f"in a short trial bfloat16 was {gain:.2f} times as fast as float32"


def test_a_trial_that_fails_speaks_for_float32_and_says_why(processor):
    processor("flags : avx512_bf16")

    def fail(precision, shape):
        raise RuntimeError("could not create a primitive\nand more")

    choice = choose_by_trial(fail, SHAPES)
    assert choice.precision is torch.float32
    assert choice.why == "bfloat16 fails here (could not create a primitive)"


def test_the_largest_crops_there_is_time_for_decide():
    gains = {(1, 32): 0.5, (1, 128): 1.5, (8, 128): 3.0}
    quick = MadeUpTimer(gains, pixel=1e-7)
    assert measured_gain(quick, SHAPES) == pytest.approx(3.0)
    assert quick.shapes == list(SHAPES)
    # 8 crops of 128² would take 26 s for a pair, 1 crop 3.3 s: only 32² can be repeated in 4 s.
    patient = MadeUpTimer(gains, pixel=2e-4)
    assert measured_gain(patient, SHAPES) == pytest.approx(0.5)
    assert patient.shapes == [(1, 32)]


@pytest.mark.parametrize("gain", [0.05, 1.0, 2.0])
@pytest.mark.parametrize("exponent", range(-9, -3))
def test_a_trial_keeps_to_four_seconds(gain, exponent):
    timer = MadeUpTimer(gain, pixel=10.0**exponent)
    assert measured_gain(timer, SHAPES) == pytest.approx(gain)
    smallest_pair = 10.0**exponent * 32**2 * (1 + 1 / gain)
    assert timer.spent <= max(4.0, smallest_pair)


def test_a_trial_computes_on_one_thread_and_waiting_costs_nothing(request):
    request.addfinalizer(partial(torch.set_num_threads, torch.get_num_threads()))
    torch.set_num_threads(2)
    threads = []

    def sleep(*_frames):
        threads.append(torch.get_num_threads())
        time.sleep(0.05)

    gain = measured_gain(partial(time_prediction, sleep), SHAPES[:1])
    assert set(threads) == {1}
    assert torch.get_num_threads() == 2
    assert time_prediction(sleep, torch.float32, SHAPES[0]) < 0.05
    assert gain > 0


def test_the_first_pass_of_each_kind_does_not_count():
    timer = MadeUpTimer(2.0, pixel=1e-8, first=50.0)
    timer.told += [(torch.float32, shape, 0.0) for shape in SHAPES]  # these were taken before
    assert measured_gain(timer, SHAPES) == pytest.approx(2.0)


def test_a_pass_too_long_to_be_repeated_is_better_than_none_but_not_than_a_smaller_one():
    timer = MadeUpTimer(2.0, pixel=3e-3)
    assert measured_gain(timer, SHAPES) == pytest.approx(2.0)
    assert len(timer.told) == 2
    # Expected to fit, but the first pass of the larger crops takes unforeseen long.
    gains = {(1, 32): 1.5, (1, 128): 0.001, (8, 128): 0.001}
    assert measured_gain(MadeUpTimer(gains, pixel=1e-6), SHAPES) == pytest.approx(1.5)


def test_a_trial_takes_the_crops_of_the_plan(make_plan):
    sizes = {"crop": 128, "labelled": 8, "unlabelled": 7}
    assert training_shapes(make_plan(batch=sizes)) == ((1, 32), (1, 128), (15, 128))
    parts = make_plan(batch=sizes, compute={"accumulate": 2})
    assert training_shapes(parts)[-1] == (8, 128)
    assert training_shapes(make_plan(batch={"crop": 16}))[0] == (1, 16)


def _outcome(project, events):
    network, _ = load_model(latest_checkpoint(project))
    losses = [event.losses for event in events if isinstance(event, StepReported)]
    return losses, network.state_dict()


def _same(found, wanted):
    assert found[0] == wanted[0]
    assert all(torch.equal(found[1][name], wanted[1][name]) for name in wanted[1])


def _started(events):
    (started,) = [event for event in events if isinstance(event, RunStarted)]
    return started


def _begun(plan, project, *, resume=None):
    """The events of a run closed after its first step."""
    events = []
    with closing(train(plan, project, resume=resume)) as running:
        for event in running:
            events.append(event)
            if isinstance(event, StepReported):
                break
    return events


def _the_run(project):
    (run,) = (project / "runs").iterdir()
    return RunFolder(run)


def test_where_float32_wins_a_run_is_bit_for_bit_what_it_is_untried(
    make_project, tmp_path, make_plan, fast, monkeypatch
):
    plan, real = make_plan(), ForwardPass.time_pass
    untried = make_project(tmp_path / "untried")
    wanted = _outcome(untried, list(train(plan, untried)))
    timer = MadeUpTimer(1.1)

    def really_passing(self, precision, shape):
        real(self, precision, (1, 16))
        return timer(precision, shape)

    fast(timer)
    monkeypatch.setattr(ForwardPass, "time_pass", really_passing)
    tried = make_project(tmp_path / "tried")
    events = list(train(plan, tried))
    assert timer.shapes == [(1, 16), (1, 32), (4, 32)]
    assert _started(events).precision == "float32"
    _same(_outcome(tried, events), wanted)


def test_a_timed_pass_leaves_no_trace(make_plan):
    torch.manual_seed(3)
    learner = MeanTeacher(make_plan(), device=CPU, precision=torch.float32, perceptual=None)
    weights = {name: value.clone() for name, value in learner.student.state_dict().items()}
    chance = torch.get_rng_state()
    for precision in (torch.float32, torch.bfloat16):
        assert learner.computation.time_pass(precision, (2, 16)) > 0
    assert torch.equal(torch.get_rng_state(), chance)
    assert all(weight.grad is None for weight in learner.student.parameters())
    assert all(torch.equal(value, weights[n]) for n, value in learner.student.state_dict().items())
    assert learner.computation.precision is torch.float32


def test_what_was_chosen_and_why_is_told_once_and_kept(project, short, fast):
    fast(MadeUpTimer(2.0))
    told = _started(_begun(short, project))
    why = "in a short trial bfloat16 was 2.00 times as fast as float32"
    assert (told.precision, told.precision_why) == ("bfloat16", why)
    run = _the_run(project)
    (checkpoint,) = checkpoints_of(run.path)
    kept = {"precision": "bfloat16", "device": "cpu", "wish": "auto"}
    assert load_state(checkpoint)["precision"] == kept
    assert json.loads(run.start_path.read_text(encoding="utf-8"))["precision"] == kept
    list(train(short, project, resume=run.id))
    lines = [line.text for line in diary_of(rare_events(run))]
    assert lines[0].endswith(f"3 labels; computes in bfloat16: {why}")
    assert sum("computes in" in line for line in lines) == 1


def test_student_and_teacher_compute_in_what_was_chosen(project, make_plan, fast):
    fast(MadeUpTimer(2.0))
    run, _ = open_run(make_plan(), project, resume=None)
    assert run.learner.computation.precision is torch.bfloat16
    assert run.predictor.precision is torch.bfloat16
    assert run.predictor.asking(2).precision is torch.bfloat16


def test_begun_in_bfloat16_a_run_goes_on_so_where_a_processor_has_none(
    make_project, tmp_path, short, fast, slow
):
    fast(MadeUpTimer(2.0))
    whole = make_project(tmp_path / "whole")
    wanted = _outcome(whole, list(train(short, whole)))
    moved = make_project(tmp_path / "moved")
    first = _begun(short, moved)
    slow()
    second = list(train(short, moved, resume=_the_run(moved).id))
    told = _started(second)
    assert told.precision == "bfloat16"
    assert "although this processor has no bfloat16 arithmetic" in told.arithmetic
    _same(_outcome(moved, first + second), wanted)


def test_begun_in_float32_a_run_goes_on_so_where_a_trial_would_win(
    make_project, tmp_path, short, fast, slow
):
    slow()
    whole = make_project(tmp_path / "whole")
    events = list(train(short, whole))
    assert _started(events).arithmetic == f"computes in float32: {NO_ARITHMETIC}"
    wanted = _outcome(whole, events)
    moved = make_project(tmp_path / "moved")
    first = _begun(short, moved)
    timer = fast(MadeUpTimer(9.0))
    second = list(train(short, moved, resume=_the_run(moved).id))
    assert (_started(second).precision, _started(second).arithmetic) == ("float32", "")
    assert timer.told == []
    _same(_outcome(moved, first + second), wanted)


def test_a_checkpoint_of_an_older_version_goes_on_in_float32(project, short, fast, monkeypatch):
    real = saved_state.state_of

    def of_old(run):
        return {name: value for name, value in real(run).items() if name != "precision"}

    monkeypatch.setattr(saved_state, "state_of", of_old)
    _begun(short, project)
    monkeypatch.setattr(saved_state, "state_of", real)
    timer = fast(MadeUpTimer(9.0))
    told = _started(list(train(short, project, resume=_the_run(project).id)))
    assert (told.precision, told.arithmetic, timer.told) == ("float32", "", [])


@pytest.mark.parametrize(
    ("kept", "precision"), [(True, "bfloat16"), (False, "float32")], ids=["kept", "an older run"]
)
def test_killed_before_its_first_checkpoint_a_run_begins_in_the_same_precision(
    project, short, fast, kept, precision
):
    fast(MadeUpTimer(2.0))
    _, folder = open_run(short, project, resume=None)  # and no step was saved
    told = json.loads(folder.start_path.read_text(encoding="utf-8"))
    if not kept:
        del told["precision"]
        folder.start_path.write_text(json.dumps(told), encoding="utf-8")
    fast(MadeUpTimer(1.0 if kept else 9.0))
    run, _ = open_run(short, project, resume=folder.id)
    assert run_started(run, folder).precision == precision
    again = json.loads(folder.start_path.read_text(encoding="utf-8"))
    assert again["precision"]["precision"] == precision


def test_an_unreadable_start_is_that_of_an_older_run(project, short, fast):
    _, folder = open_run(short, project, resume=None)
    folder.start_path.write_text("[", encoding="utf-8")
    fast(MadeUpTimer(9.0))
    run, _ = open_run(short, project, resume=folder.id)
    assert run.predictor.precision is torch.float32


def test_a_plan_that_says_what_it_wants_is_not_tried_and_not_told(project, make_plan, slow):
    slow()
    for wish, wanted in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        run, folder = open_run(make_plan(precision=wish), project, resume=None)
        assert run.predictor.precision is run.learner.computation.precision is wanted
        assert run_started(run, folder).arithmetic == ""


@pytest.mark.parametrize(
    "record",
    [
        {"wish": "float32", "device": "cpu", "precision": "float32"},
        {"wish": "auto", "device": "cuda", "precision": "float32"},
        {"wish": "auto", "device": "cpu", "precision": "float8"},
        None,
    ],
    ids=["wished for", "of a GPU", "unknown", "not there"],
)
def test_what_was_not_chosen_for_a_processor_is_chosen_anew(project, make_plan, fast, record):
    timer = fast(MadeUpTimer(2.0))
    run = prepare_run(make_plan(), project)
    settle_precision(run, before={"precision": record})
    assert run.predictor.precision is torch.bfloat16
    assert timer.told


def test_processes_that_train_together_take_what_is_faster_for_all(
    project, make_plan, fast, monkeypatch
):
    fast(MadeUpTimer(2.0))
    run = prepare_run(make_plan(), project)
    monkeypatch.setattr(run.ranks, "shared", lambda own: [own, "bfloat16"])
    settle_precision(run)
    assert run.predictor.precision is torch.bfloat16
    monkeypatch.setattr(run.ranks, "shared", lambda own: [own, "float32"])
    settle_precision(run)
    assert run.learner.computation.precision is run.predictor.precision is torch.float32
    assert run.precision_why == "bfloat16 is not faster in every process of the run"


def test_an_estimate_is_of_the_precision_the_run_would_have(project, short, fast, monkeypatch):
    monkeypatch.setattr(estimating, "_STEPS_S", 0.02)
    fast(MadeUpTimer(2.0))
    *_, told = estimate(short, project)
    assert told.precision == "bfloat16"


@pytest.fixture
def predicting(processor, monkeypatch):
    """A processor with bfloat16 arithmetic in a process that has not predicted anything yet."""
    timer = MadeUpTimer(2.0)
    processor("flags : avx512_bf16")
    monkeypatch.setattr(choosing, "_predicting", {})
    monkeypatch.setattr(choosing, "time_prediction", lambda _, *pass_: timer(*pass_))
    return timer


def test_to_predict_a_network_is_tried_once_in_a_process_forward_only(predicting):
    network = build_network("light").eval()
    for _ in range(2):
        chosen = precision_to_predict(network, device=CPU, wish="auto", tile=256)
        assert chosen is torch.bfloat16
        assert predicting.shapes == [(1, 64), (1, 256)]
    predicting.gains = 1.0
    assert precision_to_predict(network, device=CPU, wish="auto", tile=96) is torch.float32


def test_a_wish_or_another_device_needs_no_trial(predicting):
    network = build_network("light").eval()
    assert precision_to_predict(network, device=CPU, wish="float32", tile=96) is torch.float32
    mps = torch.device("mps")
    assert precision_to_predict(network, device=mps, wish="auto", tile=96) is torch.float32
    with pytest.raises(DeviceError, match="not used on mps"):
        precision_to_predict(network, device=mps, wish="bfloat16", tile=96)
    assert predicting.told == []


def test_whoever_loads_a_network_to_predict_has_it_tried(project, short, predicting, monkeypatch):
    monkeypatch.setattr(run_setup, "settle_precision", lambda *_, **__: None)
    _begun(short, project)
    predictor = load_predictor(_the_run(project).path, device="cpu", frames=FrameStore())
    assert predictor.precision is torch.bfloat16
    assert predicting.shapes == [(1, 24), (1, 96)]


def test_a_prediction_that_is_timed_draws_no_random_number():
    network, chance = build_network("light").eval(), torch.get_rng_state()
    for precision in (torch.float32, torch.bfloat16):
        assert time_prediction(network, precision, (1, 16)) > 0
    assert torch.equal(torch.get_rng_state(), chance)
