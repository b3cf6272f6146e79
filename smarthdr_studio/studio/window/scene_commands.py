"""What the actions about scenes do: choosing, queues, views, regions, thresholds, and figures."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QWidget

from smarthdr_studio.core.display import ColourMap, Layer
from smarthdr_studio.core.trust.brush import Ink
from smarthdr_studio.studio.curation.proposal_sheet import ProposalSheet
from smarthdr_studio.studio.curation.scene_overview import TableBar
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.state import (
    SCOPES,
    BrushShape,
    Centre,
    CompareMode,
    Notice,
    QueueKind,
    Scope,
    Tool,
    Workspace,
    refused,
)
from smarthdr_studio.studio.theme import Palette
from smarthdr_studio.studio.viewer.figure_export import Sheet
from smarthdr_studio.studio.viewer.view_grid import ViewGrid
from smarthdr_studio.studio.widgets.file_dialogs import begin
from smarthdr_studio.studio.window.bars import TopBar
from smarthdr_studio.studio.window.scene_pages import PairPage
from smarthdr_studio.studio.window.studio_page import StudioPage


class SceneCommands:
    """Decisions about scenes, and keys that depend on what fills the middle of the window."""

    def __init__(self, session: Session, page: StudioPage) -> None:
        self._session, self._page = session, page

    def table(self) -> Mapping[str, Callable[[], object]]:
        """Every command by the name the table of actions calls it."""
        table = self._session.inspection.table
        return {
            "show_pictures": self.show_pictures,
            **{
                f"work_{workspace.name.lower()}": partial(self._session.work_in, str(workspace))
                for workspace in Workspace
            },
            "show_table": partial(table.toggle, Centre.TABLE),
            "show_gallery": partial(table.toggle, Centre.GALLERY),
            "show_pair": self.toggle_pair,
            "swap_pair": self._session.inspection.pair.swap,
            "promote": self.promote,
            "demote": self.demote,
            "exclude": self.exclude,
            "undo": self._session.curating.undo,
            "redo": self._session.curating.redo,
            "next_scene": partial(self._page.scenes.step, 1),
            "previous_scene": partial(self._page.scenes.step, -1),
            "find_scene": self.find,
            "write_note": self.write_note,
            "add_tag": self.add_tag,
            "clear_region": self.escape,
            "fit": self.fit,
            "one_to_one": self.one_to_one,
            "zoom_in": partial(self.zoom, closer=True),
            "zoom_out": partial(self.zoom, closer=False),
        }

    def decide_by(self, *bars: TopBar | TableBar) -> None:
        """Buttons of these bars decide as the keys do."""
        for bar in bars:
            bar.promote_asked.connect(self.promote)
            bar.exclude_asked.connect(self.exclude)

    def promote(self) -> None:
        """The selected scenes become labels."""
        self._session.curating.promote(self.chosen())

    def demote(self) -> None:
        """The selected scenes are no labels any more."""
        self._session.curating.demote(self.chosen())

    def exclude(self) -> None:
        """The selected scenes take no part, or take part again."""
        self._session.curating.exclude(self.chosen())

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
            self._session.tell(refused(words))
        return shelf.marked

    def toggle_pair(self) -> None:
        """Two scenes side by side: of several that are selected the first that is not current."""
        state, pair = self._session.state, self._session.inspection.pair
        if state.centre is not Centre.PAIR:
            others = [name for name in self._page.shelf.selected() if name != state.current]
            if others:
                pair.pick(others[0])
        self._session.inspection.table.toggle(Centre.PAIR)

    def show_pictures(self) -> None:
        """The pictures in the middle; where the run is at home there, in another workspace."""
        if self._session.state.workspace is Workspace.TRAIN:
            self._session.work_in(str(Workspace.INSPECT))
        self._session.inspection.table.show(str(Centre.PICTURES))

    def find(self) -> None:
        """The cursor into the query line that is nearest."""
        if self._session.state.centre in (Centre.TABLE, Centre.GALLERY):
            self._page.browsing.bar.start_search()
        else:
            self._page.go_to_tab("scenes")
            self._page.scenes.start_search()

    def write_note(self) -> None:
        """The cursor into the note."""
        self._turn_to_card()
        self._page.trust_side.scene.write_note()

    def add_tag(self) -> None:
        """The cursor where tags are added."""
        self._turn_to_card()
        self._page.trust_side.scene.add_tag()

    def escape(self) -> bool:
        """Back to the pictures; from there, no region. Whether there was a step to go back."""
        state, inspection = self._session.state, self._session.inspection
        if state.centre is not Centre.PICTURES:
            inspection.table.show(str(Centre.PICTURES))
            return True
        inspection.inspector.unmark()
        return state.region is not None

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
        self._page.go_to_tab("scene")

    @property
    def _views(self) -> PairPage | ViewGrid:
        """The views in the middle."""
        pair = self._page.browsing.pair
        if self._session.state.centre is Centre.PAIR and pair is not None:
            return pair
        return self._page.views


class QueueCommands:
    """The work behind the keys that say which scene comes next, and which could be promoted."""

    def __init__(
        self, session: Session, page: StudioPage, palette: Palette, parent: QWidget
    ) -> None:
        self._session, self._palette, self._parent = session, palette, parent
        page.scenes.queue.kind_picked.connect(session.recommendations.queue.pick)
        page.scenes.footer.anew_asked.connect(session.recommendations.queue.rank_anew)
        self._sheet: ProposalSheet | None = None

    def table(self) -> Mapping[str, Callable[[], object]]:
        """Every command by the name the table of actions calls it."""
        queue = self._session.recommendations.queue
        return {
            "next_in_queue": partial(queue.step, 1),
            "previous_in_queue": partial(queue.step, -1),
            "queue_all": partial(queue.pick, QueueKind.ALL),
            "queue_safest": partial(queue.pick, QueueKind.SAFEST),
            "queue_worth": partial(queue.pick, QueueKind.WORTH),
            "rank_anew": queue.rank_anew,
            "propose": self.propose,
        }

    def propose(self) -> None:
        """Show which scenes the rule would promote."""
        if self._sheet is None:
            self._sheet = self._made()
        self._sheet.show_state(self._session.state, self._session.state)
        self._sheet.show()
        self._sheet.activateWindow()

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        self._palette = palette
        if self._sheet is not None:
            self._sheet.dress(palette)

    def _made(self) -> ProposalSheet:
        session, controller = self._session, self._session.recommendations.proposals
        sheet = ProposalSheet(self._palette, self._parent)
        session.show_in(sheet)
        session.screen.thumbnail_made.connect(sheet.take_thumbnail)
        sheet.thumbnails_wanted.connect(session.screen.want_thumbnails)
        sheet.scene_picked.connect(session.screen.pick)
        sheet.rule_picked.connect(controller.set_rule)
        sheet.telling_picked.connect(controller.set_telling)
        sheet.left_out.connect(controller.leave_out)
        sheet.promote_asked.connect(controller.promote)
        sheet.seen.connect(controller.watch)
        session.left.connect(sheet.close)
        return sheet


_MODELS: Final = "Models (*.shdrmodel)"


class ModelCommands(QObject):
    """Asks which file is meant."""

    def __init__(self, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._window = session, window

    def table(self) -> Mapping[str, Callable[[], object]]:
        """Every command by the name the table of actions calls it."""
        predictions = self._session.inspection.predictions
        labelling = self._session.files.labelling
        return {
            "label_by_starter": labelling.use_starter,
            "label_by_file": self.ask_to_label,
            "look_through_file": partial(
                self._ask, "Look through a model file", predictions.look_through
            ),
            "look_through_newest": partial(predictions.look_through, None),
        }

    def ask_to_label(self) -> None:
        """The pool is labelled by the file that is picked."""
        self._ask("Pseudo-labels by a model file", self._session.files.labelling.use_file)

    def _ask(self, title: str, take: Callable[[Path], None]) -> None:
        dialog = QFileDialog(self._window, title)
        begin(dialog, "model")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter(_MODELS)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(partial(_take, take))
        dialog.open()


def _take(take: Callable[[Path], None], name: str) -> None:
    take(Path(name))


_TITLES: Final[dict[str, str]] = {
    "export_view": "Export this view as PNG",
    "export_sheet": "Export all views as one sheet",
    "export_png16": "Export this layer as 16-bit PNG",
    "export_exr": "Export this layer as EXR",
}


_SHEETS: Final = {
    "Pixels (*.png)": "png",
    "Drawing, words as words (*.svg)": "svg",
    "Document, words as words (*.pdf)": "pdf",
}


class FigureCommands:
    """Pictures are taken at once, so what is saved is what was on the screen when it was asked."""

    def __init__(self, session: Session, views: ViewGrid, window: QWidget) -> None:
        self._session, self._views, self._window = session, views, window
        self.visible_only = False

    def export(self, kind: str) -> None:
        """Carry out one kind of export, by its name in the table of actions."""
        if self._session.state.shown is None:
            self._session.tell(refused("There is no picture to export yet."))
        elif kind in _TITLES:
            self._ask(kind)
        else:
            image = self._sheet().image() if kind == "copy_sheet" else self._figure()
            QGuiApplication.clipboard().setImage(image)
            what = "All views are" if kind == "copy_sheet" else "The view is"
            self._session.tell(Notice(text=f"{what} on the clipboard."))

    def writer(self, kind: str) -> Callable[[Path], None]:
        """What will write the picture of now to a path."""
        exports, view = self._session.exports, self._session.state.active
        match kind:
            case "export_view":
                return partial(exports.save_image, self._figure())
            case "export_sheet":
                return partial(exports.save_sheet, self._sheet())
            case "export_png16":
                return partial(exports.save_layer, view, "png16")
            case _:
                return partial(exports.save_layer, view, "exr")

    def _ask(self, kind: str) -> None:
        dialog = QFileDialog(self._window, _TITLES[kind])
        begin(dialog, "pictures")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(_suffix(kind))
        if kind == "export_sheet":
            dialog.setNameFilters(list(_SHEETS))
            dialog.filterSelected.connect(partial(_end_alike, dialog))
        dialog.selectFile(self._name(kind))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(partial(_write, self.writer(kind)))
        dialog.open()

    def _figure(self) -> QImage:
        return self._views.figure(self._session.state.active, visible_only=self.visible_only)

    def _sheet(self) -> Sheet:
        return self._views.sheet(visible_only=self.visible_only)

    def _name(self, kind: str) -> str:
        state = self._session.state
        layer = state.views[state.active].layer.name.lower().replace("_", "-")
        what = "views" if kind == "export_sheet" else layer
        return f"{state.shown}-{what}.{_suffix(kind)}"


def _suffix(kind: str) -> str:
    return "exr" if kind == "export_exr" else "png"


def _end_alike(dialog: QFileDialog, words: str) -> None:
    """Another kind of file, by the words of its filter: the name that is proposed ends so too."""
    dialog.setDefaultSuffix(_SHEETS[words])
    named = dialog.selectedFiles()
    if named:
        dialog.selectFile(Path(named[0]).with_suffix(f".{_SHEETS[words]}").name)


def _write(writer: Callable[[Path], None], name: str) -> None:
    writer(Path(name))


_GRIDS: Final = {
    "grid_1": (1, 1),
    "grid_2": (2, 2),
    "grid_stacked": (1, 2),
    "grid_3": (3, 3),
    "grid_4": (2, 4),
    "grid_5": (3, 5),
    "grid_6": (3, 6),
}
_WAYS: Final = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
_PAN: Final = 0.2  # of what is in sight
_HALF_STOP: Final = 0.5
_TENTH: Final = 0.1
_NUDGE: Final = 0.01
_SOFTER: Final = 0.1
_FAR: Final = 16  # pixels
_TABS: Final = (
    *("scenes", "thresholds", "why", "evidence", "scene", "training", "history"),
    *("film", "diary", "overview"),
)


class ViewCommands:
    """The work behind the keys that look at a scene, and of its masks and diagnostics."""

    def __init__(self, session: Session, page: StudioPage, exporting: FigureCommands) -> None:
        self._session, self._page, self._exporting = session, page, exporting
        self._before_uncertainty: dict[int, Layer] = {}

    def table(self) -> Mapping[str, Callable[[], object]]:
        """Every command by the name the table of actions calls it."""
        return {
            **self._view_commands(),
            **self._diagnostics_commands(),
            **self._brush_commands(),
            **{f"tab_{name}": partial(self._page.go_to_tab, name) for name in _TABS},
            **{
                kind: partial(self._exporting.export, kind)
                for kind in (
                    "export_view",
                    "export_sheet",
                    "export_png16",
                    "export_exr",
                    "copy_view",
                    "copy_sheet",
                )
            },
        }

    def _view_commands(self) -> dict[str, Callable[[], object]]:
        viewing, views = self._session.inspection.viewing, self._page.views
        return {
            **{name: partial(viewing.set_grid, *grid) for name, grid in _GRIDS.items()},
            **{f"layer_{n}": partial(self.show_layer, n) for n in range(1, len(Layer) + 1)},
            **{
                f"pan_{way}": partial(views.nudge, x * _PAN, y * _PAN)
                for way, (x, y) in _WAYS.items()
            },
            **{f"crosshair_{way}": partial(views.move_cursor, *by) for way, by in _WAYS.items()},
            **{f"crosshair_far_{way}": partial(self.move_far, *by) for way, by in _WAYS.items()},
            **{f"tool_{tool}": partial(viewing.set_tool, tool) for tool in Tool},
            "maximise": self.maximise,
            "next_view": partial(viewing.step_view, 1),
            "previous_view": partial(viewing.step_view, -1),
            "brighter": partial(viewing.expose, _HALF_STOP),
            "darker": partial(viewing.expose, -_HALF_STOP),
            "slightly_brighter": partial(viewing.expose, _TENTH),
            "slightly_darker": partial(viewing.expose, -_TENTH),
            "reset_exposure": partial(viewing.set_exposure, 0.0),
            "next_colour_map": self.next_colour_map,
            "toggle_masks": self.toggle_masks,
            "toggle_wipe": partial(viewing.toggle_compare, CompareMode.WIPE),
            "toggle_difference": partial(viewing.toggle_compare, CompareMode.DIFFERENCE),
            "toggle_zebra": self.toggle_zebra,
            "toggle_uncertainty": self.toggle_uncertainty,
            "link_exposure": self.link_exposure,
            "show_display": self._page.display.open_sheet,
        }

    def _diagnostics_commands(self) -> dict[str, Callable[[], object]]:
        inspection = self._session.inspection
        thresholds, history = inspection.thresholds, inspection.history
        return {
            "least_trusted": self.least_trusted,
            "lower_tau_patch": partial(thresholds.nudge, "tau_patch", -_NUDGE),
            "raise_tau_patch": partial(thresholds.nudge, "tau_patch", _NUDGE),
            "lower_tau_pixel": partial(thresholds.nudge, "tau_pixel", -_NUDGE),
            "raise_tau_pixel": partial(thresholds.nudge, "tau_pixel", _NUDGE),
            "take_snapshot": thresholds.keep_snapshot,
            "reset_thresholds": thresholds.back_to_paper,
            "next_scope": self.next_scope,
            "previous_round": partial(history.step, -1),
            "next_round": partial(history.step, 1),
            "back_to_now": partial(history.pick, None),
        }

    def _brush_commands(self) -> dict[str, Callable[[], object]]:
        painting = self._session.inspection.painting
        return {
            "tool_brush": painting.toggle,
            "leave_brush": painting.toggle,
            **{f"ink_{ink}": partial(painting.set_ink, ink) for ink in Ink},
            **{f"shape_{shape}": partial(painting.set_shape, shape) for shape in BrushShape},
            "brush_smaller": partial(painting.nudge_radius, -1),
            "brush_larger": partial(painting.nudge_radius, 1),
            "brush_softer": partial(painting.nudge_hardness, -_SOFTER),
            "brush_harder": partial(painting.nudge_hardness, _SOFTER),
            "paint_here": self._page.views.paint_here,
            "paint_region": self.paint_region,
            "clear_painting": painting.clear,
        }

    def move_far(self, across: int, down: int) -> None:
        """The crosshair further than by a pixel: as far as the brush reaches, if it is held."""
        state = self._session.state
        reach = round(state.brush.radius) if state.tool is Tool.BRUSH else _FAR
        step = max(reach, 2)
        self._page.views.move_cursor(across * step, down * step)

    def paint_region(self) -> None:
        """Close the polygon that is being made, or paint the region that is marked."""
        if not self._page.views.brushing.close():
            self._session.inspection.painting.paint_region()

    def show_layer(self, number: int) -> None:
        """The layer of that number in the view keys act upon."""
        view = self._session.state.active
        self._session.inspection.viewing.set_layer(view, tuple(Layer)[number - 1])

    def toggle_uncertainty(self) -> None:
        """Uncertainty in the active view, or what it showed before."""
        state = self._session.state
        now = state.views[state.active].layer
        if now is Layer.UNCERTAINTY:
            wanted = self._before_uncertainty.get(state.active, Layer.PSEUDO_LABEL)
        else:
            self._before_uncertainty[state.active] = now
            wanted = Layer.UNCERTAINTY
        self._session.inspection.viewing.set_layer(state.active, wanted)

    def toggle_zebra(self) -> None:
        """Stripe what is clipped in the active view, or no longer."""
        self._session.inspection.viewing.toggle_zebra(self._session.state.active)

    def link_exposure(self) -> None:
        """One exposure for all views, or one for each."""
        viewing = self._session.inspection.viewing
        viewing.link_exposure(not viewing.linked)

    def maximise(self) -> None:
        """The active view alone, or all again."""
        self._page.views.toggle_maximised(self._session.state.active)

    def least_trusted(self) -> None:
        """Go there; reasons come to the front where they are shown at all."""
        self._session.inspection.thresholds.least_trusted()
        if self._page.desk.has("why"):
            self._page.go_to_tab("why")

    def next_scope(self) -> None:
        """Whose scores the histograms count: pool, scene, region."""
        state = self._session.state
        usable: tuple[Scope, ...] = SCOPES if state.region is not None else SCOPES[:2]
        place = usable.index(state.scope) if state.scope in usable else -1
        self._session.inspection.set_scope(usable[(place + 1) % len(usable)])

    def next_colour_map(self) -> None:
        """The colour map after this one."""
        shown, maps = self._session.state.display, tuple(ColourMap)
        following = maps[(maps.index(shown.colour_map) + 1) % len(maps)]
        self._session.inspection.viewing.set_display(replace(shown, colour_map=following))

    def toggle_masks(self) -> None:
        """Masks on or off."""
        shown = self._session.state.display
        hidden = replace(shown, mask_visible=not shown.mask_visible)
        self._session.inspection.viewing.set_display(hidden)
