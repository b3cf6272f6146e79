"""The verb `masks`: the retained share of each pseudo-label, for any thresholds."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from smarthdr_studio.cli import DONE, PARTLY
from smarthdr_studio.cli.options import refuse_beside
from smarthdr_studio.cli.output import (
    Json,
    left_out_as_json,
    percent,
    print_json,
    print_left_out,
    print_line,
    print_table,
    progress,
)
from smarthdr_studio.core.errors import LabelError

if TYPE_CHECKING:
    from smarthdr_studio.core.project.project import Project
    from smarthdr_studio.core.training.rounds import PoolTrust
    from smarthdr_studio.core.training.threshold_proposals import ThresholdProposal
    from smarthdr_studio.core.trust.masking import MaskSettings, Normalisation

Threshold = Annotated[float | None, typer.Option(min=0.0, max=1.0, help="Largest retained score.")]
Scope = Annotated[
    Literal["pool", "scene"] | None, typer.Option(help="Over what scores are normalised.")
]


def masks(
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="A project, NAME.shdr.")],
    *,
    tau_patch: Threshold = None,
    tau_pixel: Threshold = None,
    normalisation: Annotated[
        Literal["minmax", "percentile", "absolute"] | None,
        typer.Option(help="How scores are made, both; absolute is σ itself, 1 at 0.1."),
    ] = None,
    patch_scope: Scope = None,
    pixel_scope: Scope = None,
    propose: Annotated[
        Literal["quantile", "exposure", "risk"] | None,
        typer.Option(help="Draw both thresholds from labels or exposures instead."),
    ] = None,
    share: Annotated[
        float | None,
        typer.Option(
            min=0.01, max=0.99, show_default="0.85", help="Quantile of what labelled scenes score."
        ),
    ] = None,
    target: Annotated[
        float | None,
        typer.Option(
            min=1e-6, show_default="0.01", help="Largest mean error risk may retain, on the μ-law."
        ),
    ] = None,
    as_made: Annotated[
        bool,
        typer.Option("--as-made", help="Count each by the masks its run made it with instead."),
    ] = False,
    save: Annotated[
        bool, typer.Option("--save", help="Make these the project's thresholds.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Say what share of each scene is retained.

    Counted from the pseudo-labels of the unlabelled scenes and what was painted on them; a setting
    that is not given is the project's. With --propose the newest checkpoint's teacher is asked for
    labelled scenes first, and both thresholds follow from that. With --as-made it is what the
    loss of the run counted, whatever the project's thresholds are, and nothing can be saved. A
    scene whose label or painting is damaged is left out and told: exit status 6.
    """
    from smarthdr_studio.core.project.decisions import Decisions
    from smarthdr_studio.core.project.project import Project

    given = {
        "--tau-patch": tau_patch is not None,
        "--tau-pixel": tau_pixel is not None,
        "--normalisation": normalisation is not None,
        "--patch-scope": patch_scope is not None,
        "--pixel-scope": pixel_scope is not None,
        "--propose": propose is not None,
        "--save": save,
    }
    refuse_beside("--as-made", given if as_made else {})
    drawn = {"share": share, "target": target}
    _refuse_idle(propose, drawn)
    with Project.open(project) as opened:
        decisions = Decisions(opened)
        settings = _changed(
            decisions.masks(),
            taus={"tau_patch": tau_patch, "tau_pixel": tau_pixel},
            normalisation=normalisation,
            scopes=(patch_scope, pixel_scope),
        )
        files = _pool(opened)
        proposal = None
        if propose is not None:
            proposal = _proposed(opened, propose, settings, drawn=drawn)
            settings = proposal.masks
        shown = None if as_made else settings
        found, left_out = _counted(opened, files, shown)
        if save:
            decisions.set_masks(settings)
    print_left_out(left_out)
    if as_json:
        print_json(_as_json(found, shown, left_out) | _proposal_as_json(proposal))
    else:
        _print(found, shown)
        for sentence in () if proposal is None else proposal.words:
            print_line(sentence)
    return PARTLY if left_out else DONE


def _counted(
    project: "Project",
    files: Mapping[str, Path],
    settings: "MaskSettings | None",
) -> tuple["PoolTrust", dict[str, str]]:
    """What these masks retain of each pseudo-label, and why scenes were left out.

    Masks that are None are those its run masked it by.
    """
    from smarthdr_studio.core.training.rounds import pool_trust, trust_as_made

    count: Callable[..., PoolTrust] = (
        trust_as_made if settings is None else partial(pool_trust, settings=settings)
    )
    with progress() as bar:
        task = bar.add_task("reading pseudo-labels", total=len(files))
        left_out: dict[str, str] = {}
        found = count(
            files,
            manual_masks=project.person,
            seen=lambda _: bar.advance(task),
            left_out=left_out,
        )
        return found, left_out


