"""What the thresholds on the screen would mean for the next epoch."""

import math
from typing import Final

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from smarthdr_studio.core.explanation import Fact
from smarthdr_studio.core.what_if import WhatIf
from smarthdr_studio.studio.panels.fact_table import FactTable
from smarthdr_studio.studio.panels.parts import ElidedLabel, caption, card, duration, percent
from smarthdr_studio.studio.state import StudioState

_MILLION: Final = 1_000_000
_TIPS: Final = {
    "pixels": "Trusted pixels of all unlabelled scenes: what the next epoch would learn from",
    "patches": "Patches of all unlabelled scenes that the patch gate keeps",
    "crops": (
        "Training crops that keep at least one trusted pixel; the others would teach nothing."
        " Two numbers where statistics of patches only bound it"
    ),
    "PSNR-μ": (
        "Of this scene's pseudo-label against ground truth: over trusted pixels, and over the rest"
    ),
}


class WhatIfPanel(QWidget):
    """A few lines of numbers that follow the thresholds."""

    def __init__(self) -> None:
        super().__init__()
        self._table = FactTable(name="What if", tips=_TIPS)
        self._epoch = ElidedLabel(role="muted")
        self._epoch.setAlignment(Qt.AlignmentFlag.AlignRight)
        frame, column = card(name="What if", margin=8)
        column.setSpacing(2)
        head = QHBoxLayout()
        head.addWidget(caption("What if", role="title"))
        head.addWidget(self._epoch, 1)
        column.addLayout(head)
        column.addWidget(self._table)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self._show(None, None)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show what the thresholds would mean."""
        if (old.what_if, old.split_psnr) != (new.what_if, new.split_psnr):
            self._show(new.what_if, new.split_psnr)

    def _show(self, what_if: WhatIf | None, split: tuple[float, float] | None) -> None:
        self._table.show_facts(facts(what_if, split))
        self._epoch.tell(epoch_words(what_if))


def facts(what_if: WhatIf | None, split: tuple[float, float] | None) -> tuple[Fact, ...]:
    """The lines of the table."""
    quality = Fact(name="PSNR-μ", value=split_words(split))
    if what_if is None:
        return (Fact(name="pixels", value="known once pseudo-labels exist"), quality)
    w = what_if
    return (
        Fact(name="pixels", value=share_words(w.trusted_pixels, w.pixels)),
        Fact(name="patches", value=share_words(w.kept_patches, w.patches)),
        Fact(name="crops", value=crops_words(w)),
        quality,
    )


def epoch_words(what_if: WhatIf | None) -> str:
    """How long one epoch over the kept crops would take."""
    if what_if is None:
        return ""
    seconds = what_if.epoch_seconds
    if seconds is None:
        return "epoch time: known after the first run"
    return f"epoch in about {duration(seconds)}"


def share_words(part: int, whole: int) -> str:
    """N of m and the share, in millions where there are many: 17.8 of 19.5 M · 91 %."""
    share = percent(part / whole if whole else None)
    if whole < _MILLION:
        return f"{part:,} of {whole:,} · {share}"
    digits = 1 if whole >= 10 * _MILLION else 2
    return f"{part / _MILLION:.{digits}f} of {whole / _MILLION:.{digits}f} M · {share}"


def crops_words(what_if: WhatIf) -> str:
    """How many crops of how many keep something, between both bounds."""
    least, most = what_if.crops_at_least, what_if.crops_at_most
    kept = f"{least:,}" if least == most else f"{least:,}–{most:,}"
    return f"{kept} of {what_if.crops:,}"


def split_words(split: tuple[float, float] | None) -> str:
    """DB of trusted and of untrusted pixels; a side without pixels is named."""
    if split is None:
        return "no ground truth here"
    trusted, untrusted = split
    if math.isnan(trusted) and math.isnan(untrusted):
        return "no pixels"
    if math.isnan(untrusted):
        return f"{_decibels(trusted)}, all trusted"
    if math.isnan(trusted):
        return f"{_decibels(untrusted)}, none trusted"
    return f"{_decibels(trusted)} trusted, {_decibels(untrusted)} not"


def _decibels(value: float) -> str:
    return "∞ dB" if math.isinf(value) else f"{value:.1f} dB"
