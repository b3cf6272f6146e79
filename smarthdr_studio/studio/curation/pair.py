"""Two scenes side by side: the one on the screen, and another one on a stage of its own."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.display import Layer
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.curation.scene_model import decibels, trend_in_words
from smarthdr_studio.studio.project.current_scene import Stage
from smarthdr_studio.studio.project.scene_loader import LoadedScene, SceneFiles, load_scene
from smarthdr_studio.studio.project.screen import Screen
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import Centre, StudioState
from smarthdr_studio.studio.tasks import LatestTask, TaskRunner, plain
from smarthdr_studio.studio.widgets.controls import (
    ElidedLabel,
    button,
    caption,
    card,
    describe,
    give_role,
    percent,
    small,
)

_VIEWS: Final = 2


class PairController(QObject):
    """Loads and paints the other scene while both are looked at; nothing of it otherwise."""

    painted = Signal(int, int, object)  # side, view, Painted
    sized = Signal(int, int, int)  # side, width, height

    def __init__(self, store: Store, tasks: TaskRunner, screen: Screen) -> None:
        super().__init__(store)
        self._store, self._screen = store, screen
        self.stage = Stage()
        self._loading = LatestTask(tasks)
        self._coming: str | None = None  # the scene that was asked for last
        self._before: str | None = None  # the current scene before this one
        self._repaint = QTimer(self, singleShot=True, interval=0)
        self._repaint.timeout.connect(self._paint)
        screen.trust_updated.connect(self.refresh)
        screen.viewing.repaint_wanted.connect(self._paint_soon)
        store.changed.connect(self._remember)
        store.switched.connect(self._switch)

    @property
    def _state(self) -> StudioState:
        return self._store.state

    @property
    def _seen(self) -> bool:
        return self._store.project is not None and self._state.centre is Centre.PAIR

    @property
    def nbytes(self) -> int:
        """Memory held by the other scene's finished pictures."""
        return self.stage.nbytes

    @Slot()
    def _switch(self) -> None:
        self._before = None
        self.stage.clear()

    def rest(self) -> None:
        """Paint no more."""
        self._repaint.stop()

    @Slot(str)
    def pick(self, scene: str) -> None:
        """Hold this scene beside the current one; the same one makes them change places."""
        if scene == self._state.current:
            self.swap()
        else:
            self._store.become(pair=scene)
            self.refresh()

    @Slot()
    def swap(self) -> None:
        """Left becomes right."""
        state = self._state
        if state.current is not None and state.pair is not None:
            self._store.become(pair=state.current)
            self._screen.pick(state.pair)

    @Slot(int, str)
    def set_layer(self, view: int, layer: str) -> None:
        """Show a layer in one view of both scenes; 0 is the upper one."""
        layers = list(self._state.beside.layers)
        layers[view] = Layer(layer)
        self._store.become(beside=replace(self._state.beside, layers=(layers[0], layers[1])))
        self._repaint.start()

    def activate(self, side: int) -> None:
        """Decisions are about the scene of this side."""
        if side != self._state.beside.side:
            self._store.become(beside=replace(self._state.beside, side=side))

    @property
    def chosen(self) -> tuple[str, ...]:
        """The scene that decisions are about."""
        state = self._state
        scene = (state.current, state.pair)[state.beside.side]
        return (scene,) if scene is not None else ()

    @Slot()
    def refresh(self) -> None:
        """Show both scenes as they are now, if anybody looks."""
        if not self._seen:
            if self.stage.loaded is not None:
                self.stage.clear()
            self._loading.cancel()
            return
        if self._state.pair is None or self._state.pair == self._state.current:
            self._store.become(pair=self._another())
        scene = self._state.pair
        if scene is None:
            return
        if self.stage.scene == scene and not self._is_old(scene):
            self._update_trust()
        elif not self._loading.at_work or self._coming != scene:
            self._fetch(scene)

    def _another(self) -> str | None:
        """The scene that was looked at before, or else the next of the list."""
        ids = [row.id for row in self._state.scenes]
        current = self._state.current
        if self._before in ids and self._before != current:
            return self._before
        if current not in ids or len(ids) < 2:
            return None
        return ids[(ids.index(current) + 1) % len(ids)]

    def _files(self, scene: str) -> SceneFiles:
        assert self._store.project is not None
        project = self._store.project
        return SceneFiles.of(
            project.scene(scene),
            pseudo=project.pseudo_path(scene),
            label=project.label_path(scene),
        )

    def _is_old(self, scene: str) -> bool:
        loaded = self.stage.loaded
        return loaded is None or loaded.files.stamp != self._files(scene).stamp

    def _fetch(self, scene: str) -> None:
        self._coming = scene
        frames = self._screen.scenes.frames
        self._loading.start(
            plain(load_scene, files=self._files(scene), frames=frames), self._loaded
        )

    def _loaded(self, loaded: LoadedScene) -> None:
        if not self._seen:
            return
        self.stage.show(loaded)
        if loaded.problems:
            self._store.complain(loaded.problems[0])
        self._update_trust()

    def _update_trust(self) -> None:
        """The same thresholds and the same ranges for both."""
        if self._store.project is not None and self.stage.scene is not None:
            try:
                self.stage.take_person(self._store.project.person(self.stage.scene))
            except StudioError as error:
                self._store.complain(str(error))
        share = self.stage.update_trust(masks=self._state.masks, pool=self._screen.retention)
        self._store.become(beside=replace(self._state.beside, retained=share))
        self._repaint.start()

    @Slot()
    def _paint_soon(self) -> None:
        if self._seen:
            self._repaint.start()

    @Slot()
    def _paint(self) -> None:
        if not self._seen:
            return
        state = self._state
        display = replace(state.display, gain=state.compare.gain)
        for side, stage in enumerate((self._screen.stage, self.stage)):
            if stage.size is not None:
                self.sized.emit(side, *stage.size)
            for view, layer in enumerate(state.beside.layers):
                self.painted.emit(side, view, stage.paint(layer, display))

    @Slot(object, object)
    def _remember(self, old: StudioState, new: StudioState) -> None:
        if old.current != new.current and old.folder == new.folder:
            self._before = old.current


