"""What fills the middle of the page: pictures, a table or gallery of scenes, a pair, or runs."""

from dataclasses import replace
from functools import partial
from typing import ClassVar, Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QApplication, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from smarthdr_studio.core.display import Painted
from smarthdr_studio.studio.curation.pair import PairHead, PairTable
from smarthdr_studio.studio.curation.scene_gallery import SceneGallery
from smarthdr_studio.studio.curation.scene_model import SceneShelf
from smarthdr_studio.studio.curation.scene_overview import SceneTable, TableBar
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.state import Centre, QueueKind, StudioState
from smarthdr_studio.studio.theme import Palette
from smarthdr_studio.studio.viewer.view_grid import ViewGrid
from smarthdr_studio.studio.widgets.controls import card
from smarthdr_studio.studio.window.run_pages import RunsPage

_VIEWS: Final = 2


class PairPage(QWidget):
    """The current scene on the left, the other one on the right."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"centre", "current", "pair", "scenes", "beside"})

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self.grids = (ViewGrid(count=_VIEWS), ViewGrid(count=_VIEWS))
        self.heads = (PairHead(other=False), PairHead(other=True))
        self.table = PairTable()
        self._sizes = [(1, 1), (1, 1)]
        self._following = False
        row = QHBoxLayout()
        row.setSpacing(8)
        for side, (head, grid) in enumerate(zip(self.heads, self.grids, strict=True)):
            grid.set_grid(columns=1, count=_VIEWS)
            column = QVBoxLayout()
            column.setSpacing(4)
            column.addWidget(head)
            column.addWidget(grid, 1)
            row.addLayout(column, 1)
            self._link(side, grid)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(6)
        whole.addLayout(row, 1)
        whole.addWidget(self.table)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.dress(palette)

    def listen_to(self, session: Session) -> None:
        """State and pictures come down."""
        session.show_in(self)
        session.inspection.pair.painted.connect(self._show_painted)
        session.inspection.pair.sized.connect(self._set_size)

    def tell(self, session: Session) -> None:
        """Intents go up."""
        pair = session.inspection.pair
        for side, (head, grid) in enumerate(zip(self.heads, self.grids, strict=True)):
            head.scene_picked.connect(pair.pick if side else session.screen.pick)
            head.swap_asked.connect(pair.swap)
            grid.layer_picked.connect(pair.set_layer)
            for place in range(_VIEWS):
                grid.view(place).pressed.connect(partial(pair.activate, side))
        pair.refresh()

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show which scenes these are, and how they compare."""
        if not self.isVisible() and old.centre is new.centre:
            return
        rows = new.row(new.current), new.row(new.pair)
        for side, (head, row) in enumerate(zip(self.heads, rows, strict=True)):
            head.show_scene(row, new.scenes, active=new.beside.side == side)
        for side, grid in enumerate(self.grids):
            grid.set_active(0 if new.beside.side == side else _VIEWS)
        self.table.show_pair(*rows)

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        for grid in self.grids:
            grid.set_palette_colours(palette)

    def fit(self) -> None:
        """Both scenes whole."""
        for grid in self.grids:
            grid.fit()

    def one_to_one(self) -> None:
        """One screen pixel per image pixel."""
        self.grids[0].one_to_one()

    def zoom_in(self) -> None:
        """Closer, both."""
        self.grids[0].zoom_in()

    def zoom_out(self) -> None:
        """Further away, both."""
        self.grids[0].zoom_out()

    def _link(self, side: int, grid: ViewGrid) -> None:
        grid.zoomed.connect(partial(self._follow, side))

    def _follow(self, side: int, _scale: float) -> None:
        """The other scene is shown at the same place of its own size."""
        if self._following:
            return
        lens, mine, other = self.grids[side].lens, self._sizes[side], self._sizes[1 - side]
        across, down = other[0] / mine[0], other[1] / mine[1]
        self._following = True
        scale = lens.scale / max(across, down)
        self.grids[1 - side].take_lens(
            replace(lens, x=lens.x * across, y=lens.y * down, scale=scale)
        )
        self._following = False

    @Slot(int, int, object)
    def _show_painted(self, side: int, place: int, painted: Painted) -> None:
        self.grids[side].show_painted(place, painted)

    @Slot(int, int, int)
    def _set_size(self, side: int, width: int, height: int) -> None:
        self._sizes[side] = (width, height)
        self.grids[side].set_scene_size(width, height)


