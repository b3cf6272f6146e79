"""Two rankings with reasons of the scenes that wait: safest to promote, most worth labelling."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import Final, NamedTuple, TypedDict

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.curation.clues import ClueRecord, NearestNeighbours, pixels_per_patch
from smarthdr_studio.core.curation.scene_facts import TREND_ROUNDS, SceneFacts
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.trust.masking import MaskSettings, limit, span
from smarthdr_studio.core.trust.patch_statistics import Floats
from smarthdr_studio.core.words import percent

Doubles = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RankingInput:
    """What is known of the scenes that are to be ranked; each part may lack any of them.

    `patch_means` holds the mean σ of every patch (`SceneStatistics.means`), `records` what the
    frames say, `masks` the thresholds in force.
    """

    facts: Sequence[SceneFacts]
    masks: MaskSettings
    patch_means: Mapping[str, Floats] = field(default_factory=dict)
    records: Mapping[str, ClueRecord] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hardness:
    """Shares in [0, 1] of one part of every scene, in the order asked; NaN where not known."""

    saturated: Doubles
    moving: Doubles

    @property
    def hard(self) -> Doubles:
        """min(saturated + moving, 1) of each scene, flat; what clips cannot be seen to move."""
        return np.minimum(self.saturated + self.moving, 1.0)


def hardness(material: RankingInput, scenes: Sequence[SceneFacts], *, trusted: bool) -> Hardness:
    """Of the patches that the patch gate keeps (`trusted`), or else of those it drops.

    Where that part of a scene is empty, or its patches are not known, the whole scene stands for
    it; where the frames were never looked at, the shares that its facts give.
    """
    records = [material.records.get(each.id) for each in scenes]
    pairs = list(zip(scenes, records, strict=True))
    saturated = [facts.saturation if r is None else r.saturation for facts, r in pairs]
    motion = [facts.motion if r is None else r.motion for facts, r in pairs]
    whole = Hardness(
        saturated=np.array(saturated, dtype=np.float64), moving=np.array(motion, dtype=np.float64)
    )
    known = {
        index: record
        for index, (facts, record) in enumerate(pairs)
        if record is not None and len(material.patch_means.get(facts.id, ())) == record.patches
    }
    if known:
        _refine(whole, known, _gated(material, [scenes[i].id for i in known], trusted=trusted))
    return whole


def _refine(whole: Hardness, known: Mapping[int, ClueRecord], part: Flags) -> None:
    """Put the shares of the part, all patches one after another, where those of the whole stand."""
    records = list(known.values())
    starts = np.cumsum([0, *(record.patches for record in records[:-1])])
    sizes = [pixels_per_patch(record.height, record.width) for record in records]
    weights = np.concatenate(sizes) * part
    totals = np.add.reduceat(weights, starts)
    there = totals > 0
    places = np.array(list(known))[there]
    for shares, patches in (
        (whole.saturated, [record.saturated for record in records]),
        (whole.moving, [record.moving for record in records]),
    ):
        sums = np.add.reduceat(np.concatenate(patches) * weights, starts)
        shares[places] = sums[there] / (255 * totals[there])


def _gated(material: RankingInput, names: Sequence[str], *, trusted: bool) -> Flags:
    """Which patches of these scenes the patch gate keeps, or else drops, one after another."""
    masks = material.masks
    means = [material.patch_means[name] for name in names]
    if masks.patches.scope == "pool":
        pool = [
            material.patch_means[each.id]
            for each in material.facts
            if each.status is Status.UNLABELLED and each.id in material.patch_means
        ]
        top = limit(span(np.concatenate(pool or means), masks.patches), masks.tau_patch)
        limits = np.full(len(names), top)
    else:
        limits = np.array([limit(span(each, masks.patches), masks.tau_patch) for each in means])
    tops = np.repeat(limits, [len(each) for each in means])
    kept: Flags = np.concatenate(means) <= tops
    return kept if trusted else ~kept


_STEADY: Final = 0.02  # a share that ranges over less than this holds still
_HARDLY: Final = 0.01
_PARTLY: Final = 0.1
_MOSTLY: Final = 0.5
_ALIKE: Final = 0.35  # of `looks.Company.unlike`
_UNLIKE: Final = 0.65


def why_safe(
    facts: SceneFacts, *, wobble: float | None, saturated: float | None, moving: float | None
) -> str:
    """Why it is safe to promote, or not; shares are of what is trusted in the scene."""
    words = f"{percent(facts.retained or 0.0)} is trusted"
    if wobble is not None:
        steady = wobble < _STEADY
        words += ", steady" if steady else f", ranging over {percent(wobble)}"
        words += " in the last rounds"
    if saturated is None and moving is None:
        return words
    hard = min((saturated or 0.0) + (moving or 0.0), 1.0)
    part = "hardly any" if hard < _HARDLY else percent(hard)
    return f"{words}; {part} of that moves or is saturated"


def why_worth(
    facts: SceneFacts,
    *,
    saturated: float | None,
    moving: float | None,
    unlike: float | None,
    nearest: SceneFacts | None,
) -> str:
    """Why it is worth labelling, or not; shares are of what is not trusted in the scene."""
    untrusted = 1 - (facts.retained or 0.0)
    words = f"{percent(untrusted)} is not trusted"
    if untrusted >= _HARDLY:
        words += _cause(saturated, moving)
    return words + _company(unlike, nearest)


def _cause(saturated: float | None, moving: float | None) -> str:
    if saturated is None and moving is None:
        return ""
    clipped, stirred = saturated or 0.0, moving or 0.0
    if min(clipped, stirred) >= _PARTLY and clipped + stirred >= _MOSTLY:
        return ", mostly saturated or moving"
    most, word = max((clipped, "saturated"), (stirred, "moving"))
    if most >= _MOSTLY:
        return f", mostly {word}"
    return f", partly {word}" if most >= _PARTLY else ", without a visible cause"


def _company(unlike: float | None, nearest: SceneFacts | None) -> str:
    if unlike is None or nearest is None:
        return ""
    labelled = nearest.status is not Status.UNLABELLED
    if unlike >= _UNLIKE:
        return "; unlike anything labelled" if labelled else "; unlike what is labelled or above it"
    if unlike > _ALIKE:
        return ""
    return f"; much like {nearest.id}, " + ("which is labelled" if labelled else "above it")


Integers = npt.NDArray[np.int64]

LABELLED: Final = frozenset({Status.GROUND_TRUTH, Status.PROMOTED})
APART: Final = 50  # so many scenes at the head of a queue are picked to be unlike one another

# What makes a scene safe, and how much of the score each part is.
_WEIGHTS: Final = (0.5, 0.2, 0.15, 0.15)  # trusted, steady, sure, calm
_UNCLEAR: Final = 0.1  # what an untrusted area is worth where nothing moves or is saturated
_LEAST_SIGMA: Final = 1e-9
_UNSEEN: Final = 0.5  # how unlike the others a scene is taken to be that nobody looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """One scene of a queue: a score in [0, 1], a sentence that says why, and its figures.

    `retained` is its trusted share and `wobble` how far that share ranged over the last rounds.
    `saturated` and `moving` are shares of the trusted area in the safest queue, and of the rest
    in the other; `unlike` is how far it looks from the nearest labelled scene or scene before it
    in the queue, whose id is `nearest`. None where nothing says.
    """

    scene: str
    score: float
    reason: str
    retained: float
    sigma_mean: float | None = None
    wobble: float | None = None
    saturated: float | None = None
    moving: float | None = None
    unlike: float | None = None
    nearest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How many of the scenes that were there to choose from a person has looked at."""

    reviewed: int
    total: int

    @property
    def words(self) -> str:
        """As the screen says it."""
        return f"{self.reviewed} of {self.total} reviewed"