_DRAWN_BY: Final = {"share": "quantile", "target": "risk"}


def _refuse_idle(propose: str | None, drawn: Mapping[str, float | None]) -> None:
    """Raise BadParameter where a method is set that is not asked."""
    for name, value in drawn.items():
        method = _DRAWN_BY[name]
        if value is not None and propose != method:
            raise typer.BadParameter(f"--{name}: is of --propose {method} alone; add that")


def _proposed(
    project: "Project",
    method: Literal["quantile", "exposure", "risk"],
    settings: "MaskSettings",
    *,
    drawn: Mapping[str, float | None],
) -> "ThresholdProposal":
    """Both thresholds by a method, with the newest checkpoint's teacher."""
    from smarthdr_studio.core.errors import CheckpointError
    from smarthdr_studio.core.imaging.bracket import FrameStore
    from smarthdr_studio.core.training.threshold_proposals import Wish, propose_thresholds
    from smarthdr_studio.learning.checkpoints import latest_checkpoint
    from smarthdr_studio.learning.inference import run_predictor
    from smarthdr_studio.learning.model_files import load_labeller, read_card

    model = latest_checkpoint(project.folder)
    if model is None:
        raise CheckpointError(f"{project.folder}: no run has a checkpoint yet; train first")
    frames = FrameStore()
    predictor = load_labeller(model, frames=frames)
    with progress() as bar:
        task = bar.add_task("reading pseudo-labels", total=None)

        def said(text: str, done: int, total: int) -> None:
            bar.update(task, description=text, completed=done, total=total)

        return propose_thresholds(
            project,
            Wish(
                method=method,
                masks=settings,
                **{name: value for name, value in drawn.items() if value is not None},
            ),
            predict=lambda scene: run_predictor(predictor, scene),
            frames=frames,
            run=read_card(model).run,
            said=said,
        )


def _proposal_as_json(proposal: "ThresholdProposal | None") -> dict[str, Any]:
    if proposal is None:
        return {}
    error = proposal.error
    known = None if error is None else {k: _finite(v) for k, v in asdict(error).items()}
    return {"proposal": {"method": proposal.method, "how": proposal.how, "error": known}}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _changed(
    settings: "MaskSettings",
    *,
    taus: dict[str, float | None],
    normalisation: "Normalisation | None",
    scopes: tuple[Literal["pool", "scene"] | None, Literal["pool", "scene"] | None],
) -> "MaskSettings":
    levels = [
        replace(
            level,
            normalisation=normalisation or level.normalisation,
            scope=scope or level.scope,
        )
        for level, scope in zip((settings.patches, settings.pixels), scopes, strict=True)
    ]
    given: dict[str, Any] = {name: tau for name, tau in taus.items() if tau is not None}
    return replace(settings, patches=levels[0], pixels=levels[1], **given)


def _pool(project: "Project") -> dict[str, Path]:
    """The pseudo-labels of the unlabelled scenes: the pool of METHOD §4."""
    from smarthdr_studio.core.project.findings import refuse_shut
    from smarthdr_studio.core.project.journal import Status

    refuse_shut(project.folder, "pseudo")
    unlabelled = [
        name for name, status in project.statuses().items() if status is Status.UNLABELLED
    ]
    files = {name: project.pseudo_path(name) for name in sorted(unlabelled)}
    there = {name: path for name, path in files.items() if path.is_file()}
    if not there:
        raise LabelError(
            f"{project.folder}: has no pseudo-labels yet; make them with: smarthdr-studio train "
            f"{project.folder}"
        )
    return there


def _as_json(
    found: "PoolTrust", settings: "MaskSettings | None", left_out: Mapping[str, str]
) -> dict[str, Any]:
    """Shares, and the thresholds they were counted by; None is each label's own."""
    return {
        "tau_patch": None if settings is None else settings.tau_patch,
        "tau_pixel": None if settings is None else settings.tau_pixel,
        "pool": {"retained": found.retained, "patches_retained": found.patches_retained},
        "scenes": [asdict(scene) for scene in found.scenes],
        "left_out": left_out_as_json(left_out),
    }


def _print(found: "PoolTrust", settings: "MaskSettings | None") -> None:
    rows = [
        (s.id, percent(s.retained), percent(s.patches_retained), f"{s.sigma_mean:.5f}")
        for s in found.scenes
    ]
    whole = ("whole pool", percent(found.retained), percent(found.patches_retained), "")
    print_table(
        ("scene", "retained", "patches retained", "mean σ"),
        [*rows, whole],
        title="Reliability as its run masked each"
        if settings is None
        else f"Reliability at τ_pa {settings.tau_patch:g}, τ_pi {settings.tau_pixel:g}",
    )
