"""What runs came to, in words: facts of one, or the figures of several with the best one told."""

from collections.abc import Callable, Sequence
from math import isnan
from typing import Final

from smarthdr_studio.core.explanation import Fact
from smarthdr_studio.core.running.listing import RunRow
from smarthdr_studio.core.runs import SavedCheckpoint, best_of, saved_checkpoints
from smarthdr_studio.studio.state import Contrast

_NOTHING: Final = "–"

_Value = float | None
# Name, value, how it is written, and whether more (1) or less (−1) is better; 0 is neither.
_FIGURES: Final[tuple[tuple[str, Callable[[RunRow], _Value], str, int], ...]] = (
    ("best PSNR-μ", lambda row: row.best.psnr_mu if row.best else None, "{:.2f} dB", 1),
    ("best PSNR-l", lambda row: row.best.psnr_l if row.best else None, "{:.2f} dB", 1),
    ("best SSIM-μ", lambda row: row.best.ssim_mu if row.best else None, "{:.4f}", 1),
    ("found at step", lambda row: row.best.step if row.best else None, "{:,.0f}", 0),
    ("last PSNR-μ", lambda row: row.last_psnr_mu, "{:.2f} dB", 1),
    ("retained", lambda row: row.retained, "{:.1%}", 0),
    ("labels", lambda row: row.labels.labelled + row.labels.promoted, "{:.0f}", 0),
    ("held out", lambda row: row.labels.held_out, "{:.0f}", 0),
    ("epochs", lambda row: row.epoch, "{:.0f}", 0),
    ("steps", lambda row: row.step, "{:,.0f}", 0),
    ("rounds", lambda row: row.rounds, "{:.0f}", 0),
    ("took", lambda row: row.seconds / 60, "{:.1f} min", 0),
    ("disk", lambda row: row.disk_bytes / 2**20, "{:.0f} MiB", 0),
)


def figures_of(rows: Sequence[RunRow]) -> tuple[Contrast, ...]:
    """Every figure of these runs; the best one is told where one is better than all others."""
    return tuple(
        _figure(name, [value(row) for row in rows], form, sign)
        for name, value, form, sign in _FIGURES
        if any(value(row) is not None for row in rows)
    )


def facts_of(row: RunRow) -> tuple[Fact, ...]:
    """One run in a few lines."""
    best, far = row.best, f"{row.epoch} of {row.epochs} epochs" if row.epochs else _NOTHING
    told = [
        Fact(name="run", value=row.id),
        Fact(name="learns by", value=f"{row.system}, {row.network or _NOTHING}"),
        Fact(name="on", value=row.device or _NOTHING),
        Fact(name="has come to", value=far, beside=f"step {row.step:,}, round {row.rounds}"),
    ]
    if best is not None:
        ssim = "" if best.ssim_mu is None else f", SSIM-μ {best.ssim_mu:.4f}"
        beside = f"PSNR-l {best.psnr_l:.2f} dB{ssim}, step {best.step:,}"
        told.append(Fact(name="best PSNR-μ", value=f"{best.psnr_mu:.2f} dB", beside=beside))
    if row.last_psnr_mu is not None:
        told.append(Fact(name="last PSNR-μ", value=f"{row.last_psnr_mu:.2f} dB"))
    if row.retained is not None:
        told.append(Fact(name="retained", value=f"{row.retained:.1%}".replace("%", " %")))
    return tuple(told)


def checkpoints_of(row: RunRow) -> tuple[str, ...]:
    """Every checkpoint of a run in words, the latest first; the best one is told."""
    found = saved_checkpoints(row.folder)
    best = best_of(found)
    return tuple(_checkpoint(each, is_best=each is best) for each in reversed(found))


def _checkpoint(saved: SavedCheckpoint, *, is_best: bool) -> str:
    words = f"step {saved.step:,}"
    if saved.psnr_mu is not None:
        words += f" · {saved.psnr_mu:.2f} dB"
    return f"{words} ▲ best" if is_best else words


def _figure(name: str, values: Sequence[_Value], form: str, sign: int) -> Contrast:
    words = [_NOTHING if value is None else form.format(value) for value in values]
    best = None
    scored = [
        (sign * value, place)
        for place, value in enumerate(values)
        if value is not None and not isnan(value)
    ]
    if sign and len(scored) > 1:
        place = max(scored)[1]
        # No winner where the figures read the same.
        if [words[at] for _, at in scored].count(words[place]) == 1:
            best = place
    return Contrast(name=name, values=tuple(word.replace("%", " %") for word in words), best=best)
