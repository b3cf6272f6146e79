"""Every round of a run: retained shares, flips, and the alarm when validation falls."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isnan, sqrt
from statistics import median
from typing import Final

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.training.round_files import kept_rounds
from smarthdr_studio.core.training.rounds import (
    RecordedStatistics,
    RoundRecord,
    history_path,
    read_record,
    recorded_rounds,
)
from smarthdr_studio.core.training.run_folder import Check, RunFolder, best_of, held_out_checks
from smarthdr_studio.core.trust.masking import MaskSettings, Range, limit, span
from smarthdr_studio.core.trust.patch_statistics import Floats
from smarthdr_studio.core.trust.pool import PoolStatistics, Retention, SceneShare

_log: Final = logging.getLogger(__name__)

_LEAST_NOISE_DB: Final = 0.1
_LEAST_DIFFERENCES: Final = 2
# In the words of the buttons, thresholds and settings of the window.
_WHAT_HELPS: Final = (
    "Pause and lower τ_pa or τ_pi; in the next plan widen what the Student sees (Noise, Foreign "
    "patch, Brighten), or set Lᵏ on unlabelled to off."
)
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
    began = records[0].step if records else None
    scenes = tuple(sorted({scene for record in records for scene in record.retained}))
    return RunHistory(
        run=run.id,
        records=tuple(records),
        scenes=scenes,
        shares=_table(scenes, [record.retained for record in records]),
        replayable=kept_rounds(run.path),
        psnr_mu=psnr,
        alarm=fall_alarm(checks, began=began) or collapse_alarm(checks, began=began),
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
        "that it is sure. Set Lᵏ on unlabelled to off in the next plan."
    )


def fall_alarm(checks: Sequence[Check], *, began: int | None) -> str:
    """A sentence while validation is lower than chance explains since pseudo-labels began; else "".

    That is where the newest check after the step `began` lies below the best since, the last check
    before it among them, by more than `check_noise`, whatever the retained share does: a run that
    confirms its own mistakes may trust ever more, and one that is led astray ever less. One check
    may be low by chance; the sentence goes with the next that is not.
    """
    known = [check for check in checks if not isnan(check.psnr_mu)]
    if not known or began is None or known[-1].step <= began:
        return ""
    before = [check for check in known if check.step <= began]
    best = best_of([*before[-1:], *known[len(before) :]])
    assert best is not None
    now, noise = known[-1], check_noise(known, began=began)
    if best.psnr_mu - now.psnr_mu <= noise:
        return ""
    return (
        f"At epoch {now.epoch + 1} PSNR-μ on held-out labels was {now.psnr_mu:.1f} dB, after "
        f"{best.psnr_mu:.1f} dB at epoch {best.epoch + 1}; by chance a check differs from the "
        f"next by about {noise:.1f} dB: since pseudo-labels began the run may be learning its own "
        f"mistakes. {_WHAT_HELPS}"
    )


def check_noise(checks: Sequence[Check], *, began: int) -> float:
    """How much PSNR-μ (dB) of one check differs from the next without pseudo-labels.

    The median absolute difference of consecutive checks up to the step `began`: nothing is
    repeated in a run, so its own checks are all there is to judge chance by, and how far few
    held-out scenes waver differs between projects by a factor of ten. The median, because the
    first checks rise by decibels. Where there are fewer than two differences all checks of the
    run are asked. At least 0.1 dB: less is no reason to change anything.
    """
    warm_up = [check.psnr_mu for check in checks if check.step <= began]
    values = warm_up if len(warm_up) > _LEAST_DIFFERENCES else [c.psnr_mu for c in checks]
    found = [abs(after - before) for before, after in pairwise(values)]
    return max(median(found), _LEAST_NOISE_DB) if found else _LEAST_NOISE_DB


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


def retention_of_round(record: RoundRecord, masks: MaskSettings | None = None) -> Retention:
    """What a round retained of its pool as it was used, or would have retained by `masks`.

    As it was used brushes count as they were then; by `masks` none does. Raises LabelError where
    the record has gone since.
    """
    if masks is not None:
        return PoolStatistics(record.statistics).retention(masks)
    scenes, pixels = dict[str, SceneShare](), dict[str, int]()
    kept, patches = 0, 0
    for scene, held in record.statistics.items():
        passed = _kept_patches(record, scene, None)
        kept, patches = kept + int(passed.sum()), patches + passed.size
        share = record.retained[scene]
        scenes[scene] = SceneShare(share, float(passed.mean()), held.sigma_mean)
        pixels[scene] = held.pixels
    trusted = sum(scenes[scene].retained * pixels[scene] for scene in scenes)
    return Retention(
        retained=trusted / max(sum(pixels.values()), 1),
        patches_retained=kept / max(patches, 1),
        scenes=scenes,
        patch_range=record.patch_range,
        pixel_range=record.pixel_range,
    )


def _table(scenes: Sequence[str], rounds: Sequence[Mapping[str, float]]) -> npt.NDArray[np.float64]:
    """Scenes×rounds, NaN where a round knows nothing of a scene."""
    nothing = float("nan")
    rows = [[shares.get(scene, nothing) for shares in rounds] for scene in scenes]
    return np.array(rows, dtype=np.float64).reshape(len(scenes), len(rounds))


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
