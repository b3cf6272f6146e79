"""What fills the middle of the page: pictures, a table or gallery of scenes, a pair, or runs."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QApplication, QStackedWidget, QWidget

from smarthdr_studio.studio.main_window.pair_page import PairPage
from smarthdr_studio.studio.main_window.runs_page import RunsPage
from smarthdr_studio.studio.panels.parts import card
from smarthdr_studio.studio.panels.scene_gallery import SceneGallery
from smarthdr_studio.studio.panels.scene_shelf import SceneShelf
from smarthdr_studio.studio.panels.scene_table import SceneTable
from smarthdr_studio.studio.panels.table_bar import TableBar
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.state import Centre, QueueKind, StudioState
from smarthdr_studio.studio.theme import Palette


class Browsing(QStackedWidget):
    """Turns to what the state says; pair and runs are built when they are first looked at."""

    rearranged = Signal()
    run_command_asked = Signal(str)

    def __init__(self, pictures: QWidget, shelf: SceneShelf, palette: Palette) -> None:
        super().__init__()
        self._pictures, self._palette = pictures, palette
        pictures.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.bar = TableBar()
        self.table, self.gallery = SceneTable(palette, shelf), SceneGallery(palette, shelf)
        self.pair: PairPage | None = None
        self.runs: RunsPage | None = None
        self._session: Session | None = None
        self._shelf, self._views = shelf, QStackedWidget()
        self._scenes, column = card(name="Scenes")
        self._views.addWidget(self.table)
        self._views.addWidget(self.gallery)
        column.addWidget(self.bar)
        column.addWidget(self._views, 1)
        self.addWidget(pictures)
        self.addWidget(self._scenes)

    def listen_to(self, session: Session) -> None:
        """State comes down."""
        self._session = session
        for part in (self.bar, self.table, self):
            session.changed.connect(part.show_state)
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
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Turn to what is wanted."""
        match new.centre:
            case Centre.PICTURES:
                self._turn_to(self._pictures)
            case Centre.PAIR:
                self._turn_to(self._pair_page(new))
            case Centre.RUNS:
                self._turn_to(self._runs_page())
            case _:
                view = self.table if new.centre is Centre.TABLE else self.gallery
                if self.currentWidget() is not self._scenes or not view.isVisibleTo(self):
                    self._views.setCurrentWidget(view)
                    self.setCurrentWidget(self._scenes)
                    view.setFocus()

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

    def _runs_page(self) -> RunsPage:
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
            session.advice.queue.pick(QueueKind.ALL)
        session.inspection.table.sort_by(key)

    @Slot()
    def _open(self) -> None:
        if self._session is not None:
            self._session.inspection.table.show(str(Centre.PICTURES))
