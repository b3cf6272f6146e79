"""How much one step of a threshold, one promotion and one round set in motion: calls, not times.

usage: count_calls.py
Only calls on the thread of the window (or of the round) are counted.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from operator import eq
from pathlib import Path
from types import CodeType, FrameType

from at_work import WindowAtWork
from fabricated import fabricate_pseudo_label, project_over, write_dataset

from smarthdr_studio.core.imaging.bracket import FrameStore, Scene, decode_ground_truth
from smarthdr_studio.core.project import database
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust import masking, pool
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.studio.project.current_scene import Stage
from smarthdr_studio.synthetic.settings import SampleSettings

STATE_CHANGES, SHOW_STATE = "state changes", "show_state calls"
COUNTED: dict[CodeType, str] = {
    database.each_entry_after.__code__: "journal reads",
    database.read_reviews.__code__: "reads of reviews",
    Stage.update_trust.__code__: "Stage.update_trust",
    masking.trust.__code__: "trust",
    masking.patch_means.__code__: "patch_means",
    pool.PoolStatistics.retention.__code__: "retention of the pool",
}
ROWS = (STATE_CHANGES, SHOW_STATE, *COUNTED.values())


@contextmanager
def counting(calls: Counter[str]) -> Iterator[None]:
    """Count what this thread calls, whoever calls it."""

    def look(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            code = frame.f_code
            if code in COUNTED:
                calls[COUNTED[code]] += 1
            elif code.co_name == "show_state":
                calls[SHOW_STATE] += 1

    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(None)


class WindowCounts:
    """The window over the sample; counts what an act of a person sets in motion."""

    def __init__(self, home: Path) -> None:
        self._bench = WindowAtWork(home)
        self.session, self.menus = self._bench.session, self._bench.window.menus
        self._calls: Counter[str] = Counter()
        self.session.changed.connect(self._changed)

    def open(self, project: Path, scene: str) -> None:
        """Look at one scene of a project until nothing is left to be done."""
        self._bench.open(project)
        self._bench.until(lambda: self.session.state.pool is not None)
        self.session.screen.pick(scene)
        self._settle()

    def of(self, act: Callable[[], object]) -> tuple[Counter[str], Counter[str]]:
        """What is called before the act returns, and what follows until all is quiet."""
        at_once, later = Counter[str](), Counter[str]()
        self._calls = at_once
        with counting(at_once):
            act()
        self._calls = later
        with counting(later):
            self._settle()
        return at_once, later

    def close(self) -> None:
        """Leave."""
        self._bench.close()

    def _settle(self) -> None:
        for _ in range(3):  # one answer may ask for the next
            self._bench.until_quiet()

    def _changed(self, _old: object, _new: object) -> None:
        self._calls[STATE_CHANGES] += 1


class _Alone:
    """One process: scenes come one at a time."""

    is_first = True

    def groups(self, scenes: Sequence[Scene]) -> Iterator[tuple[int, list[Scene]]]:
        yield from ((done, [scene]) for done, scene in enumerate(scenes))


class _Seer:
    """Predicts the ground truth, and doubt that grows with it."""

    ranks, frames = _Alone(), FrameStore()

    def predict_group(self, group: list[Scene]) -> list[tuple[object, object]]:
        truths = [decode_ground_truth(scene) for scene in group]
        return [(truth, truth.mean(2).astype("float32")) for truth in truths]


def of_a_round(project: Path, folder: Path) -> tuple[Counter[str], int]:
    """What one round of the trainer calls, and over how many scenes."""
    from smarthdr_studio.learning.pseudo_labelling import Origin, label_pool

    with Project.open(project) as opened:
        scenes = [s for s in opened.scenes if s.ground_truth is not None]
    origin = Origin(run="counted", round=1, step=1, epoch=1, checkpoint="0", network="light")
    calls: Counter[str] = Counter()
    folder.mkdir()
    with counting(calls):
        for _ in label_pool(_Seer(), scenes, pseudo=folder, masks=MaskSettings(), origin=origin):
            pass
    return calls, len(scenes)


def sample_project(folder: Path) -> tuple[Path, tuple[str, ...]]:
    """The sample after a round: every unlabelled scene has a pseudo-label."""
    settings = SampleSettings(width=384, height=256)
    place = project_over(folder / "sample.shdr", write_dataset(folder / "sample", settings))
    with Project.open(place) as project:
        statuses = project.statuses()
        pool_of = tuple(s for s, status in statuses.items() if status is Status.UNLABELLED)
        for scene in pool_of:
            fabricate_pseudo_label(project, scene)
    return place, pool_of


def measure(folder: Path) -> list[tuple[str, Counter[str]]]:
    """Every column of the table."""
    place, scenes = sample_project(folder)
    window = WindowCounts(folder)
    window.open(place, scenes[0])
    session = window.session
    before = session.state.masks
    shares = session.state.retained, session.state.pool
    tick = window.of(lambda: session.screen.move_masks(replace(before, tau_patch=0.1)))
    if any(map(eq, shares, (session.state.retained, session.state.pool))):
        raise RuntimeError("this step of τ keeps what the one before it kept")
    window.of(lambda: session.screen.move_masks(before))
    promote = window.of(window.menus._actions["promote"].trigger)
    if session.state.row(scenes[0]).status is not Status.PROMOTED:
        raise RuntimeError(f"{scenes[0]} was not promoted: {session.state.notice}")
    window.close()
    a_round, count = of_a_round(place, folder / "pseudo")
    return [
        ("τ tick, at once", tick[0]),
        ("τ tick, at leisure", tick[1]),
        ("promote, at once", promote[0]),
        ("promote, until quiet", promote[1]),
        (f"round of {count} scenes", a_round),
    ]


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        columns = measure(Path(folder))
    print("| calls | " + " | ".join(name for name, _ in columns) + " |")
    print("|---|" + "---|" * len(columns))
    for name in ROWS:
        print(f"| {name} | " + " | ".join(str(calls[name]) for _, calls in columns) + " |")


if __name__ == "__main__":
    main()
