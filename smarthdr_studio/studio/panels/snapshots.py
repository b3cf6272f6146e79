"""Pairs of thresholds set aside, held against the pair on the screen."""

from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
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

from smarthdr_studio.studio.panels.parts import ElidedLabel, button, caption, card, clear, percent
from smarthdr_studio.studio.state import Snapshot, StudioState

MOST: Final = 8
_SHOWN: Final = 3  # rows in sight; more are scrolled to
_KEEP_TIP: Final = "Set both thresholds aside, to hold others against them"
_FULL_TIP: Final = f"{MOST} pairs are set aside already; drop one first"


class Snapshots(QWidget):
    """Says that a pair is to be set aside, taken up again, or dropped."""

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
        self._keep.setToolTip(_KEEP_TIP if room else _FULL_TIP)
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
                f"Share of the {of} that pair {kept.name} keeps, and by how many percentage points"
                " that is more or less than the pair on the screen keeps"
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
        f"{100 * share:.1f} % of the {of}"
        for share, of in ((kept.pool, "pool"), (kept.scene, "scene"))
        if share is not None
    )
    return (
        f"Use these thresholds again; they keep {shares}"
        if shares
        else "Use these thresholds again"
    )
