"""What a report shows of one scene: views, figures, decisions in words, and what is wrong."""

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final, TypeVar

import cv2
import numpy as np

from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.display import (
    DisplaySettings,
    KeyEntry,
    Layer,
    Legend,
    Material,
    Painted,
    Painter,
    Rgb8,
    key_swatch,
)
from smarthdr_studio.core.display.layer_data import ErrorMaps
from smarthdr_studio.core.environment import time_words
from smarthdr_studio.core.errors import LabelError, StudioError
from smarthdr_studio.core.files import own_file
from smarthdr_studio.core.imaging.bracket import Scene, decode_bracket, decode_ground_truth
from smarthdr_studio.core.imaging.metrics import split_psnr
from smarthdr_studio.core.project.journal import (
    DecisionSummary,
    JournalEntry,
    Kind,
    SceneState,
    Status,
    decision_history,
)
from smarthdr_studio.core.project.labels import check_label
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.stamps import Comparison
from smarthdr_studio.core.trust.brush import Brush
from smarthdr_studio.core.trust.masking import MaskSettings, trust
from smarthdr_studio.core.trust.pool import Retention
from smarthdr_studio.core.trust.pseudo_label import Provenance, PseudoLabel, read_pseudo_label
from smarthdr_studio.core.words import percent, telling


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneDecision:
    """One decision about one scene: when, who, what, how it was made, why, and if it stands."""

    at: str
    who: str
    what: str
    made_with: str
    note: str
    undone: bool


def decisions_by_scene(entries: Sequence[JournalEntry]) -> dict[str, tuple[SceneDecision, ...]]:
    """What was decided about each scene, the latest first."""
    lines = {line.group: line for line in decision_history(entries)}
    found: dict[str, list[SceneDecision]] = {}
    for entry in reversed(entries):
        if entry.scene is not None:
            found.setdefault(entry.scene, []).append(_deed(entry, lines))
    return {scene: tuple(deeds) for scene, deeds in found.items()}


def _deed(entry: JournalEntry, lines: Mapping[str, DecisionSummary]) -> SceneDecision:
    line = lines[entry.group]
    return SceneDecision(
        at=time_words(entry.at),
        who=entry.who,
        what=_what(entry, line),
        made_with=_made_with(entry),
        note=entry.note,
        undone=line.undone,
    )


def _what(entry: JournalEntry, line: DecisionSummary) -> str:
    alone = len(line.scenes) == 1
    along = "" if alone else f" ({line.what})"
    match entry.kind:
        case Kind.CREATED:
            return f"began as {entry.after}"
        case Kind.PROMOTE:
            whole = ", the whole picture" if entry.whole else ""
            version = PurePosixPath(entry.label or "").stem
            return f"promoted as version {version}{whole}{along}"
        case Kind.ANNOTATE:
            return _joined(("noted", *(f"#{tag}" for tag in entry.tags)), between=" ")
        case Kind.PAINT:
            return "painted over the masks" if entry.person else "wiped the brush away"
        case Kind.UNDO | Kind.REDO:
            return f"{line.what}, so {entry.after}"
        case _:
            return f"{entry.kind}, so {entry.after}{along}"


def _made_with(entry: JournalEntry) -> str:
    if entry.kind is not Kind.PROMOTE:
        return ""
    masks = entry.masks
    return _joined(
        (
            f"τ_pa {masks.tau_patch:g}, τ_pi {masks.tau_pixel:g}" if masks else "",
            f"run {entry.run}" if entry.run else "",
            f"round {entry.round}" if entry.round else "",
            f"checkpoint {entry.checkpoint[:12]}" if entry.checkpoint else "",
        ),
        between=" · ",
    )


def _joined(parts: Iterable[str], *, between: str) -> str:
    return between.join(part for part in parts if part)


