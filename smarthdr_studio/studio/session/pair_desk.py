"""Two scenes side by side: the one on the screen, and another one on a stage of its own."""

from dataclasses import replace
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from smarthdr_studio.core.display import Layer
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.screen import Screen
from smarthdr_studio.studio.session.stage import Stage
from smarthdr_studio.studio.state import Centre, StudioState
from smarthdr_studio.studio.tasks import LatestTask, TaskRunner, plain
from smarthdr_studio.studio.threads.scenes import LoadedScene, SceneFiles, load_scene

_VIEWS: Final = 2


class PairDesk(QObject):
    """Loads and paints the other scene while both are looked at; nothing of it otherwise."""

    painted = Signal(int, int, object)  # side, view, Painted
    sized = Signal(int, int, int)  # side, width, height

    def __init__(self, keeper: Keeper, tasks: TaskRunner, screen: Screen) -> None:
        super().__init__(keeper)
        self._keeper, self._screen = keeper, screen
        self.stage = Stage()
        self._loading = LatestTask(tasks)
        self._coming: str | None = None  # the scene that was asked for last
        self._before: str | None = None  # the current scene before this one
        self._repaint = QTimer(self, singleShot=True, interval=0)
        self._repaint.timeout.connect(self._paint)
        screen.judged.connect(self.refresh)
        screen.viewing.repaint_wanted.connect(self._paint_soon)
        keeper.changed.connect(self._remember)
        keeper.switched.connect(self._switch)

    @property
    def _state(self) -> StudioState:
        return self._keeper.state

    @property
    def _seen(self) -> bool:
        return self._keeper.project is not None and self._state.centre is Centre.PAIR

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
            self._keeper.become(pair=scene)
            self.refresh()

    @Slot()
    def swap(self) -> None:
        """Left becomes right."""
        state = self._state
        if state.current is not None and state.pair is not None:
            self._keeper.become(pair=state.current)
            self._screen.pick(state.pair)

    @Slot(int, str)
    def set_layer(self, view: int, layer: str) -> None:
        """Show a layer in one view of both scenes; 0 is the upper one."""
        layers = list(self._state.beside.layers)
        layers[view] = Layer(layer)
        self._keeper.become(beside=replace(self._state.beside, layers=(layers[0], layers[1])))
        self._repaint.start()

    def activate(self, side: int) -> None:
        """Decisions are about the scene of this side."""
        if side != self._state.beside.side:
            self._keeper.become(beside=replace(self._state.beside, side=side))

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
            self._keeper.become(pair=self._another())
        scene = self._state.pair
        if scene is None:
            return
        if self.stage.scene == scene and not self._is_old(scene):
            self._judge()
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
        assert self._keeper.project is not None
        project = self._keeper.project
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
            self._keeper.complain(loaded.problems[0])
        self._judge()

    def _judge(self) -> None:
        """The same thresholds and the same ranges for both."""
        if self._keeper.project is not None and self.stage.scene is not None:
            try:
                self.stage.take_person(self._keeper.project.person(self.stage.scene))
            except StudioError as error:
                self._keeper.complain(str(error))
        share = self.stage.judge(masks=self._state.masks, pool=self._screen.retention)
        self._keeper.become(beside=replace(self._state.beside, retained=share))
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