def progress(
    unlabelled: Collection[str], *, reviewed: Collection[str], decided: Collection[str]
) -> Progress:
    """Of the scenes that were unlabelled at first, so that deciding never turns the count back.

    Who has decided about a scene has looked at it.
    """
    scenes = set(unlabelled)
    return Progress(reviewed=len(scenes & {*reviewed, *decided}), total=len(scenes))


def waiting(facts: Sequence[SceneFacts]) -> list[SceneFacts]:
    """The scenes a queue can hold: unlabelled, and with a pseudo-label."""
    return [
        each for each in facts if each.status is Status.UNLABELLED and each.retained is not None
    ]


def safest(material: RankingInput) -> tuple[QueueItem, ...]:
    """Every waiting scene, the safest to promote first.

    Safe is what is trusted nearly everywhere, was so in the last rounds, has little σ, and where
    what is trusted hardly moves and is hardly saturated.
    """
    scenes = waiting(material.facts)
    if not scenes:
        return ()
    inside = hardness(material, scenes, trusted=True)
    retained = _figures([each.retained for each in scenes])
    sigma = _figures([each.sigma_mean for each in scenes])
    wobble = _figures([_wobble(each.rounds) for each in scenes])
    parts = (retained, 1 - _known(wobble), _sureness(sigma), 1 - _known(inside.hard))
    scores: Doubles = np.average(parts, axis=0, weights=_WEIGHTS)
    columns = _columns(sigma, wobble, inside.saturated, inside.moving)
    items = [
        QueueItem(
            scene=facts.id,
            score=score,
            reason=why_safe(facts, wobble=wobbled, saturated=saturated, moving=moving),
            retained=facts.retained or 0.0,
            sigma_mean=sure,
            wobble=wobbled,
            saturated=saturated,
            moving=moving,
        )
        for facts, score, (sure, wobbled, saturated, moving) in zip(
            scenes, scores.tolist(), columns, strict=True
        )
    ]
    return tuple(sorted(items, key=lambda item: (-item.score, item.scene)))


