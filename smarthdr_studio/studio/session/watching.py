"""The desks around a run that is watched: its film and its diary."""

from PySide6.QtCore import QObject

from smarthdr_studio.studio.session.diary_desk import DiaryDesk
from smarthdr_studio.studio.session.film_desk import FilmDesk
from smarthdr_studio.studio.session.inspection import Inspection
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.training_desk import TrainingDesk
from smarthdr_studio.studio.tasks import TaskRunner


class Watching(QObject):
    """Connects both with the run at work and with the scene on the screen."""

    def __init__(
        self, keeper: Keeper, tasks: TaskRunner, *, training: TrainingDesk, inspection: Inspection
    ) -> None:
        super().__init__(keeper)
        self.film, self.diary = FilmDesk(keeper, tasks), DiaryDesk(keeper, tasks)
        inspection.history.read.connect(self.film.refresh)
        inspection.screen.picked.connect(self.film.refresh)
        training.became.connect(self.diary.follow)
        training.heard.connect(self.diary.hear)
