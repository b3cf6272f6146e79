"""Slow looks at a project: predictions, past rounds, clues and evidence, each to be given up."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from made_models import UNTRAINED, leave_untrained

from smarthdr_studio.core.errors import CheckpointError, LabelError, ProjectError
from smarthdr_studio.core.imaging.bracket import FrameStore
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.round_files import SceneLabel, round_path, write_round
from smarthdr_studio.core.training.round_history import strip_now
from smarthdr_studio.core.training.rounds import (
    RECORDED_BINS,
    RoundRecord,
    history_path,
    write_record,
)
from smarthdr_studio.core.training.run_folder import RunFolder
from smarthdr_studio.core.trust.masking import MaskSettings, Range
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.learning.checkpoints import latest_checkpoint
from smarthdr_studio.learning.inference import run_predictor
from smarthdr_studio.learning.model_files import load_predictor
from smarthdr_studio.studio.project import predictions
from smarthdr_studio.studio.project.predictions import (
    ask,
    forget,
    read_replay,
    read_run_history,
    strip_of_now,
)
from smarthdr_studio.studio.tasks import Cancelled

pytestmark = pytest.mark.usefixtures("nothing_predicted_before")
MASKS = MaskSettings(patch_size=32)


class Told:
    """What a job told; raises as a cancelled task does at its word number `until`."""

    def __init__(self, until=None):
        self.words, self.until = [], until

    def __call__(self, text, done, total):
        if len(self.words) == self.until:
            raise Cancelled
        self.words.append((text, done, total))


@pytest.fixture
def trained(tiny_project):
    """The tiny project with a checkpoint of networks that learned nothing."""
    leave_untrained(tiny_project)
    return tiny_project


@pytest.fixture
def loads(monkeypatch):
    """Which weights are loaded, one entry each time."""
    from smarthdr_studio.learning import model_files as module

    real, seen = module.load_model, []

    def load(model, *, part):
        seen.append((model.name, part))
        return real(model, part=part)

    monkeypatch.setattr(module, "load_model", load)
    return seen


@pytest.mark.parametrize("who", ["student", "teacher"])
def test_asking_answers_what_the_newest_checkpoint_says(trained, who):
    leave_untrained(trained, step=40, seed=1)
    frames, tell = FrameStore(), Told()
    answer = ask(tell, project=trained, scene="001", who=who, frames=frames)
    assert (answer.who, answer.scene, answer.checkpoint) == (who, "001", f"{UNTRAINED}, step 40")
    with Project.open(trained) as project:
        scene = project.scene("001")
    hdr, sigma = run_predictor(
        load_predictor(latest_checkpoint(trained), who=who, frames=frames), scene
    )
    np.testing.assert_array_equal(answer.hdr, hdr)
    np.testing.assert_array_equal(answer.sigma, sigma)
    assert tell.words[-1] == (f"asking the {who}", 6, 6)


def test_a_walk_through_scenes_loads_the_weights_once(trained, loads):
    for scene in ("001", "002", "Test-007"):
        ask(Told(), project=trained, scene=scene, who="teacher", frames=FrameStore())
    assert loads == [("step-00000005", "teacher")]
    ask(Told(), project=trained, scene="001", who="student", frames=FrameStore())
    assert loads[1:] == [("step-00000005", "student")]
    ask(Told(), project=trained, scene="001", who="teacher", frames=FrameStore())
    assert loads[2:] == [("step-00000005", "teacher")]  # one network is kept, not two


def test_two_who_ask_at_once_load_the_weights_once(trained, loads):
    def answer(scene):
        return ask(Told(), project=trained, scene=scene, who="teacher", frames=FrameStore())

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(answer, ("001", "002"))
    assert (first.scene, second.scene) == ("001", "002")
    assert len(loads) == 1


def test_a_newer_checkpoint_of_other_weights_is_loaded(trained, loads):
    first = ask(Told(), project=trained, scene="001", who="teacher", frames=FrameStore())
    leave_untrained(trained, seed=7)  # the same step in another past
    second = ask(Told(), project=trained, scene="001", who="teacher", frames=FrameStore())
    assert len(loads) == 2
    assert (first.hdr != second.hdr).any()


def test_a_forgotten_network_is_let_go_and_loaded_again_when_asked(trained, loads):
    ask(Told(), project=trained, scene="001", who="teacher", frames=FrameStore())
    assert predictions._shelf._held is not None
    forget()
    assert predictions._shelf._held is None
    ask(Told(), project=trained, scene="001", who="teacher", frames=FrameStore())
    assert len(loads) == 2


def test_a_network_forgotten_while_it_is_loaded_is_not_kept(trained, monkeypatch):
    from smarthdr_studio.learning import model_files as module

    real = module.load_model

    def load(*args, **words):
        answer = real(*args, **words)
        forget()
        return answer

    monkeypatch.setattr(module, "load_model", load)
    answer = ask(Told(), project=trained, scene="001", who="teacher", frames=FrameStore())
    assert answer.hdr.shape == (96, 128, 3)
    assert predictions._shelf._held is None


@pytest.mark.parametrize("until", [0, 1, 2, 4])
def test_a_question_is_given_up_at_any_word(trained, until):
    with pytest.raises(Cancelled):
        ask(Told(until), project=trained, scene="001", who="teacher", frames=FrameStore())
    assert torch.is_grad_enabled()
    answer = ask(Told(), project=trained, scene="001", who="teacher", frames=FrameStore())
    assert np.isfinite(answer.sigma).all()


def test_without_a_checkpoint_or_a_scene_the_remedy_is_named(tiny_project):
    with pytest.raises(CheckpointError, match="no run has a checkpoint yet; train first"):
        ask(Told(), project=tiny_project, scene="001", who="teacher", frames=FrameStore())
    with pytest.raises(ProjectError, match="no such scene"):
        ask(Told(), project=tiny_project, scene="zebra", who="teacher", frames=FrameStore())


def _sigma(seed):
    return np.random.default_rng(seed).lognormal(-4, 0.7, (96, 128)).astype(np.float32)


def _rounds(folder, *numbers, scenes=("003", "004"), run=UNTRAINED):
    """Records and maps of rounds whose σ is `_sigma(number)` in every scene."""
    place = folder / "runs" / run
    for number in numbers:
        sigma = _sigma(number)
        statistics = SceneStatistics.of(sigma, size=32).coarser(RECORDED_BINS)
        kept = RoundRecord(
            round=number,
            step=number,
            epoch=number,
            masks=MASKS,
            patch_range=Range(0.0, 0.1),
            pixel_range=None,
            statistics=dict.fromkeys(scenes, statistics),
            retained=dict.fromkeys(scenes, number / 10),
            columns=dict.fromkeys(scenes, 4),
        )
        write_record(history_path(place, number), kept)
        label = SceneLabel(
            hdr=np.full((96, 128, 3), number / 10, np.float16),
            sigma=sigma.astype(np.float16),
            trusted=sigma < 0.02,
        )
        write_round(round_path(place, number=number), dict.fromkeys(scenes, label))
    return RunFolder(place)


def test_the_history_is_that_of_the_newest_run_that_has_records(tiny_project):
    assert read_run_history(Told(), project=tiny_project, known=None) is None
    _rounds(tiny_project, 1, 2, run="20250101-000000-old")
    _rounds(tiny_project, 3, 4, 5)
    (tiny_project / "runs" / "20270101-000000-warm-up").mkdir()
    tell = Told()
    history = read_run_history(tell, project=tiny_project, known=None)
    assert history.run == UNTRAINED
    assert [record.round for record in history.records] == [3, 4, 5]
    np.testing.assert_allclose(history.shares, [[0.3, 0.4, 0.5]] * 2)
    assert history.replayable == {3, 4, 5}
    assert [word[1:] for word in tell.words] == [(0, 0), (0, 3), (1, 3), (2, 3)]
    again = read_run_history(Told(), project=tiny_project, known=history)
    assert again.records[2] is history.records[2]
    with pytest.raises(Cancelled):
        read_run_history(Told(2), project=tiny_project, known=history)


def test_a_past_round_is_replayed_as_it_was_used(tiny_project):
    run = _rounds(tiny_project, 3)
    replay = read_replay(run_folder=run, round=3, scene="004")
    np.testing.assert_array_equal(replay.hdr, np.full((96, 128, 3), 0.3, np.float16))
    np.testing.assert_array_equal(replay.sigma, _sigma(3).astype(np.float16))
    np.testing.assert_array_equal(replay.trusted, _sigma(3) < 0.02)
    assert replay.sigma.dtype == np.float32
    round_path(run.path, number=3).write_bytes(b"another file altogether")
    assert replay.hdr[0, 0, 0] == np.float16(0.3)  # nothing hangs on the file
    with pytest.raises(LabelError, match="cannot be read"):
        read_replay(run_folder=run, round=3, scene="004")
    round_path(run.path, number=3).unlink()
    assert read_replay(run_folder=run, round=3, scene="004") is None
    _rounds(tiny_project, 3)
    assert read_replay(run_folder=run, round=3, scene="001") is None
    assert read_replay(run_folder=run, round=3, scene="003") is not None


def test_the_strip_of_now_names_its_run_rounds_and_scenes(tiny_project):
    _rounds(tiny_project, 1, 2, 3)
    history = read_run_history(Told(), project=tiny_project, known=None)
    strip = strip_of_now(Told(), history=history, masks=MASKS)
    assert (strip.run, strip.rounds, strip.scenes) == (UNTRAINED, (1, 2, 3), ("003", "004"))
    assert strip.now
    np.testing.assert_array_equal(strip.shares, strip_now(history, MASKS))
    with pytest.raises(Cancelled):
        strip_of_now(Told(1), history=history, masks=MASKS)
