"""What a report shows of one scene: its arrays for the painter, figures, and what is wrong."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

import numpy as np

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.brush.ink import Brush
from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.decibels import split_psnr
from smarthdr_studio.core.display import Material
from smarthdr_studio.core.display.tabled import tabled_squares
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.frames import decode_bracket, decode_ground_truth
from smarthdr_studio.core.journal import SceneState, Status
from smarthdr_studio.core.label_files import check_label
from smarthdr_studio.core.masking import MaskSettings, trust
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.pseudo_label import Provenance, PseudoLabel, read_pseudo_label
from smarthdr_studio.core.retention import Retention

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of a scene: its name, the value in words, and what the value means."""

    name: str
    value: str
    tip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Errand:
    """Everything about one scene that has to be asked of the project, on the project's thread."""

    scene: Scene
    state: SceneState
    facts: SceneFacts
    label: Path | None
    person: Brush | None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judge:
    """By what a scene of the pool is judged: the thresholds of now and the pool's ranges."""

    masks: MaskSettings
    pool: Retention | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exhibit:
    """One scene ready to be painted; `retained` is the exact share of trusted pixels."""

    scene: Scene
    state: SceneState
    material: Material
    figures: tuple[Figure, ...]
    retained: float | None
    rounds: tuple[float, ...]
    provenance: Provenance | None
    problems: tuple[str, ...]


def errand_of(project: Project, facts: SceneFacts) -> Errand:
    """What is to be shown of a scene; nothing large is read yet.

    Of a promoted scene that is its frozen label, of one with a ground truth the ground truth, of
    any other the latest pseudo-label.
    """
    scene, state = project.scene(facts.id), project.state(facts.id)
    label, latest = project.label_path(facts.id), project.pseudo_path(facts.id)
    if label is None and state.status is not Status.GROUND_TRUTH and latest.is_file():
        label = latest
    problems: list[str] = []
    person = _tried(lambda: project.person(facts.id), problems)
    return Errand(
        scene=scene,
        state=state,
        facts=facts,
        label=label,
        person=person,
        problems=tuple(problems),
    )


def exhibit(errand: Errand, judge: Judge) -> Exhibit:
    """Read the files of a scene; those that cannot be read leave a sentence. Any thread."""
    scene, problems = errand.scene, list(errand.problems)
    label = _tried(lambda: _label(errand), problems)
    truth = None
    if scene.ground_truth is not None:
        truth = _tried(lambda: decode_ground_truth(scene), problems)
    bracket = None
    if label is None:
        bracket = _tried(lambda: decode_bracket(scene), problems)
    material = Material(bracket=bracket, ground_truth=truth, person=errand.person)
    if label is not None:
        material = _judged(material, label, errand, judge)
    kept = None if material.trust is None else float(material.trust.trusted.mean())
    return Exhibit(
        scene=scene,
        state=errand.state,
        material=material,
        figures=(*_of_label(material), *_of_truth(material), *_of_facts(errand.facts)),
        retained=kept,
        rounds=errand.facts.rounds,
        provenance=label.provenance if label else None,
        problems=tuple(problems),
    )


def _label(errand: Errand) -> PseudoLabel | None:
    if errand.label is None:
        return None
    if errand.state.label is not None:
        check_label(errand.label, errand.state.checksum)
    scene = errand.scene
    return read_pseudo_label(errand.label, expect=(scene.height, scene.width))


def _judged(material: Material, label: PseudoLabel, errand: Errand, judge: Judge) -> Material:
    """The label with both gates and the brush: as it was frozen, or as the screen shows it now."""
    of, frozen = label.provenance, errand.state.label
    masks = of.masks if frozen else judge.masks
    pool = None if frozen else judge.pool
    patches = pool.patch_range if pool else of.patch_range
    pixels = pool.pixel_range if pool else of.pixel_range
    person = label.person if frozen else errand.person
    found = trust(
        label.sigma,
        masks,
        patch_range=patches if frozen or masks.patches.scope == "pool" else None,
        pixel_range=pixels if frozen or masks.pixels.scope == "pool" else None,
        person=person,
    )
    origin = f"round {of.round}"
    if frozen:
        origin = f"version {PurePosixPath(frozen).stem}, frozen in round {of.round}"
    return replace(
        material,
        hdr=label.hdr,
        sigma=label.sigma,
        trust=found,
        masks=masks,
        origin=origin,
        person=person,
    )


def _of_label(material: Material) -> tuple[Figure, ...]:
    if material.trust is None or material.sigma is None:
        return ()
    kept = material.trust
    painted = 0.0 if material.person is None else float((material.person != 0).mean())
    own = (Figure(name="painted", value=percent(painted)),) if painted else ()
    return (
        Figure(
            name="retained",
            value=percent(float(kept.trusted.mean())),
            tip="Trusted pixels ÷ all pixels: what the loss counts.",
        ),
        Figure(name="patches kept", value=percent(float(kept.patch_mask.mean()))),
        Figure(
            name="mean σ",
            value=f"{float(material.sigma.mean(dtype=np.float64)):.4f}",
            tip="How large the network expects its RMS error to be, in μ-law values: the root of"
            " the mean over channels of the squared error.",
        ),
        *own,
    )


def _of_truth(material: Material) -> tuple[Figure, ...]:
    hdr, truth = material.hdr, material.ground_truth
    if hdr is None or truth is None or material.trust is None or hdr.shape != truth.shape:
        return ()
    squares = tabled_squares(hdr, truth)
    whole, _ = split_psnr(squares, np.ones(squares.shape, bool))
    trusted, dropped = split_psnr(squares, material.trust.trusted)
    return (
        Figure(name="PSNR-μ", value=_decibels(whole), tip="Against the ground truth."),
        Figure(name="PSNR-μ, trusted", value=_decibels(trusted), tip="Of the trusted pixels."),
        Figure(name="PSNR-μ, rest", value=_decibels(dropped), tip="Of all other pixels."),
    )


def _of_facts(facts: SceneFacts) -> tuple[Figure, ...]:
    named = (
        ("moving", facts.motion, "Pixels that move between the frames."),
        ("saturated", facts.saturation, "Pixels that are saturated in the reference frame."),
    )
    return tuple(
        Figure(name=name, value=percent(share), tip=tip)
        for name, share, tip in named
        if share is not None
    )


def percent(share: float) -> str:
    """A share in [0, 1] with one decimal."""
    return f"{100 * share:.1f} %"


def _decibels(value: float) -> str:
    return f"{value:.2f} dB" if np.isfinite(value) else "–"


def _tried(read: Callable[[], Read], problems: list[str]) -> Read | None:
    """What was read, or None and the sentence that says why not."""
    try:
        return read()
    except StudioError as error:
        problems.append(str(error))
        return None
