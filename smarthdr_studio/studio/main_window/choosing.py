"""What the actions about choosing scenes do: table, gallery, two scenes, notes and tags."""

from collections.abc import Callable, Mapping
from functools import partial

from smarthdr_studio.studio.canvas.grid import ViewGrid
from smarthdr_studio.studio.main_window.pair_page import PairPage
from smarthdr_studio.studio.main_window.studio_page import StudioPage
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.state import Centre, Notice


class Choosing:
    """The work behind keys that depend on what fills the middle of the window."""

    def __init__(self, session: Session, page: StudioPage) -> None:
        self._session, self._page = session, page

    def table(self) -> Mapping[str, Callable[[], object]]:
        """Every command by the name the table of actions calls it."""
        table = self._session.inspection.table
        return {
            "show_pictures": partial(table.show, str(Centre.PICTURES)),
            "show_table": partial(table.toggle, Centre.TABLE),
            "show_gallery": partial(table.toggle, Centre.GALLERY),
            "show_pair": self.toggle_pair,
            "swap_pair": self._session.inspection.pair.swap,
            "find_scene": self.find,
            "write_note": self.write_note,
            "add_tag": self.add_tag,
            "clear_region": self.escape,
            "fit": self.fit,
            "one_to_one": self.one_to_one,
            "zoom_in": partial(self.zoom, closer=True),
            "zoom_out": partial(self.zoom, closer=False),
        }

    def chosen(self) -> tuple[str, ...]:
        """The scenes that a decision is about: the selected ones, or one of the two.

        A table or gallery decides about what is selected in it, never about a scene out of sight.
        """
        centre, shelf = self._session.state.centre, self._page.shelf
        if centre is Centre.PAIR:
            return self._session.inspection.pair.chosen
        if centre is Centre.PICTURES:
            return shelf.selected()
        if not shelf.marked:
            words = "No scene is selected here: click one, or press an arrow key."
            self._session.tell(Notice(text=words, tone="warn"))
        return shelf.marked

    def toggle_pair(self) -> None:
        """Two scenes side by side: of several that are selected the first that is not current."""
        state, pair = self._session.state, self._session.inspection.pair
        if state.centre is not Centre.PAIR:
            others = [name for name in self._page.shelf.selected() if name != state.current]
            if others:
                pair.pick(others[0])
        self._session.inspection.table.toggle(Centre.PAIR)

    def find(self) -> None:
        """The cursor into the query line that is nearest."""
        if self._session.state.centre in (Centre.TABLE, Centre.GALLERY):
            self._page.browsing.bar.start_search()
        else:
            self._page.scenes.start_search()

    def write_note(self) -> None:
        """The cursor into the note."""
        self._turn_to_card()
        self._page.judging.scene.write_note()

    def add_tag(self) -> None:
        """The cursor where tags are added."""
        self._turn_to_card()
        self._page.judging.scene.add_tag()

    def escape(self) -> None:
        """Back to the pictures; from there, no region."""
        if self._session.state.centre is not Centre.PICTURES:
            self._session.inspection.table.show(str(Centre.PICTURES))
        else:
            self._session.inspection.inspector.unmark()

    def fit(self) -> None:
        """Whole pictures."""
        self._views.fit()

    def one_to_one(self) -> None:
        """One screen pixel per image pixel."""
        self._views.one_to_one()

    def zoom(self, *, closer: bool) -> None:
        """Closer to what is in the middle of the window, or further away."""
        if closer:
            self._views.zoom_in()
        else:
            self._views.zoom_out()

    def _turn_to_card(self) -> None:
        self._page.judging.setVisible(True)
        self._page.go_to_tab("scene")

    @property
    def _views(self) -> PairPage | ViewGrid:
        """The views in the middle."""
        pair = self._page.browsing.pair
        if self._session.state.centre is Centre.PAIR and pair is not None:
            return pair
        return self._page.views
