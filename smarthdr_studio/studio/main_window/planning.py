"""Opens the plan of the next run, and offers it where a run is started."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from smarthdr_studio.core.presets import presets
from smarthdr_studio.studio.main_window.studio_page import StudioPage
from smarthdr_studio.studio.panels.plan_editor import PlanEditor
from smarthdr_studio.studio.session import Session
from smarthdr_studio.studio.state import EDITED, StudioState


class Planning(QObject):
    """The editor is built when it is first asked for."""

    def __init__(self, session: Session, page: StudioPage, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._page, self._window = session, page, window
        self.editor: PlanEditor | None = None
        page.training.plan_asked.connect(self.show)
        session.changed.connect(self._offer)

    def table(self) -> Mapping[str, Callable[[], object]]:
        """Every command by the name the table of actions calls it."""
        return {"plan_run": self.show}

    @Slot()
    def show(self) -> None:
        """Show the plan, at first of the preset that is picked for the next run."""
        if self.editor is None:
            self.editor = self._made()
        self._session.running.plans.want(self._page.training.preset)
        self.editor.show()
        self.editor.show_state(self._session.state, self._session.state)
        self.editor.activateWindow()

    @Slot()
    def train(self) -> None:
        """Start a run by the plan in the editor."""
        self._session.inspection.opinions.forget()
        self._session.running.train(preset=EDITED, device="auto")

    @Slot(object, object)
    def _offer(self, old: StudioState, new: StudioState) -> None:
        """The presets of now, and the edited plan where there is one."""
        before, now = old.planning, new.planning
        if before.book is now.book and bool(before.differs) == bool(now.differs):
            return
        names = tuple(each.name for each in now.book.presets) if now.book is not None else presets()
        self._page.training.offer_presets((*names, *((EDITED,) if now.differs else ())))

    def _made(self) -> PlanEditor:
        session, desk = self._session, self._session.running.plans
        editor = PlanEditor(self._window)
        session.changed.connect(editor.show_state)
        editor.preset_picked.connect(desk.pick_preset)
        editor.form.typed.connect(desk.set_text)
        editor.form.reset_asked.connect(desk.reset)
        editor.reset_all_asked.connect(desk.reset)
        editor.aside_wanted.connect(desk.take_aside)
        editor.devices.picked.connect(self._take_device)
        editor.estimate.asked.connect(desk.estimate)
        editor.estimate.cancelled.connect(desk.give_up)
        editor.keeping.name_typed.connect(desk.weigh_name)
        editor.keeping.save_wished.connect(desk.save_as)
        editor.keeping.delete_wished.connect(desk.delete)
        editor.train_asked.connect(self.train)
        return editor

    @Slot(str)
    def _take_device(self, name: str) -> None:
        self._session.running.plans.set_text("device", name)