class CentrePages(QStackedWidget):
    """Turns to what the state says; pair and runs are built when they are first looked at.

    Scenes and runs may be lent to another place; `home` is what is shown when nothing is asked for.
    """

    SHOWS: ClassVar[frozenset[str]] = frozenset({"centre"})

    rearranged = Signal()
    run_command_asked = Signal(str)
    panel_wanted = Signal(str)  # what is asked for stands elsewhere, under this name

    def __init__(self, pictures: QWidget, shelf: SceneShelf, palette: Palette) -> None:
        super().__init__()
        self._pictures = self._home = pictures
        self._palette = palette
        self._elsewhere: set[Centre] = set()
        for part in (self, pictures):
            part.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.bar = TableBar()
        self.table, self.gallery = SceneTable(palette, shelf), SceneGallery(palette, shelf)
        self.pair: PairPage | None = None
        self.runs: RunsPage | None = None
        self._session: Session | None = None
        self._shelf, self._views = shelf, QStackedWidget()
        self.scenes, column = card(name="Scenes")
        self._views.addWidget(self.table)
        self._views.addWidget(self.gallery)
        column.addWidget(self.bar)
        column.addWidget(self._views, 1)
        self.addWidget(pictures)
        self.addWidget(self.scenes)

    def listen_to(self, session: Session) -> None:
        """State comes down."""
        self._session = session
        session.show_in(self.bar, self.table, self)
        self._shelf.selection_changed.connect(self._count_marked)

    def tell(self, session: Session) -> None:
        """Intents go up."""
        table = session.inspection.table
        self.bar.query_typed.connect(table.ask)
        self.bar.sort_picked.connect(self._sort)
        self.bar.reverse_asked.connect(table.reverse)
        self.bar.cancel_asked.connect(session.inspection.facts.give_up)
        self.bar.width_picked.connect(self.gallery.set_width_of_pictures)
        self.table.sort_picked.connect(self._sort)
        self.table.columns_changed.connect(self.rearranged)
        for view in (self.table, self.gallery):
            view.opened.connect(self._open)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Turn to what is wanted."""
        match new.centre:
            case Centre.PICTURES:
                self._turn_to(self._home)
            case Centre.PAIR:
                self._turn_to(self._pair_page(new))
            case Centre.RUNS:
                self._turn_to_guest(self.runs_page(), "runs", (Centre.RUNS,))
            case _:
                view = self.table if new.centre is Centre.TABLE else self.gallery
                anew = old.centre is not new.centre or not view.isVisibleTo(self.scenes)
                self._views.setCurrentWidget(view)
                self.bar.turn_to(gallery=view is self.gallery)
                self._turn_to_guest(self.scenes, "overview", (Centre.TABLE, Centre.GALLERY))
                if anew:
                    view.setFocus()

    def set_home(self, home: QWidget) -> None:
        """What fills the middle when nothing else is asked for."""
        shown = self.currentWidget() is self._home
        self._home = home
        if self.indexOf(home) < 0:
            self.addWidget(home)
        if shown:
            self.setCurrentWidget(home)

    @property
    def pictures(self) -> QWidget:
        """The views with what is over them."""
        return self._pictures

    @property
    def home(self) -> QWidget:
        """What is shown when nothing else is asked for."""
        return self._home

    def lend(self, centres: tuple[Centre, ...]) -> None:
        """What shows these is somewhere else from now on."""
        self._elsewhere.update(centres)
        if self._session is not None and self._session.state.centre in centres:
            self.setCurrentWidget(self._home)

    def take_home(self, panel: QWidget | None, centres: tuple[Centre, ...]) -> None:
        """What shows these fills the middle again when it is asked for."""
        self._elsewhere.difference_update(centres)
        if panel is not None and self.indexOf(panel) < 0:
            self.addWidget(panel)
            if self._session is not None and self._session.state.centre in centres:
                self.setCurrentWidget(panel)

    def _turn_to_guest(self, panel: QWidget, name: str, centres: tuple[Centre, ...]) -> None:
        if self._elsewhere.isdisjoint(centres):
            self._turn_to(panel)
        else:
            self._turn_to(self._home)
            self.panel_wanted.emit(name)

    def _turn_to(self, page: QWidget) -> None:
        """Show a page; the keyboard goes along, so that no field of the next one takes it."""
        if self.currentWidget() is not page:
            taken = self.isAncestorOf(QApplication.focusWidget() or self)
            self.setCurrentWidget(page)
            if taken:
                page.setFocus()

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        self._palette = palette
        self.table.dress(palette)
        self.gallery.dress(palette)
        for page in (self.pair, self.runs):
            if page is not None:
                page.dress(palette)

    def _pair_page(self, state: StudioState) -> PairPage:
        if self.pair is None and self._session is not None:
            self.pair = PairPage(self._palette)
            self.addWidget(self.pair)  # before it asks for scenes, which turns to it
            self.pair.show_state(StudioState(), state)
            self.pair.listen_to(self._session)
            self.pair.tell(self._session)
        assert self.pair is not None
        return self.pair

    def save_notes(self) -> None:
        """Keep what is being written about a run."""
        if self.runs is not None:
            self.runs.details.overview.note.save()

    def runs_page(self) -> RunsPage:
        """Everything about runs, built when it is first looked at."""
        if self.runs is None and self._session is not None:
            self.runs = RunsPage(self._palette)
            self.addWidget(self.runs)
            self.runs.listen_to(self._session)
            self.runs.tell(self._session)
            self.runs.asked.connect(self.run_command_asked)
        assert self.runs is not None
        return self.runs

    @Slot(object)
    def _count_marked(self, _ids: tuple[str, ...]) -> None:
        """Only what is seen in the list: the scene on the screen may be none of it."""
        self.bar.show_selection(self._shelf.marked)

    @Slot(str)
    def _sort(self, key: str) -> None:
        """Whoever sorts wants to see it: a queue, which has an order of its own, is left."""
        session = self._session
        if session is None:
            return
        if session.state.queue.kind is not QueueKind.ALL:
            session.recommendations.queue.pick(QueueKind.ALL)
        session.inspection.table.sort_by(key)

    @Slot()
    def _open(self) -> None:
        if self._session is not None:
            self._session.inspection.table.show(str(Centre.PICTURES))
