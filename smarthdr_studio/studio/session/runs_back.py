"""Goes back to how the project stood when a run was started, once a person has seen how."""

from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.studio.session.curating import Curating
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.layout_file import Layout
from smarthdr_studio.studio.state import Notice, WayBack
from smarthdr_studio.studio.tasks import LatestTask, TaskRunner, plain
from smarthdr_studio.studio.threads.runs_back import find_way_back, go_way_back


class RunsBack(QObject):
    """One decision, which one undo takes back; the views are arranged as they were at once."""

    layout_wanted = Signal(object)  # Layout

    def __init__(self, keeper: Keeper, tasks: TaskRunner, curating: Curating) -> None:
        super().__init__(keeper)
        self._keeper, self._curating = keeper, curating
        self._finding = LatestTask(tasks)

    @Slot(str)
    def ask(self, run: str) -> None:
        """Find out what going back would change."""
        if self._keeper.project is not None:
            job = plain(find_way_back, folder=self._keeper.project.folder, run=run)
            self._finding.start(job, self._found)

    @Slot()
    def give_up(self) -> None:
        """Everything stays as it is."""
        self._become(None)

    @Slot(bool)
    def go(self, layout: object) -> None:
        """Go back, with `layout` also to the views of that time."""
        way = self._keeper.state.runs.way_back
        if self._keeper.project is None or way is None:
            return
        self._become(None)
        name = self._keeper.state.runs.titles.get(way.run, way.run)
        if not way.empty:
            job = partial(go_way_back, folder=self._keeper.project.folder, run=way.run)
            said = f"The project stands as it did when {name} was started; Undo takes it back."
            self._curating.decide_at_length(job, words=f"go back to the start of {name}", said=said)
        if layout and way.layout:
            self.layout_wanted.emit(Layout.read(self._keeper.project.runs_folder / way.run))

    def _found(self, way: WayBack) -> None:
        if way.empty and not way.layout:
            words = "Labels, brush and thresholds are what they were when that run was started."
            self._keeper.notice(Notice(text=words))
        else:
            self._become(way)

    def _become(self, way: WayBack | None) -> None:
        self._keeper.become(runs=replace(self._keeper.state.runs, way_back=way))
