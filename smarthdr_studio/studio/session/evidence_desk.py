"""Measures whether σ knows where the errors are, of the scene on the screen and of the pool."""

from dataclasses import replace
from functools import partial

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.evidence import Evidence, Part, sparsification_point
from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.stage import Stage
from smarthdr_studio.studio.state import EvidenceState
from smarthdr_studio.studio.tasks import LatestTask, TaskRunner
from smarthdr_studio.studio.threads.figures import (
    Figures,
    figures_of_pool,
    figures_of_scene,
)

_COMPARING = "comparing σ with the error"
_NO_TRUTH = "This scene has no ground truth; measure the pool instead."
_NO_SIGMA = "This scene has no pseudo-label; measuring asks the teacher for its opinion."


class EvidenceDesk(QObject):
    """Works only while somebody looks; the pool is measured when asked to."""

    teacher_wanted = Signal()

    def __init__(self, keeper: Keeper, tasks: TaskRunner, stage: Stage) -> None:
        super().__init__(keeper)
        self._keeper, self._stage = keeper, stage
        self._comparing, self._measuring = LatestTask(tasks), LatestTask(tasks)
        self._scene: Figures | None = None
        self._scene_of: Floats | None = None  # the σ map that is being measured, or was
        self._pool: Figures | None = None
        self._watched = False
        keeper.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        self._scene, self._pool, self._scene_of = None, None, None
        self._keeper.become(evidence=EvidenceState())

    def watch(self, *, seen: bool) -> None:
        """Whether the figures are on the screen."""
        self._watched = seen
        self.refresh()

    @Slot(str)
    def set_scope(self, scope: str) -> None:
        """Look at the scene or at the pool."""
        self._become(scope="pool" if scope == "pool" else "scene")
        self.refresh()

    @Slot(str)
    def set_part(self, part: str) -> None:
        """Look at saturated, moving or static pixels alone."""
        self._become(part=Part(part))
        self._show()

    def measure(self, frames: FrameStore) -> None:
        """Measure now: the scene by asking the teacher, or every scene with a ground truth."""
        if self._keeper.state.evidence.scope == "scene":
            self.teacher_wanted.emit()
        elif self._keeper.project is not None and not self._measuring.at_work:
            self._measuring.start(
                partial(figures_of_pool, project=self._keeper.project.folder, frames=frames),
                self._pool_measured,
                self._refused,
                on_progress=self._progressed,
                on_given_up=self._over,
            )
            self._become(work="loading the teacher")

    @Slot()
    def cancel(self) -> None:
        """Give up measuring."""
        self._measuring.cancel()

    def refresh(self) -> None:
        """The scene, its σ or its clues have changed."""
        sigma = self._stage.material.sigma
        if self._scene_of is not sigma:
            self._scene = None
        if not self._measuring.at_work:
            self._become(work="")
        if self._watched and self._keeper.state.evidence.scope == "scene":
            self._measure_scene(sigma)
        self._show()

    def _measure_scene(self, sigma: Floats | None) -> None:
        error, squares, clues = self._stage.error, self._stage.squares, self._stage.clues
        if sigma is None or error is None or squares is None or self._scene is not None:
            return
        self._become(work="looking at the frames" if clues is None else _COMPARING)
        if clues is not None and self._scene_of is not sigma:
            self._scene_of = sigma
            job = partial(figures_of_scene, sigma=sigma, error=error, squares=squares, clues=clues)
            self._comparing.start(job, self._scene_measured, self._refused)

    def judged(self) -> None:
        """Thresholds have moved: so has the point on the curve."""
        if self._watched:
            self._become(point=self._point(self._keeper.state.evidence))

    def _scene_measured(self, scene: Figures) -> None:
        if scene.sigma is self._stage.material.sigma:
            self._scene = scene
            if not self._measuring.at_work:
                self._become(work="")
            self._show()

    def _pool_measured(self, pool: Figures) -> None:
        self._pool = pool
        self._over()
        self._show()
        if pool.problems:
            self._keeper.complain(pool.problems[0])

    def _refused(self, message: str) -> None:
        self._over()
        self._keeper.complain(message)

    def _over(self) -> None:
        if not self._measuring.at_work:
            self._become(work="", progress=None)

    def _progressed(self, text: str, done: int, total: int) -> None:
        self._become(work=text, progress=done / total if total else None)

    def _show(self) -> None:
        now = self._keeper.state.evidence
        known = self._scene if now.scope == "scene" else self._pool
        shown = known.parts.get(now.part) if known is not None and self._watched else None
        scenes = self._pool.scenes if now.scope == "pool" and self._pool else ()
        new = replace(now, shown=shown, scenes=scenes, note=self._note(now))
        self._keeper.become(evidence=replace(new, point=self._point(new)))

    def _note(self, now: EvidenceState) -> str:
        if now.scope == "pool":
            return self._pool.note if self._pool else ""
        if self._stage.material.ground_truth is None:
            return _NO_TRUTH
        return _NO_SIGMA if self._stage.material.sigma is None else ""

    def _point(self, now: EvidenceState) -> tuple[float, float] | None:
        """Where the thresholds stand: exact for a whole scene, else on the curve by σ alone."""
        if now.shown is None:
            return None
        found, error = self._stage.material.trust, self._stage.error
        if now.scope == "scene" and now.part is Part.ALL and found is not None:
            return None if error is None else sparsification_point(found.trusted, error)
        state = self._keeper.state
        of_pool = state.pool.retained if state.pool is not None else None
        kept = state.retained if now.scope == "scene" else of_pool
        return None if kept is None else (1 - kept, _on_curve(now.shown, 1 - kept))

    def _become(self, **changes: object) -> None:
        now = self._keeper.state.evidence
        self._keeper.become(evidence=replace(now, **changes))  # type: ignore[arg-type]


def _on_curve(shown: Evidence, dropped: float) -> float:
    return float(np.interp(dropped, np.linspace(0, 1, len(shown.by_sigma)), shown.by_sigma))
