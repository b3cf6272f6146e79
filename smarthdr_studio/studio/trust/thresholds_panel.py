"""What is trusted: both thresholds, and what they retain of the scene and of the pool."""

from dataclasses import replace
from typing import ClassVar, Final

from PySide6.QtCore import Qt, Signal, SignalInstance, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.trust.masking import Level, MaskSettings, Scope
from smarthdr_studio.core.words import tau_words
from smarthdr_studio.studio.plots.chart import Chart
from smarthdr_studio.studio.state import StudioState
from smarthdr_studio.studio.widgets.controls import (
    Choice,
    ElidedLabel,
    button,
    caption,
    card,
    describe,
    percent,
)
from smarthdr_studio.studio.widgets.slider import KeyedSlider, NumberField

# What a menu offers: words, and the settings they stand for.
RANGES: Final = {
    "min–max": Level(normalisation="minmax"),
    "percentiles 1–99": Level(normalisation="percentile", low_percentile=1, high_percentile=99),
    "percentiles 0.1–99.9": Level(
        normalisation="percentile", low_percentile=0.1, high_percentile=99.9
    ),
    "σ itself": Level(normalisation="absolute"),
}
SCOPES: Final[tuple[Scope, ...]] = ("pool", "scene")
_QUIET: Final = """
QToolButton { border: 1px solid transparent; border-radius: 4px; background: transparent;
  color: palette(placeholder-text); padding: 0 3px; }
QToolButton:hover, QToolButton:focus { border-color: palette(link); color: palette(text); }
QToolButton::menu-indicator { image: none; width: 0; }
"""


class LevelChoice(QToolButton):
    """A quiet button that says how scores are made; its menu says how else they could be."""

    picked = Signal(object)

    def __init__(self, *, score: str) -> None:
        super().__init__()
        self._level = Level()
        self._shown: Level | None = None
        self._menu = QMenu(self)
        self._ranges, self._scopes = QActionGroup(self), QActionGroup(self)
        self._menu.addSection(f"{score} is 0 and 1 at")
        self._fill(self._ranges, tuple(RANGES))
        self._menu.addSection("over each")
        self._fill(self._scopes, SCOPES)
        self.setMenu(self._menu)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setStyleSheet(_QUIET)
        self.setAccessibleName(f"How {score} is normalised")
        self.setToolTip(
            f"How {score} is made of σ: the least and greatest σ score 0 and 1, or two percentiles"
            " do, which one outlier cannot move; of the whole pool or of each scene by itself. Or a"
            f" score is σ itself, 1 from {Level().sigma_at_one:g} on, whatever pool or scene"
        )
        self._ranges.triggered.connect(self._range_picked)
        self._scopes.triggered.connect(self._scope_picked)
        self.show_level(self._level)

    def show_level(self, level: Level) -> None:
        """Show how scores are made."""
        self._level = level
        if level == self._shown:
            return
        self._shown, words = level, level.range_words
        for action in self._ranges.actions():
            action.setChecked(action.text() == words)
        for action in self._scopes.actions():
            action.setChecked(action.text() == level.scope)
        for action in self._scopes.actions():
            action.setEnabled(level.fixed_range is None)
        short = words.replace("percentiles ", "") + " %" if "percentiles" in words else words
        over = "" if level.fixed_range is not None else level.scope
        self.setText(" · ".join(filter(None, (short, over))) + " ▾")
        self.setAccessibleDescription(level.words)

    def _fill(self, group: QActionGroup, words: tuple[str, ...]) -> None:
        for each in words:
            action = QAction(each, group)
            action.setCheckable(True)
            self._menu.addAction(action)

    @Slot(QAction)
    def _range_picked(self, action: QAction) -> None:
        self.picked.emit(replace(RANGES[action.text()], scope=self._level.scope))

    @Slot(QAction)
    def _scope_picked(self, action: QAction) -> None:
        self.picked.emit(replace(self._level, scope=SCOPES[self._scopes.actions().index(action)]))