def most_worth(material: RankingInput, *, apart: int = APART) -> tuple[QueueItem, ...]:
    """Every waiting scene, the most worth labelling first.

    Worth is the expected gain, which is the untrusted area times the share of it that moves or is
    saturated, times how unlike it looks to all that is labelled and to those before it; the first
    `apart` are picked one by one for that.
    """
    scenes = waiting(material.facts)
    if not scenes:
        return ()
    outside = hardness(material, scenes, trusted=False)
    untrusted = 1 - _figures([each.retained for each in scenes])
    gain = untrusted * (_UNCLEAR + (1 - _UNCLEAR) * _known(outside.hard))
    columns = list(_columns(outside.saturated, outside.moving))
    items = []
    for pick in _picked(material, scenes, gain, apart=apart):
        facts, (saturated, moving) = scenes[pick.place], columns[pick.place]
        shares: _Shares = {"saturated": saturated, "moving": moving, "unlike": pick.unlike}
        items.append(
            QueueItem(
                scene=facts.id,
                score=pick.score,
                reason=why_worth(facts, nearest=pick.nearest, **shares),
                retained=facts.retained or 0.0,
                sigma_mean=facts.sigma_mean,
                nearest=None if pick.nearest is None else pick.nearest.id,
                **shares,
            )
        )
    return tuple(items)


class _Shares(TypedDict):
    saturated: float | None
    moving: float | None
    unlike: float | None


class _Pick(NamedTuple):
    place: int
    score: float
    unlike: float | None
    nearest: SceneFacts | None


def _picked(
    material: RankingInput, scenes: Sequence[SceneFacts], gain: Doubles, *, apart: int
) -> Iterator[_Pick]:
    """The scenes in the order of their worth; whoever is picked early lessens those like it."""
    records = material.records
    seen = np.array([i for i, each in enumerate(scenes) if each.id in records], dtype=np.int64)
    company = NearestNeighbours([records[scenes[index].id].look for index in seen])
    known = [each for each in material.facts if each.status in LABELLED and each.id in records]
    company.join([records[each.id].look for each in known], first=0)
    rows = {int(index): row for row, index in enumerate(seen)}
    left = np.ones(len(scenes), dtype=bool)
    for _ in range(min(apart, len(scenes))):
        unlike, worth = _worth(gain, seen, company)
        index = int(np.where(left, worth, -1.0).argmax())
        left[index] = False
        yield _pick(index, worth, unlike, _nearest(rows.get(index), company, known))
        if index in rows:
            company.join([records[scenes[index].id].look], first=len(known))
            known.append(scenes[index])
    unlike, worth = _worth(gain, seen, company)
    for index in np.lexsort((np.arange(len(worth)), -worth)):
        if left[index]:
            near = _nearest(rows.get(int(index)), company, known)
            yield _pick(int(index), worth, unlike, near)


def _worth(gain: Doubles, seen: Integers, company: NearestNeighbours) -> tuple[Doubles, Doubles]:
    """How unlike the company each scene looks, NaN where nobody looked, and its gain times that."""
    unlike = np.full(len(gain), np.nan)
    unlike[seen] = company.unlike()
    return unlike, gain * np.where(np.isnan(unlike), _UNSEEN, unlike)


def _pick(index: int, worth: Doubles, unlike: Doubles, nearest: SceneFacts | None) -> _Pick:
    apart = float(unlike[index])
    return _Pick(index, float(worth[index]), None if isnan(apart) else apart, nearest)


def _nearest(
    row: int | None, company: NearestNeighbours, known: Sequence[SceneFacts]
) -> SceneFacts | None:
    number = -1 if row is None else int(company.who[row])
    return None if number < 0 else known[number]


def _wobble(rounds: Sequence[float]) -> float | None:
    """How far the share ranged over the last rounds; None where there were fewer than two."""
    last = rounds[-TREND_ROUNDS - 1 :]
    return max(last) - min(last) if len(last) > 1 else None


def _figures(values: Sequence[float | None]) -> Doubles:
    return np.array(values, dtype=np.float64)  # None becomes NaN


def _known(shares: Doubles) -> Doubles:
    """Shares with the median of those that are known where nothing is."""
    unknown = np.isnan(shares)
    if not unknown.any():
        return shares
    return np.where(unknown, _UNSEEN if unknown.all() else np.median(shares[~unknown]), shares)


def _sureness(sigma: Doubles) -> Doubles:
    """From 1 for no σ at all down to 0; the median of the scenes has a half."""
    filled = _known(sigma)
    middle = max(float(np.median(filled)), _LEAST_SIGMA)
    return middle / (middle + filled)


def _columns(*columns: Doubles) -> Iterator[tuple[float | None, ...]]:
    """Row by row as plain numbers, None where nothing is known."""
    plain = [[None if isnan(v) else v for v in column.tolist()] for column in columns]
    return zip(*plain, strict=True)
