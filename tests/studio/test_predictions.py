"""Predictions asked for while a person walks through scenes: the newest question is answered."""

import threading

import numpy as np
import pytest

from smarthdr_studio.core.display import Layer
from smarthdr_studio.core.errors import CheckpointError
from smarthdr_studio.studio.project import predictions
from smarthdr_studio.studio.project.predictions import ScenePrediction


class Network:
    """Answers as slowly as a test wants, and can be given up."""

    def __init__(self):
        self.asked = []
        self.go = threading.Event()
        self.error = None

    def __call__(self, tell, *, project, scene, who, frames):
        self.asked.append((scene, who))
        while not self.go.wait(0.01):
            tell("asking", 0, 1)
        if self.error:
            raise self.error
        hdr = np.full((96, 128, 3), 0.5, np.float16)
        sigma = np.full((96, 128), 0.01, np.float32)
        return ScenePrediction(who=who, scene=scene, checkpoint="a run", hdr=hdr, sigma=sigma)


@pytest.fixture
def network(monkeypatch):
    """Stands in for the networks of a checkpoint."""
    network = Network()
    monkeypatch.setattr(predictions, "ask", network)
    yield network
    network.go.set()


@pytest.fixture
def looking(session, until, tiny_project):
    """A session that shows a scene."""
    session.take(tiny_project)
    until(session, lambda s: s.shown == "003" and s.clues_known)
    return session


def show_student(session):
    session.inspection.viewing.set_layer(0, Layer.STUDENT)


def student_of(session):
    return session.screen.stage.material.student


def test_a_view_of_the_student_makes_it_be_asked_and_shows_the_answer(looking, until, network):
    network.go.set()
    show_student(looking)
    until(looking, lambda s: student_of(looking) is not None)
    assert network.asked == [("003", "student")]
    assert looking.state.busy == ""


def test_whoever_walks_on_gets_the_answer_for_the_scene_that_is_shown(looking, until, network):
    show_student(looking)
    until(looking, lambda s: len(network.asked) > 0)
    looking.screen.pick("005")
    until(looking, lambda s: ("005", "student") in network.asked)
    network.go.set()
    until(looking, lambda s: student_of(looking) is not None)
    assert looking.screen.stage.scene == "005"


def test_an_answer_is_known_when_its_scene_comes_back(looking, until, network):
    network.go.set()
    show_student(looking)
    until(looking, lambda s: student_of(looking) is not None)
    looking.screen.pick("004")
    until(looking, lambda s: s.shown == "004" and student_of(looking) is not None)
    looking.screen.pick("003")
    until(looking, lambda s: s.shown == "003" and student_of(looking) is not None)
    assert network.asked == [("003", "student"), ("004", "student")]


def test_a_new_round_makes_the_student_be_asked_again(looking, until, network):
    network.go.set()
    show_student(looking)
    until(looking, lambda s: student_of(looking) is not None)
    looking.inspection.round_came()
    looking.screen.pick("004")
    until(looking, lambda s: s.shown == "004" and student_of(looking) is not None)
    looking.screen.pick("003")
    until(looking, lambda s: network.asked.count(("003", "student")) == 2)


def test_a_refusal_is_told_once(looking, until, network):
    network.error = CheckpointError("no run has a checkpoint yet; train first")
    network.go.set()
    show_student(looking)
    until(looking, lambda s: s.notice is not None)
    looking.dismiss()
    looking.inspection.viewing.set_layer(1, Layer.STUDENT)
    until(looking, lambda s: looking.at_rest)
    assert looking.state.notice is None
    assert len(network.asked) == 1


def test_the_teacher_is_asked_about_a_scene_without_a_pseudo_label(looking, until, network):
    network.go.set()
    looking.screen.pick("001")
    until(looking, lambda s: s.shown == "001" and s.clues_known)
    looking.inspection.look_at_evidence(seen=True)
    looking.inspection.measure()
    until(looking, lambda s: s.evidence.shown is not None)
    assert looking.state.retained is not None
    assert looking.screen.stage.material.origin == "teacher's prediction, no label"


def test_waiting_can_be_given_up(looking, until, network):
    show_student(looking)
    until(looking, lambda s: len(network.asked) > 0)
    looking.cancel()
    until(looking, lambda s: looking.at_rest)
    looking.inspection.viewing.set_layer(1, Layer.STUDENT)
    until(looking, lambda s: looking.at_rest)
    assert len(network.asked) == 1
    assert student_of(looking) is None
