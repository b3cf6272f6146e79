"""Every round of a run: retained shares, flips, and the alarm when shares rise as PSNR-μ falls."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.training.rounds import (
    RecordedStatistics,
    RoundRecord,
    history_path,
    kept_rounds,
    read_record,
    recorded_rounds,
)
from smarthdr_studio.core.training.run_folder import Check, RunFolder, held_out_checks
from smarthdr_studio.core.trust.masking import MaskSettings, Range, limit, span
from smarthdr_studio.core.trust.patch_statistics import Floats
from smarthdr_studio.core.trust.pool import PoolStatistics

_log: Final = logging.getLogger(__name__)

# What the sentence of the alarm can show: a smaller change is no reason for one.
_LEAST_RISE: Final = 0.01
_LEAST_FALL_DB: Final = 0.1
_POINTS_OF_ALARM: Final = 3
_SURER_THAN_IT_MAY_BE: Final = 4.0  # e²/σ²


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunHistory:
    """A run, round by round, oldest first.

    `shares` is scenes×rounds in [0, 1] as they were used, NaN where a scene took no part;
    `replayable` are the rounds whose maps are still on disk; `psnr_mu` is (step, dB) on held-out
    labels; `alarm` is a sentence, or "" while there is no reason for one.
    """

    run: str
    records: tuple[RoundRecord, ...]
    scenes: tuple[str, ...]
    shares: npt.NDArray[np.float64]
    replayable: frozenset[int]
    psnr_mu: tuple[tuple[int, float], ...]
    alarm: str = ""


def read_history(
    run: RunFolder,
    *,
    known: RunHistory | None = None,
    said: Callable[[int, int], None] = lambda _done, _total: None,
) -> RunHistory:
    """Every round of a run; records that cannot be read are logged and left out.

    Args:
        run: the run's folder; nothing need be in it.
        known: what was read before, so that only new records are read.
        said: hears between records how many of how many are read; it may raise to give up.
    """
    before = {record.round: record for record in known.records} if known else {}
    numbers = recorded_rounds(run.path)
    records: list[RoundRecord] = []
    for done, number in enumerate(numbers):
        said(done, len(numbers))
        try:
            path = history_path(run.path, number)
            records.append(read_record(path, known=before.get(number)))
        except LabelError as error:
            _log.warning("%s", error)
    checks = held_out_checks(run)
    psnr = tuple((check.step, check.psnr_mu) for check in checks)
    scenes = tuple(sorted({scene for record in records for scene in record.retained}))
    return RunHistory(
        run=run.id,
        records=tuple(records),
        scenes=scenes,
        shares=_table(scenes, [record.retained for record in records]),
        replayable=kept_rounds(run.path),
        psnr_mu=psnr,
        alarm=confirmation_alarm(_comparable_shares(records), psnr)
        or collapse_alarm(checks, began=records[0].step if records else None),
    )


def collapse_alarm(checks: Sequence[Check], *, began: int | None) -> str:
    """A sentence where σ dies on held-out labels after pseudo-labels began at a step; else "".

    That is where the last check finds e²/σ² above 4 (errors twice as large as σ says), and twice
    what it was at the last check before. The retained share does not show it: scores are relative,
    and where σ falls everywhere the same pixels pass.
    """
    known = [check for check in checks if check.calibration is not None]
    before = [check for check in known if began is not None and check.step <= began]
    if not before or known[-1].step <= before[-1].step:
        return ""
    was, now = before[-1].calibration, known[-1].calibration
    assert was is not None
    assert now is not None
    if not (now > _SURER_THAN_IT_MAY_BE and now > 2 * was):
        return ""
    return (
        f"On held-out labels the error is now {sqrt(now):.1f} times what σ says, and was "
        f"{sqrt(was):.1f} times before pseudo-labels began: the student learns from its own labels "
        "that it is sure. Set L^k on unlabelled to off in the next plan."
    )


def confirmation_alarm(
    shares_by_step: Sequence[tuple[int, float]], psnr_by_step: Sequence[tuple[int, float]]
) -> str:
    """A sentence where ever more is trusted while the teacher gets worse on held-out labels.

    Args:
        shares_by_step: (step, retained share in [0, 1]) of rounds, by rising step.
        psnr_by_step: (step, PSNR-μ in dB) of checks on held-out labels, by rising step.

    Returns:
        A sentence if over the last three comparable points the share rose each time, by a per
        cent or more in all, and PSNR-μ fell each time, by 0.1 dB or more; else "". A point is a
        round and the first check from then until the next round.
    """
    points = _points(shares_by_step, psnr_by_step)[-_POINTS_OF_ALARM:]
    if len(points) < _POINTS_OF_ALARM:
        return ""
    steadily = all(a[0] < b[0] and a[1] > b[1] for a, b in pairwise(points))
    (share, psnr), (last_share, last_psnr) = points[0], points[-1]
    if not steadily or last_share - share < _LEAST_RISE or psnr - last_psnr < _LEAST_FALL_DB:
        return ""
    return (
        f"Retained share rose from {share:.0%} to {last_share:.0%} while PSNR-μ on held-out "
        f"labels fell from {psnr:.1f} to {last_psnr:.1f} dB: the run may be confirming its own "
        "mistakes."
    ).replace("%", " %")


def flips(
    records: Sequence[RoundRecord], scene: str, masks: MaskSettings | None = None
) -> npt.NDArray[np.uint8] | None:
    """How often each patch changed between kept and dropped from round to round, rows×columns.

    By the gate as it was in each round, or by `masks` in all of them. Rounds with patches of
    another size than the newest cannot be compared and are passed over. None where the scene
    took part in fewer than two rounds.
    """
    with_scene = [record for record in records if scene in record.statistics]
    if not with_scene:
        return None
    columns, patches = _grid(with_scene[-1], scene)
    sides = [
        _kept_patches(record, scene, masks)
        for record in with_scene
        if columns and _grid(record, scene) == (columns, patches)
    ]
    if len(sides) < 2:
        return None
    changes = np.diff(np.array(sides), axis=0).sum(0)
    counted: npt.NDArray[np.uint8] = np.minimum(changes, 255).astype(np.uint8)
    return counted.reshape(-1, columns)


def strip_now(
    history: RunHistory,
    masks: MaskSettings,
    *,
    said: Callable[[int, int], None] = lambda _done, _total: None,
) -> npt.NDArray[np.float64]:
    """Retained shares, scenes×rounds, had these masks been in use from the first round on.

    Ranges are those of each round's own pool, patches as large as they were; the person's brush
    is not counted. A record that has gone since is logged and leaves NaN. `said` hears between
    rounds how many of how many are counted; it may raise to give up.
    """
    rounds: list[Mapping[str, float]] = []
    for record in history.records:
        said(len(rounds), len(history.records))
        try:
            pool = PoolStatistics(record.statistics).retention(masks)
        except LabelError as error:
            _log.warning("%s", error)
            rounds.append({})
        else:
            rounds.append({scene: share.retained for scene, share in pool.scenes.items()})
    return _table(history.scenes, rounds)


def _table(scenes: Sequence[str], rounds: Sequence[Mapping[str, float]]) -> npt.NDArray[np.float64]:
    """Scenes×rounds, NaN where a round knows nothing of a scene."""
    nothing = float("nan")
    rows = [[shares.get(scene, nothing) for shares in rounds] for scene in scenes]
    return np.array(rows, dtype=np.float64).reshape(len(scenes), len(rounds))


def _comparable_shares(records: Sequence[RoundRecord]) -> list[tuple[int, float]]:
    """(step, retained share) of the latest rounds that had the newest round's masks.

    Counted over the newest round's scenes: otherwise promoting the surest would look like doubt.
    """
    found: list[tuple[int, float]] = []
    for record in reversed(records):
        if record.masks != records[-1].masks:
            break
        names = [scene for scene in records[-1].retained if scene in record.retained]
        if names:
            # Scenes of a dataset are nearly of one size: their mean is the share of the pixels.
            found.append((record.step, float(np.mean([record.retained[name] for name in names]))))
    return found[::-1]


def _points(
    shares: Sequence[tuple[int, float]], checks: Sequence[tuple[int, float]]
) -> list[tuple[float, float]]:
    """(share, PSNR-μ) of each round that was checked before the next one was made."""
    ends = [*(step for step, _ in shares[1:]), float("inf")]
    found: list[tuple[float, float]] = []
    for (step, share), end in zip(shares, ends, strict=False):
        within = [psnr for at, psnr in checks if step <= at < end]
        if within:
            found.append((share, within[0]))  # of the very teacher that labelled, or soon after
    return found


def _kept_patches(
    record: RoundRecord, scene: str, masks: MaskSettings | None
) -> npt.NDArray[np.bool_]:
    means, settings = _means(record, scene), masks or record.masks
    known: Range | None = record.patch_range if masks is None else None
    if known is None and settings.patches.scope == "pool":
        every = [_means(record, name) for name in record.statistics]
        known = span(np.concatenate(every), settings.patches)
    kept: npt.NDArray[np.bool_] = means <= limit(
        known or span(means, settings.patches), settings.tau_patch
    )
    return kept


def _grid(record: RoundRecord, scene: str) -> tuple[int, int]:
    """How many patches lie side by side, and how many there are."""
    return record.columns.get(scene, 0), len(_means(record, scene))


def _means(record: RoundRecord, scene: str) -> Floats:
    held = record.statistics
    return held.means(scene) if isinstance(held, RecordedStatistics) else held[scene].means