def same_scores(first: Level, second: Level) -> bool:
    """Whether both make the same scores; percentiles say nothing where min–max is used."""
    return first.words == second.words


_DECIMALS: Final = 4  # of a threshold that is typed
_STEPS: Final = 100


class _TauField(NumberField):
    """Shows no more decimals than a threshold has, and all that count."""

    def textFromValue(self, value: float) -> str:  # noqa: N802 - called by Qt
        """As everywhere."""
        return tau_words(value)


class ThresholdControl(QWidget):
    """Says where the hand moves the threshold, and where it left it."""

    moved = Signal(float)
    settled = Signal(float)
    level_picked = Signal(object)

    def __init__(self, *, symbol: str, what: str, score: str, tip: str) -> None:
        super().__init__()
        self._score = score
        self._shown = -1.0
        self._scope = "pool"
        self._histogram: Chart | None = None
        self._slider = KeyedSlider()
        self._slider.setRange(0, _STEPS)
        self._slider.setPageStep(_STEPS // 10)
        self._number = _TauField(
            minimum=0.0, maximum=1.0, singleStep=1 / _STEPS, decimals=_DECIMALS
        )
        self._number.setFixedWidth(self.fontMetrics().horizontalAdvance("0.0000") + 12)
        # Half a number typed is not yet a threshold.
        self._number.setKeyboardTracking(False)
        describe(self._slider, name=f"{symbol} {what}", tip=tip)
        describe(self._number, name=f"{symbol} {what}, number", tip=tip)
        self._level = LevelChoice(score=score)
        self._whose = ElidedLabel(role="muted")
        self._column = QVBoxLayout(self)
        self._lay_out(symbol, what)
        self._level.picked.connect(self.level_picked)
        self._slider.valueChanged.connect(self._slid)
        self._slider.sliderReleased.connect(self._released)
        self._number.valueChanged.connect(self._typed)
        self._number.editingFinished.connect(self._leave_number)

    def show_value(self, value: float) -> None:
        """Show a threshold without saying that somebody moved it; not while a hand holds it.

        What follows a hand may come later than the hand.
        """
        if value != self._shown and not self._slider.isSliderDown():
            self._shown = value
            self._slider.setValue(round(value * _STEPS))
            self._number.setValue(value)

    def show_level(self, level: Level) -> None:
        """Show how the scores are made."""
        self._level.show_level(level)

    def show_scope(self, scope: str) -> None:
        """Say whose scores the histogram counts."""
        self._scope = scope
        self._tell_whose()

    def listen_to(self, dragged: SignalInstance, released: SignalInstance) -> None:
        """Take the hand on a histogram for a hand on the slider."""
        dragged.connect(self.moved)
        released.connect(self.settled)

    def place_histogram(self, histogram: Chart) -> None:
        """Put the histogram under the slider."""
        self._histogram = histogram
        histogram.rearranged.connect(self._tell_whose)
        self._column.addWidget(histogram, 1)
        self._tell_whose()

    @Slot()
    def _tell_whose(self) -> None:
        """Whose scores are counted, and whether half the height is not half of them."""
        words = f"{self._score} of {self._scope}"
        if self._histogram is not None and self._histogram.log:
            self._whose.tell(f"{words} · logarithmic", f"{words} · log", words)
        else:
            self._whose.tell(words)

    def _lay_out(self, symbol: str, what: str) -> None:
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(caption(f"<b>{symbol}</b> {what}"))
        row.addWidget(self._slider, 1)
        row.addWidget(self._number)
        self._column.addLayout(row)
        below = QHBoxLayout()
        below.setSpacing(4)
        below.addWidget(self._whose, 1)
        below.addWidget(self._level)
        self._column.addLayout(below)

    @Slot(int)
    def _slid(self, step: int) -> None:
        # A threshold set from elsewhere may lie between two steps of the slider.
        if step != round(self._shown * _STEPS):
            held = self._slider.isSliderDown()
            if held:
                self._shown = step / _STEPS
                self._number.setValue(self._shown)
            self._say(step / _STEPS, final=not held)

    @Slot(float)
    def _typed(self, value: float) -> None:
        if value != round(self._shown, _DECIMALS):
            self._say(value, final=True)

    @Slot()
    def _released(self) -> None:
        self.settled.emit(self._shown)

    @Slot()
    def _leave_number(self) -> None:
        # The arrow keys belong to the scene list again.
        self._number.leave()

    def _say(self, value: float, *, final: bool) -> None:
        self.moved.emit(value)
        if final:
            self.settled.emit(value)


_PAPER = MaskSettings()
_SCOPES = {
    "pool": "Both histograms count the scores of all unlabelled scenes",
    "scene": "Both histograms count the scores of the scene on the screen",
    "region": "Both histograms count the scores inside the region",
}


class ThresholdsPanel(QWidget):
    """Two thresholds; says which ones the person picked."""

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {
            "masks",
            "scope",
            "region",
            "charts",
            "retained",
            "pool",
            "replay",
            "past",
            "heat",
            "shown",
        }
    )

    masks_moved = Signal(object)
    masks_settled = Signal(object)
    scope_picked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._masks = MaskSettings()
        self.patches = ThresholdControl(
            symbol="τ_pa",
            what="patches",
            score="S_pa",
            tip="Patches of 64×64 whose score S_pa is above this are not trusted",
        )
        self.pixels = ThresholdControl(
            symbol="τ_pi",
            what="pixels",
            score="S_pi",
            tip="Pixels inside retained patches whose score S_pi is above this are not trusted",
        )
        self._title = ElidedLabel(role="title")
        self._title.tell("Scores")
        self._scope = Choice(_SCOPES, name="Scores of")
        self._reset = button("Reset", tip=f"Back to the paper's: {in_words(_PAPER)}", role="link")
        self._reset.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._scene, self._pool, self._pool_patches = (QLabel("–") for _ in range(3))
        self._pool_name, self._past = caption("pool", role="muted"), ElidedLabel()
        self._lay_out()
        self._connect()

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Show thresholds and shares."""
        self._masks = new.masks
        self.patches.show_value(new.masks.tau_patch)
        self.pixels.show_value(new.masks.tau_pixel)
        self.patches.show_level(new.masks.patches)
        self.pixels.show_level(new.masks.pixels)
        self._reset.setEnabled(not _like_paper(new.masks))
        self._show_scope(new)
        self._show_shares(new)

    def place_below(self, part: QWidget) -> None:
        """Put something under the shares, in the same frame."""
        self._inside.addWidget(part)

    def _show_scope(self, new: StudioState) -> None:
        self._scope.show_word(new.scope)
        self._scope.offer(
            "region", refusal="" if new.region else "Mark a region in a picture first"
        )
        counted = new.charts.scope if new.charts else new.scope
        self.patches.show_scope(counted)
        self.pixels.show_scope(counted)

    def _show_shares(self, new: StudioState) -> None:
        """Scene and pool of one moment: now, or the round that is replayed."""
        past, replayed = new.past, new.replay is not None
        pool = (past.pool if past else None) if replayed else new.pool
        retained = (
            (past.scenes.get(new.shown or "") if past else None) if replayed else new.retained
        )
        self._past.tell(past_in_words(new))
        self._past.setVisible(replayed)
        self._scene.setText(percent(retained))
        self._pool.setText(percent(pool.retained if pool else None))
        self._pool_patches.setText(percent(pool.patches_retained if pool else None))
        self._pool_name.setText(f"pool of {pool.scenes}" if pool else "pool")

    def _lay_out(self) -> None:
        frame, column = card(name="Reliability", margin=8)
        self._inside = column
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self._title, 1)
        head.addWidget(self._scope)
        head.addWidget(self._reset)
        column.addLayout(head)
        column.addWidget(self.patches, 1)
        column.addWidget(self.pixels, 1)
        shares = QVBoxLayout()
        shares.setSpacing(0)  # in a low window there is not a line more room
        shares.addWidget(self._past)
        shares.addLayout(self._tiles())
        column.addLayout(shares)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def _tiles(self) -> QGridLayout:
        tiles = QGridLayout()
        tiles.setSpacing(6)
        names = (
            caption("scene", role="muted"),
            self._pool_name,
            caption("pool patches", role="muted"),
        )
        figures = (self._scene, self._pool, self._pool_patches)
        tips = (
            "Share of this scene's pixels that are trusted",
            "Share of the pixels of all unlabelled scenes that are trusted",
            "Share of the patches of all unlabelled scenes that are retained",
        )
        for place, (name, figure, tip) in enumerate(zip(names, figures, tips, strict=True)):
            tiles.addWidget(_tile(name, figure, tip=tip), 0, place)
            tiles.setColumnStretch(place, 1)
        return tiles

    def _connect(self) -> None:
        self.patches.moved.connect(self._move_patches)
        self.patches.settled.connect(self._settle_patches)
        self.pixels.moved.connect(self._move_pixels)
        self.pixels.settled.connect(self._settle_pixels)
        self.patches.level_picked.connect(self._make_patches)
        self.pixels.level_picked.connect(self._make_pixels)
        self._scope.picked.connect(self.scope_picked)
        self._reset.clicked.connect(self._back_to_paper)

    @Slot(float)
    def _move_patches(self, tau: float) -> None:
        self.masks_moved.emit(replace(self._masks, tau_patch=tau))

    @Slot(float)
    def _settle_patches(self, tau: float) -> None:
        self.masks_settled.emit(replace(self._masks, tau_patch=tau))

    @Slot(float)
    def _move_pixels(self, tau: float) -> None:
        self.masks_moved.emit(replace(self._masks, tau_pixel=tau))

    @Slot(float)
    def _settle_pixels(self, tau: float) -> None:
        self.masks_settled.emit(replace(self._masks, tau_pixel=tau))

    @Slot(object)
    def _make_patches(self, level: Level) -> None:
        self.masks_settled.emit(replace(self._masks, patches=level))

    @Slot(object)
    def _make_pixels(self, level: Level) -> None:
        self.masks_settled.emit(replace(self._masks, pixels=level))

    @Slot()
    def _back_to_paper(self) -> None:
        self.masks_settled.emit(replace(_PAPER, patch_size=self._masks.patch_size))


def past_in_words(state: StudioState) -> str:
    """Which round the shares are of, "" where they are of now; τ and charts are always of now."""
    if state.replay is None:
        return ""
    now = state.heat is not None and state.heat.now
    return f"Replayed round {state.replay}, {'by τ of now' if now else 'as it was used'}:"


def in_words(masks: MaskSettings) -> str:
    """Both thresholds and how their scores are made."""
    return (
        f"τ_pa {tau_words(masks.tau_patch)}, {masks.patches.words};"
        f" τ_pi {tau_words(masks.tau_pixel)}, {masks.pixels.words}"
    )


def _like_paper(masks: MaskSettings) -> bool:
    return (
        (masks.tau_patch, masks.tau_pixel) == (_PAPER.tau_patch, _PAPER.tau_pixel)
        and same_scores(masks.patches, _PAPER.patches)
        and same_scores(masks.pixels, _PAPER.pixels)
    )


def _tile(name: QLabel, figure: QLabel, *, tip: str) -> QFrame:
    tile = QFrame()
    tile.setObjectName("tile")
    tile.setToolTip(tip)
    figure.setProperty("role", "figure")
    figure.setAccessibleDescription(tip)
    column = QVBoxLayout(tile)
    column.setContentsMargins(8, 4, 8, 4)
    column.setSpacing(0)
    column.addWidget(name)
    column.addWidget(figure)
    return tile
