"""Choosing thresholds: pairs set aside, the map over the pool, and the next epoch."""

import math
import string
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Qt, Signal, SignalInstance, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.imaging.metrics import Side, SplitQuality
from smarthdr_studio.core.trust.explanation import Fact
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.core.trust.reliability import Part, part_flags
from smarthdr_studio.core.trust.thresholds import WhatIf, thresholds_for_share
from smarthdr_studio.core.words import counted
from smarthdr_studio.studio.project.current_scene import Stage
from smarthdr_studio.studio.project.pool import PoolController
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import PoolCharts, Snapshot, StudioState, refused
from smarthdr_studio.studio.widgets.controls import (
    ElidedLabel,
    button,
    caption,
    card,
    clear,
    duration,
    give_tip,
    percent,
)
from smarthdr_studio.studio.widgets.tables import FactTable

MOST_SNAPSHOTS = 8


class ThresholdController(QObject):
    """Never changes thresholds itself: `moved` and `settled` say which ones were found."""

    moved = Signal(object)
    settled = Signal(object)
    place_wanted = Signal(object)  # Place

    def __init__(self, store: Store, pool: PoolController, stage: Stage) -> None:
        super().__init__(store)
        self._store, self._pool, self._stage = store, pool, stage
        self._visited: set[str] = set()  # scenes that were asked for since the pool was read
        self._before: MaskSettings | None = None  # the hand moved them

    @Slot()
    def keep_snapshot(self) -> None:
        """Set this pair aside under the next free letter, unless it is there already."""
        state = self._store.state
        same = next((kept.name for kept in state.snapshots if kept.masks == state.masks), "")
        if same or len(state.snapshots) >= MOST_SNAPSHOTS:
            full = f"{MOST_SNAPSHOTS} pairs are set aside already; drop one first."
            words = f"{same} is this pair already." if same else full
            self._store.notice(refused(words))
            return
        taken = {kept.name for kept in state.snapshots}
        free = next(letter for letter in string.ascii_uppercase if letter not in taken)
        pool = state.pool.retained if state.pool else None
        scene = state.retained if state.replay is None else None  # that is of another round
        kept = Snapshot(name=free, masks=state.masks, pool=pool, scene=scene)
        self._store.become(snapshots=(*state.snapshots, kept))

    @Slot(str)
    def drop_snapshot(self, name: str) -> None:
        """Forget a pair."""
        left = tuple(kept for kept in self._store.state.snapshots if kept.name != name)
        self._store.become(snapshots=left)

    def recount(self) -> None:
        """What the pairs set aside keep of the scene and the pool of now."""
        state = self._store.state
        if state.snapshots and state.pool is not None:
            self._store.become(snapshots=tuple(map(self._counted, state.snapshots)))

    def _counted(self, kept: Snapshot) -> Snapshot:
        pool = self._pool.retention(kept.masks)
        of_now = self._stage.size is not None and self._store.state.replay is None
        scene = self._stage.share(kept.masks, pool=pool) if of_now else None
        return replace(kept, pool=pool.retained if pool else None, scene=scene)

    @Slot(float)
    def drop_moved(self, dropped: float) -> None:
        """Thresholds that drop this share, while the hand still moves."""
        self._before = self._before or self._store.state.masks
        self.moved.emit(self._dropping(dropped))

    @Slot()
    def drop_taken_back(self) -> None:
        """The hand meant nothing: thresholds as they were before it came."""
        before, self._before = self._before, None
        if before is not None:
            self.moved.emit(before)

    @Slot(float)
    def drop_settled(self, dropped: float) -> None:
        """Thresholds that drop this share, to be kept."""
        self._before = None
        self.settled.emit(self._dropping(dropped))

    @Slot()
    def back_to_paper(self) -> None:
        """The paper's thresholds and ranges."""
        self.settled.emit(replace(MaskSettings(), patch_size=self._store.state.masks.patch_size))

    def nudge(self, name: str, by: float) -> None:
        """One threshold a little up or down, by name ("tau_patch" or "tau_pixel")."""
        masks = self._store.state.masks
        wanted = min(max(round(getattr(masks, name) + by, 3), 0.0), 1.0)
        self.settled.emit(replace(masks, **{name: wanted}))

    @Slot()
    def least_trusted(self) -> None:
        """The least trustworthy region of the pool; asked again, of the next scene."""
        places = self._pool.least_trusted()
        if not places:
            words = "No scene has a pseudo-label yet: use the starter model, or train (Ctrl+T)."
            if self._store.state.busy or self._store.state.training.busy:
                words = "No scene has a pseudo-label yet: they come with what is at work."
            self._store.notice(refused(words))
            return
        fresh = [place for place in places if place.scene not in self._visited]
        if not fresh:
            self._visited, fresh = set(), list(places)
        self._visited.add(fresh[0].scene)
        self._take_offer_back()
        self.place_wanted.emit(fresh[0])

    def forget(self) -> None:
        """Another pool: the worst place comes first again."""
        self._visited = set()

    def _take_offer_back(self) -> None:
        """A notice that offers what was done has nothing to say any more."""
        notice = self._store.state.notice
        if notice is not None and any(offer.asks == "least_trusted" for offer in notice.offers):
            self._store.notice(None)

    def _dropping(self, dropped: float) -> MaskSettings:
        state = self._store.state
        of_scene = state.evidence.scope == "scene"
        share: Callable[[MaskSettings], float] = self._stage_share if of_scene else self._pool.share
        return thresholds_for_share(1 - dropped, state.masks, share=share)

    def _stage_share(self, masks: MaskSettings) -> float:
        part, clues = self._store.state.evidence.part, self._stage.clues
        of = None if part is Part.ALL or clues is None else part_flags(clues, part)
        return self._stage.share(masks, pool=self._pool.retention(masks), of=of)


