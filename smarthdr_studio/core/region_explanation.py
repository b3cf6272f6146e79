"""How much of a region is trusted, who dropped most of the rest, and why."""

from typing import Final

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.causes import NOTABLE, Area
from smarthdr_studio.core.explanation import (
    Explanation,
    Fact,
    Gate,
    Subject,
    cause_facts,
    error_fact,
    number,
    percent,
    score_words,
)
from smarthdr_studio.core.masking import scores
from smarthdr_studio.core.reasons import Reason, reason_map
from smarthdr_studio.core.regions import Region

Flags = npt.NDArray[np.bool_]

_BY: Final[dict[Gate, str]] = {
    "patch": "with its patches",
    "pixel": "pixel by pixel",
    "person": "by a person, with the brush",
}


def explain_region(scene: Subject, region: Region) -> Explanation:
    """How much of a region is trusted, and who dropped most of the rest, and why."""
    height, width = scene.sigma.shape
    area = Area(
        box=region.box(width=width, height=height),
        mask=region.mask_in_box(width=width, height=height),
    )
    trusted = area.of(scene.trust.trusted)
    if trusted.size == 0:
        return Explanation(subject=region.kind, sentence="It lies outside the picture.", gate="")
    share = float(np.mean(trusted))
    gate, words = _dropped_words(scene, area)
    seen = scene.causes(area)
    return Explanation(
        subject=f"{region.kind} of {trusted.size:,} {'pixel' if trusted.size == 1 else 'pixels'}",
        sentence=f"{_amount(share)} of this region is trusted{words}.",
        gate=gate,
        facts=(
            Fact(name="trusted", value=percent(share), alarming=share < 0.5),
            *_score_facts(scene, area),
            Fact(name="σ, mean", value=number(float(area.of(scene.sigma).mean(dtype=float)))),
            *cause_facts(seen, saturated_in=seen, where="region"),
            *error_fact(scene, area),
        ),
    )


def _dropped_words(scene: Subject, area: Area) -> tuple[Gate, str]:
    """Who dropped most of an area, and what follows the share that is trusted."""
    trusted = area.of(scene.trust.trusted)
    dropped = int(np.count_nonzero(~trusted))
    if dropped == 0:
        return "", ""
    kept = area.of(scene.kept_patches(area.box))
    passed = area.of(scene.trust.pixel_mask)
    by: dict[Gate, Flags] = {
        "patch": ~trusted & ~kept,
        "pixel": ~trusted & kept & ~passed,
        "person": ~trusted & kept & passed,
    }
    gate = max(by, key=lambda name: int(np.count_nonzero(by[name])))
    share = np.count_nonzero(by[gate]) / dropped
    part = "all" if share == 1 else "most" if share > 0.5 else "the largest part"
    rest = "it" if dropped == trusted.size else "the rest"
    reason = _chief_reason(scene, area, by[gate]) if gate != "person" else ""
    return gate, f"; {part} of {rest} was dropped {_BY[gate]}{reason}"


def _chief_reason(scene: Subject, area: Area, dropped: Flags) -> str:
    if scene.clues is None:
        return ""
    dispute = None if scene.dispute is None else scene.dispute[area.box]
    shape = tuple(side.stop - side.start for side in area.box)
    found = reason_map(np.zeros(shape, bool), scene.clues.within(area.box), dispute=dispute)
    counts = np.bincount(area.of(found)[dropped], minlength=len(Reason)).astype(float)
    # The hard part of a patch takes the rest of it along: what explains a tenth explains it all.
    counts[Reason.UNEXPLAINED] = NOTABLE * counts.sum()
    return f" ({Reason(int(counts.argmax())).words})"


def _score_facts(scene: Subject, area: Area) -> tuple[Fact, ...]:
    """S_pa of the patches from best to worst, and the median S_pi inside those that are kept."""
    masks, trust = scene.masks, scene.trust
    kept = area.of(scene.kept_patches(area.box))
    patches = scores(area.of(scene.of_patches(scene.means, area.box)), trust.patch_range)
    best, worst = (
        score_words(float(end), masks.tau_patch) for end in (patches.min(), patches.max())
    )
    facts = [
        Fact(
            name="S_pa",
            value=best if best == worst else f"{best} to {worst}",
            beside=f"τ_pa {masks.tau_patch:.2f}",
            alarming=not kept.all(),
        )
    ]
    if kept.any():
        median = float(np.median(scores(area.of(scene.sigma)[kept], trust.pixel_range)))
        facts.append(
            Fact(
                name="S_pi, median",
                value=score_words(median, masks.tau_pixel),
                beside=f"τ_pi {masks.tau_pixel:.2f}",
                alarming=median > masks.tau_pixel,
            )
        )
    return tuple(facts)


def _amount(share: float) -> str:
    return "All" if share == 1 else "None" if share == 0 else percent(share)