WIDTH: Final = 480
_QUALITY: Final = 82
_STEPS_OF_BAR: Final = 9
_VIEWS: Final = (Layer.PSEUDO_LABEL, Layer.UNCERTAINTY, Layer.PATCH_MASK, Layer.PIXEL_MASK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One view: its JPEG as a data URI, at most WIDTH wide, and the words under it.

    `bar` are the colours of its legend as CSS, lowest first, `low` and `high` the words at its
    ends; `key` names the colours of its areas.
    """

    uri: str
    width: int
    height: int
    title: str
    detail: str
    bar: tuple[str, ...] = ()
    low: str = ""
    high: str = ""
    key: tuple[KeyEntry, ...] = ()
    warning: str = ""


def pictures_of(
    painter: Painter, material: Material, settings: DisplaySettings
) -> tuple[Picture, ...]:
    """The views of a scene: pseudo-label, σ and both masks; without a label, what stands in."""
    choices = [(view,) if material.hdr is not None else view.stand_ins for view in _VIEWS]
    found: dict[str, Picture] = {}
    for layers in choices:
        every = (painter.paint(layer, material, settings) for layer in layers)
        painted, rgb8 = next(((p, p.rgb8) for p in every if p.rgb8 is not None), (None, None))
        if painted is not None and rgb8 is not None and painted.title not in found:
            found[painted.title] = _picture(painted, rgb8)
    return tuple(found.values())


def swatch_uri(entry: KeyEntry) -> str:
    """A small sample of a hatch as a data URI."""
    return _uri(
        key_swatch(entry.colour, entry.pattern, width=28, height=18), suffix=".png", options=()
    )


def _picture(painted: Painted, rgb8: Rgb8) -> Picture:
    height, width = rgb8.shape[:2]
    if width > WIDTH:
        size = WIDTH, max(round(height * WIDTH / width), 1)
        rgb8 = np.ascontiguousarray(cv2.resize(rgb8, size, interpolation=cv2.INTER_AREA), np.uint8)
    legend = painted.legend
    quality = (cv2.IMWRITE_JPEG_QUALITY, _QUALITY, cv2.IMWRITE_JPEG_OPTIMIZE, 1)
    return Picture(
        uri=_uri(rgb8, suffix=".jpg", options=quality),
        width=rgb8.shape[1],
        height=rgb8.shape[0],
        title=painted.title,
        detail=painted.detail,
        bar=_bar(legend) if legend else (),
        low=legend.low if legend else "",
        high=legend.high if legend else "",
        key=painted.key,
        warning=painted.warning,
    )


def _bar(legend: Legend) -> tuple[str, ...]:
    """Colours from the lowest value to the highest; the bar has its highest on top."""
    column = legend.bar[::-1, legend.bar.shape[1] // 2]
    at = np.linspace(0, len(column) - 1, _STEPS_OF_BAR).round().astype(int)
    return tuple("#{:02x}{:02x}{:02x}".format(*(int(part) for part in column[i])) for i in at)


def _uri(rgb8: Rgb8, *, suffix: str, options: tuple[int, ...]) -> str:
    bgr = cv2.cvtColor(np.ascontiguousarray(rgb8), cv2.COLOR_RGB2BGR)
    done, encoded = cv2.imencode(suffix, bgr, options)
    if not done:
        raise ValueError(f"OpenCV cannot write {rgb8.shape} as {suffix}")
    kind = "jpeg" if suffix == ".jpg" else "png"
    return f"data:image/{kind};base64,{base64.b64encode(encoded.tobytes()).decode('ascii')}"


Read = TypeVar("Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of a scene: its name, the value in words, and what the value means."""

    name: str
    value: str
    tip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SceneRequest:
    """Everything about one scene that has to be asked of the project, on the project's thread."""

    scene: Scene
    state: SceneState
    facts: SceneFacts
    label: Path | None
    dataset: Path
    person: Brush | None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PoolThresholds:
    """What makes the masks of a scene of the pool: the thresholds of now, the pool's ranges."""

    masks: MaskSettings
    pool: Retention | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SceneReport:
    """One scene ready to be painted; `retained` is the exact share of trusted pixels."""

    scene: Scene
    state: SceneState
    material: Material
    figures: tuple[Figure, ...]
    retained: float | None
    rounds: tuple[float, ...]
    provenance: Provenance | None
    problems: tuple[str, ...]


def scene_request(project: Project, facts: SceneFacts, pictures: Comparison) -> SceneRequest:
    """What is to be shown of a scene; nothing large is read yet.

    Of a promoted scene that is its frozen label, of one with a ground truth the ground truth, of
    any other the latest pseudo-label. `pictures` says which of its pictures are not those the
    project knows, and which of those that are not shown are lost.
    """
    scene, state = project.scene(facts.id), project.state(facts.id)
    label, latest = project.label_path(facts.id), project.pseudo_path(facts.id)
    problems = [pictures.of_scene(facts.id)] if facts.id in pictures.changed else []
    if label is None and state.status is not Status.GROUND_TRUTH:
        label = latest if _tried(lambda: _is_there(latest), problems) else None
    if label is not None and facts.id in pictures.gone:
        problems.append(pictures.lost_of(facts.id))
    person = _tried(lambda: project.person(facts.id), problems)
    return SceneRequest(
        scene=scene,
        state=state,
        facts=facts,
        label=label,
        dataset=project.dataset,
        person=person,
        problems=tuple(problems),
    )


def read_scene_report(errand: SceneRequest, thresholds: PoolThresholds) -> SceneReport:
    """Read the files of a scene; those that cannot be read leave a sentence. Any thread."""
    scene, problems = errand.scene, list(errand.problems)
    label = _tried(lambda: _label(errand), problems)
    truth = None
    if scene.ground_truth is not None:
        own = () if errand.state.truth is not None else (scene.ground_truth,)
        truth = _tried(lambda: decode_ground_truth(_of_dataset(errand, own)), problems)
    bracket = None
    if label is None:
        bracket = _tried(lambda: decode_bracket(_of_dataset(errand, scene.frames)), problems)
    material = Material(bracket=bracket, ground_truth=truth, person=errand.person)
    if label is not None:
        material = _with_trust(material, label, errand, thresholds)
    kept = None if material.trust is None else float(material.trust.trusted.mean())
    return SceneReport(
        scene=scene,
        state=errand.state,
        material=material,
        figures=(*_of_label(material), *_of_truth(material), *_of_facts(errand.facts)),
        retained=kept,
        rounds=errand.facts.rounds,
        provenance=label.provenance if label else None,
        problems=tuple(problems),
    )


def _of_dataset(errand: SceneRequest, pictures: Iterable[Path]) -> Scene:
    """The scene, after making sure that a page handed on shows pictures of the dataset alone."""
    for path in pictures:
        own_file(errand.dataset, path)
    return errand.scene


def _label(errand: SceneRequest) -> PseudoLabel | None:
    if errand.label is None:
        return None
    if errand.state.label is not None:
        check_label(errand.label, errand.state.checksum)
    scene = errand.scene
    return read_pseudo_label(errand.label, expect=(scene.height, scene.width))


def _with_trust(
    material: Material, label: PseudoLabel, errand: SceneRequest, thresholds: PoolThresholds
) -> Material:
    """The label with both gates and the brush: as it was frozen, or as the screen shows it now."""
    of, frozen = label.provenance, errand.state.label
    masks = of.masks if frozen else thresholds.masks
    pool = None if frozen else thresholds.pool
    patches = pool.patch_range if pool else of.patch_range
    pixels = pool.pixel_range if pool else of.pixel_range
    person = label.person if frozen else errand.person
    found = trust(
        label.sigma,
        masks,
        patch_range=patches if frozen or masks.patches.scope == "pool" else None,
        pixel_range=pixels if frozen or masks.pixels.scope == "pool" else None,
        person=person,
        exposure=label.exposure,
    )
    origin = of.words
    if frozen:
        made = f"frozen in {of.words}" if of.round else of.words
        origin = f"version {PurePosixPath(frozen).stem}, {made}"
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
    own = (Figure(name="painted", value=percent(painted, decimals=1)),) if painted else ()
    return (
        Figure(
            name="retained",
            value=percent(float(kept.trusted.mean())),
            tip="Trusted pixels ÷ all pixels: what the loss counts.",
        ),
        Figure(name="patches retained", value=percent(float(kept.patch_mask.mean()))),
        Figure(
            name="mean σ",
            value=telling(float(material.sigma.mean(dtype=np.float64))),
            tip="How large the network expects its RMS error to be, in μ-law values: the root of"
            " the mean over channels of the squared error.",
        ),
        *own,
    )


def _of_truth(material: Material) -> tuple[Figure, ...]:
    hdr, truth = material.hdr, material.ground_truth
    if hdr is None or truth is None or material.trust is None or hdr.shape != truth.shape:
        return ()
    squares = ErrorMaps.of(hdr, truth).squares
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
        Figure(name=name, value=percent(share, decimals=1), tip=tip)
        for name, share, tip in named
        if share is not None
    )


def _decibels(value: float) -> str:
    return f"{value:.2f} dB" if np.isfinite(value) else "–"


def _is_there(label: Path) -> bool:
    """Raises LabelError where that may not be seen."""
    try:
        return label.is_file()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise LabelError(f"{label}: cannot be read ({reason}); allow reading it") from None


def _tried(read: Callable[[], Read], problems: list[str]) -> Read | None:
    """What was read, or None and the sentence that says why not."""
    try:
        return read()
    except StudioError as error:
        problems.append(str(error))
        return None