class PairHead(QWidget):
    """Says which scene was picked, and that the sides should change places."""

    scene_picked = Signal(str)
    swap_asked = Signal()

    def __init__(self, *, other: bool) -> None:
        super().__init__()
        self._pick = _Names()
        which = "other" if other else "current"
        describe(self._pick, name=f"The {which} scene", tip=f"Show another as the {which} scene")
        self._pick.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._words = ElidedLabel(role="muted")
        self._swap = button("Swap", tip=by_id("swap_pair").tip_with_key, role="link")
        self._swap.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._pick)
        row.addWidget(self._words, 1)
        row.addWidget(self._swap)
        self._swap.setHidden(not other)  # a part without a place would be a window
        self._pick.activated.connect(self._picked)
        self._swap.clicked.connect(self.swap_asked)

    def show_scene(
        self, row: SceneFacts | None, scenes: Sequence[SceneFacts], *, active: bool
    ) -> None:
        """Show the scene of this side, and whether decisions are about it."""
        self._pick.show_name(row.id if row is not None else "none", scenes)
        give_role(self._words, role="" if active else "muted")
        known = () if row is None else (str(row.status), *(f"#{tag}" for tag in row.tags))
        self._words.tell(" · ".join(("keys act here", *known) if active else known))
        acts = "Promote, exclude and the like act" if active else "Point at it to make keys act"
        self._words.setAccessibleDescription(f"{acts} on this scene")

    @Slot(int)
    def _picked(self, place: int) -> None:
        self.scene_picked.emit(self._pick.itemText(place))


class _Names(QComboBox):
    """Takes all names in only when it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self._names: Sequence[SceneFacts] = ()
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self.setMaxVisibleItems(20)

    def show_name(self, name: str, scenes: Sequence[SceneFacts]) -> None:
        """Show one name; `scenes` can be picked."""
        self._names = scenes
        if self.currentText() != name:
            self.clear()
            self.addItem(name)

    def showPopup(self) -> None:
        """Every scene can be picked."""
        name = self.currentText()
        self.clear()
        self.addItems([row.id for row in self._names])
        self.setCurrentText(name)
        super().showPopup()


Figure = Callable[[SceneFacts], float | None]

# title: the figure, how it is told, and whether more of it is better (None where neither is)
_FIGURES: Final[tuple[tuple[str, Figure, Callable[[float | None], str], bool | None], ...]] = (
    ("retained", lambda row: row.retained, percent, True),
    ("trend", lambda row: row.trend, trend_in_words, True),
    ("σ", lambda row: row.sigma_mean, small, False),
    ("motion", lambda row: row.motion, percent, False),
    ("saturated", lambda row: row.saturation, percent, False),
    ("PSNR-μ", lambda row: row.psnr_mu, decibels, True),
)


class PairTable(QWidget):
    """One line for each scene; "better" stands beside the figure that is."""

    def __init__(self) -> None:
        super().__init__()
        frame, column = card(name="Both scenes in figures", margin=8)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(1)
        column.addLayout(grid)
        titles = ("", *(title for title, *_ in _FIGURES))
        for place, title in enumerate(titles):
            grid.addWidget(caption(title, role="muted"), 0, place)
        self._cells: list[list[QLabel]] = []
        for line in (1, 2):
            cells = [caption("") for _ in titles]
            for place, cell in enumerate(cells):
                cell.setTextFormat(Qt.TextFormat.PlainText)
                grid.addWidget(cell, line, place)
            self._cells.append(cells)
        for place in range(len(titles)):
            grid.setColumnStretch(place, 1)

    def show_pair(self, first: SceneFacts | None, second: SceneFacts | None) -> None:
        """Show both; a scene that is not there leaves its line empty."""
        for cells, row, other in zip(self._cells, (first, second), (second, first), strict=True):
            words = ["", *("" for _ in _FIGURES)]
            better = [False] * len(words)
            if row is not None:
                words[0] = row.id
                for place, (_, read, tell, more) in enumerate(_FIGURES, 1):
                    mine, others = read(row), read(other) if other is not None else None
                    differ = tell(mine) != tell(others)  # to the eye as well
                    better[place] = differ and is_better(mine, others, more=more)
                    words[place] = tell(mine) + ("  better" if better[place] else "")
            for cell, told, good in zip(cells, words, better, strict=True):
                cell.setText(told)
                give_role(cell, role="good" if good else "")

    def as_text(self) -> str:
        """Both lines as they are read."""
        return "\n".join(" | ".join(cell.text() for cell in cells) for cells in self._cells)


def is_better(mine: float | None, other: float | None, *, more: bool | None) -> bool:
    """Whether one figure is clearly the better of two; what is not known is neither."""
    if mine is None or other is None or more is None or mine == other:
        return False
    return (mine > other) == more