MOST: Final = 8
_SHOWN: Final = 3  # rows in sight; more are scrolled to
_KEEP_TIP: Final = "Set both thresholds aside, to hold others against them"
_FULL_TIP: Final = f"{MOST} pairs are set aside already; drop one first"


class Snapshots(QWidget):
    """Says that a pair is to be set aside, taken up again, or dropped."""

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {"snapshots", "folder", "pool", "masks", "retained"}
    )

    snapshot_asked = Signal()
    snapshot_picked = Signal(object)
    snapshot_dropped = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[Snapshot, ...] = ()
        self._title = ElidedLabel(role="title")
        self._title.tell("Pairs to compare")
        self._keep = button("Keep this pair", tip=_KEEP_TIP, role="link")
        self._keep.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._grid, self._inside = QGridLayout(), QWidget()
        self._scroll = self._area()
        self._picks, self._drops = QButtonGroup(self), QButtonGroup(self)
        self._picks.setExclusive(False)
        self._shares: list[tuple[QLabel, QLabel]] = []
        frame, column = card(name="Pairs set aside", margin=8)
        column.setSpacing(2)
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self._keep)
        column.addLayout(head)
        column.addWidget(self._scroll)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self._keep.clicked.connect(self.snapshot_asked)
        self._picks.idClicked.connect(self._pick)
        self._drops.idClicked.connect(self._drop)

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Show the pairs, and how their shares differ from those of the pair on the screen."""
        if new.snapshots != self._shown:
            self._shown = new.snapshots
            self._fill()
        room = len(self._shown) < MOST
        self._keep.setEnabled(room and new.folder is not None)
        give_tip(self._keep, _KEEP_TIP if room else _FULL_TIP)
        pool = new.pool.retained if new.pool else None
        for place, kept in enumerate(self._shown):
            self._picks.button(place).setChecked(kept.masks == new.masks)
            for label, share, now in zip(
                self._shares[place], (kept.pool, kept.scene), (pool, new.retained), strict=True
            ):
                label.setText(compared(share, now))

    def _area(self) -> QScrollArea:
        self._inside.setObjectName("inside")
        self._inside.setLayout(self._grid)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(4)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnStretch(2, 1)
        self._grid.setAlignment(Qt.AlignmentFlag.AlignTop)
        area = QScrollArea(widgetResizable=True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(self._inside)
        area.hide()
        return area

    def _fill(self) -> None:
        for group in (self._picks, self._drops):
            for each in group.buttons():
                group.removeButton(each)
        clear(self._grid)
        self._shares = []
        for column, words in enumerate(("", "pool %", "scene %")):
            self._grid.addWidget(caption(words, role="muted"), 0, column)
        for place, kept in enumerate(self._shown):
            self._add(place, kept)
        rows = min(len(self._shown), _SHOWN)
        self._scroll.setVisible(rows > 0)
        line = self.fontMetrics().height()
        self._scroll.setFixedHeight(line + 2 + rows * (line + 8))
        bar = self._scroll.verticalScrollBar().sizeHint().width()
        more = bar if len(self._shown) > _SHOWN else 0
        self._scroll.setMinimumWidth(self._inside.minimumSizeHint().width() + more)

    def _add(self, place: int, kept: Snapshot) -> None:
        taus = f"{tau_words(kept.masks.tau_patch)} / {tau_words(kept.masks.tau_pixel)}"
        pick = button(f"{kept.name} {taus}", tip=_tip(kept))
        pick.setAccessibleName(f"Pair {kept.name}, τ_pa / τ_pi {taus}")
        pick.setCheckable(True)
        drop = button("×", tip=f"Drop pair {kept.name}", role="link")
        drop.setAccessibleName(f"Drop pair {kept.name}")
        for each, padding in ((pick, "1px 6px"), (drop, "1px 5px")):
            each.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            each.setStyleSheet(f"QPushButton {{ padding: {padding}; text-align: left; }}")
        self._picks.addButton(pick, place)
        self._drops.addButton(drop, place)
        shares = caption(""), caption("")
        for label, of in zip(shares, ("pool", "scene"), strict=True):
            label.setToolTip(
                f"Share of the {of} that pair {kept.name} retains, and by how many percentage"
                " points that is more or less than the pair on the screen retains"
            )
        self._shares.append(shares)
        cells: tuple[QWidget, ...] = (pick, *shares, drop)
        for column, cell in enumerate(cells):
            self._grid.addWidget(cell, place + 1, column)

    @Slot(int)
    def _pick(self, place: int) -> None:
        # What is marked is what is on the screen, not what was clicked.
        self._button(place).setChecked(False)
        self.snapshot_picked.emit(self._shown[place].masks)

    @Slot(int)
    def _drop(self, place: int) -> None:
        self.snapshot_dropped.emit(self._shown[place].name)

    def _button(self, place: int) -> QPushButton:
        found = self._picks.button(place)
        assert isinstance(found, QPushButton)
        return found


def tau_words(tau: float) -> str:
    """A threshold with two decimals, or with three where it needs them."""
    words = f"{tau:.3f}"
    return words[:-1] if words.endswith("0") else words


def compared(share: float | None, now: float | None) -> str:
    """A share in percent, and how many points more or less than now that is."""
    words = percent(share).removesuffix(" %")
    if share is None or now is None:
        return words
    points = round(100 * (share - now))
    sign = "+" if points > 0 else "−" if points < 0 else "±"
    return f"{words} {sign}{abs(points)}"


def _tip(kept: Snapshot) -> str:
    shares = ", ".join(
        f"{percent(share, decimals=1)} of the {of}"
        for share, of in ((kept.pool, "pool"), (kept.scene, "scene"))
        if share is not None
    )
    return (
        f"Use these thresholds again; they retain {shares}"
        if shares
        else "Use these thresholds again"
    )


_SHARES: Final = (0.7, 0.8, 0.9)
_SET_ASIDE_TIP: Final = (
    "Move both thresholds to the nearest pair on the {share} line of the map. Between the pairs it"
    " was worked out for, the map is read evenly: the share may differ a little"
)


class PoolMap(QWidget):
    """Says which pair of thresholds was picked on the map placed in it."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"masks", "charts"})

    masks_moved = Signal(object)
    masks_settled = Signal(object)
    keep_asked = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self._masks = MaskSettings()
        frame, self._column = card(name="Retained share of the pool")
        self._title = ElidedLabel(role="title")
        self._title.tell("Pool retained")
        self._group = QButtonGroup(self)
        self._keep = {share: button(f"{share:.0%}".replace("%", " %"), tip="") for share in _SHARES}
        self._column.addLayout(self._head())
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def place(self, chart: QWidget, *, picked: SignalInstance, released: SignalInstance) -> None:
        """Put the map into the frame and listen to the hand on it."""
        self._column.addWidget(chart, 1)
        picked.connect(self._move)
        released.connect(self._settle)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Know the other settings of the masks, and which shares can be kept at all."""
        self._masks = new.masks
        if old.charts is not new.charts:
            self._offer(new.charts)

    def _head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self._title, 1)
        for share, each in self._keep.items():
            each.setAccessibleName(f"Retain {each.text()}")
            each.setStyleSheet("QPushButton { padding: 1px 5px; }")
            each.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self._group.addButton(each, round(100 * share))
            row.addWidget(each)
        self._group.idClicked.connect(self._ask)
        self._offer(None)
        return row

    def _offer(self, charts: PoolCharts | None) -> None:
        for share, each in self._keep.items():
            words = each.text()
            reachable = charts is not None and _reaches(charts.map, share)
            if charts is None:
                give_tip(each, "Known once pseudo-labels exist")
            elif reachable:
                give_tip(each, _SET_ASIDE_TIP.format(share=words))
            else:
                give_tip(each, f"No pair of thresholds retains {words} of this pool")
            each.setEnabled(reachable)

    @Slot(int)
    def _ask(self, percent: int) -> None:
        self.keep_asked.emit(percent / 100)

    @Slot(float, float)
    def _move(self, patch: float, pixel: float) -> None:
        self.masks_moved.emit(replace(self._masks, tau_patch=patch, tau_pixel=pixel))

    @Slot(float, float)
    def _settle(self, patch: float, pixel: float) -> None:
        self.masks_settled.emit(replace(self._masks, tau_patch=patch, tau_pixel=pixel))


def _reaches(shares: npt.NDArray[np.float64], level: float) -> bool:
    return bool(shares.size and shares.min() <= level <= shares.max())


_MILLION: Final = 1_000_000
_TIPS: Final = {
    "pixels": "Trusted pixels of all unlabelled scenes: what the next epoch would learn from",
    "patches": "Patches of all unlabelled scenes that the patch gate retains",
    "crops": (
        "Training crops that retain at least one trusted pixel; the others would teach nothing."
        " Two numbers where statistics of patches only bound it"
    ),
    "kept": "Pixels of this scene that both gates retain: how many, and their error",
    "dropped": "All other pixels of this scene: how many, and their error",
}
_OF_VERDICT: Final = (
    "Whether the pseudo-label of this scene is worse where it is dropped than where it is kept, by "
    "PSNR against ground truth, on the μ-law and on linear radiance"
)


class WhatIfPanel(QWidget):
    """A few lines of numbers that follow the thresholds."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"what_if", "quality"})

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
        self._verdict = caption("")
        self._verdict.setWordWrap(True)
        self._verdict.setToolTip(_OF_VERDICT)
        column.addWidget(self._verdict)
        column.addWidget(self._table)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self._show(None, "")

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show what the thresholds would mean."""
        if (old.what_if, old.quality) != (new.what_if, new.quality):
            self._show(new.what_if, new.quality)

    def _show(self, what_if: WhatIf | None, split: SplitQuality | str) -> None:
        self._table.show_facts(facts(what_if, split))
        words = split if isinstance(split, str) else verdict(split)
        self._verdict.setText(words)
        self._verdict.setVisible(bool(words))
        self._epoch.tell(epoch_words(what_if))


def facts(what_if: WhatIf | None, split: SplitQuality | str) -> tuple[Fact, ...]:
    """The lines of the table."""
    quality: tuple[Fact, ...] = ()
    if isinstance(split, SplitQuality):
        whole = split.kept.pixels + split.dropped.pixels
        quality = (
            Fact(name="kept here", value=side_words(split.kept, whole)),
            Fact(name="dropped here", value=side_words(split.dropped, whole)),
        )
    if what_if is None:
        return (Fact(name="pixels", value="known once pseudo-labels exist"), *quality)
    w = what_if
    return (
        Fact(name="pixels", value=share_words(w.trusted_pixels, w.pixels)),
        Fact(name="patches", value=share_words(w.kept_patches, w.patches)),
        Fact(name="crops", value=crops_words(w)),
        *quality,
    )


def epoch_words(what_if: WhatIf | None) -> str:
    """How long one epoch over the kept crops would take."""
    if what_if is None:
        return ""
    seconds = what_if.epoch_seconds
    if seconds is None:
        return "an epoch: known after a run"
    return f"an epoch: about {duration(seconds)}"


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


def side_words(side: Side, whole: int) -> str:
    """Both PSNR of one side of the mask and, below, its pixels; none is said in words."""
    if not side.pixels:
        return "no pixel"
    share = percent(side.pixels / whole)
    decibels = f"{_decibels(side.psnr_mu)} dB μ, {_decibels(side.psnr_l)} dB l"
    words = f"{decibels} ·\n{share} · {side.pixels:,} px"
    for unit in ("dB", "μ", "l", "%", "px"):  # a figure stays beside its unit
        words = words.replace(f" {unit}", f"\N{NO-BREAK SPACE}{unit}")
    return words


_WORSE_DB: Final = 1.0
_LEAST_PIXELS: Final = 100


def verdict(split: SplitQuality) -> str:
    """Whether the masks drop what is wrong: dropped pixels are worse by 1 dB, by which measure."""
    kept, dropped = split.kept, split.dropped
    if not kept.pixels or not dropped.pixels:
        return "nothing is dropped here" if kept.pixels else "nothing is kept here"
    few = min((kept.pixels, "kept"), (dropped.pixels, "dropped"))
    if few[0] < _LEAST_PIXELS:
        return f"only {counted(few[0], 'pixel')} {few[1]} here: too few to judge by"
    by_mu, by_l = _gap(kept.psnr_mu, dropped.psnr_mu), _gap(kept.psnr_l, dropped.psnr_l)
    worse = by_mu >= _WORSE_DB, by_l >= _WORSE_DB
    if all(worse):
        return f"dropped pixels are worse here: by {by_mu:.1f} dB μ, {by_l:.1f} dB l"
    if not any(worse):
        return "dropped pixels are no worse than kept ones here"
    by, where, other = (
        (by_mu, "on the μ-law", "on linear radiance")
        if worse[0]
        else (by_l, "on linear radiance", "on the μ-law")
    )
    return f"dropped pixels are worse {where} by {by:.1f} dB, but not {other}"


def _gap(kept: float, dropped: float) -> float:
    """How many dB dropped pixels are worse; two sides without error are equal."""
    return 0.0 if kept == dropped else kept - dropped


def _decibels(value: float) -> str:
    return "∞" if math.isinf(value) else f"{value:.1f}"
