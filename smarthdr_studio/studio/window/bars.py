"""The lines above and below the page: menus and decisions, and the status bar."""

from collections.abc import Mapping
from typing import ClassVar

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenuBar,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.words import telling
from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.state import (
    Activity,
    Centre,
    Readout,
    StudioState,
    TrainingState,
    Workspace,
)
from smarthdr_studio.studio.training.training_panel import (
    phase_in_words,
    progress_in_words,
    run_in_short,
)
from smarthdr_studio.studio.widgets.controls import (
    PARTED,
    Choice,
    ElidedLabel,
    button,
    caption,
)
from smarthdr_studio.studio.widgets.icons import IconButton, icon


class TopBar(QWidget):
    """Says which decision was pressed."""

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {"folder", "scenes", "project", "undo", "redo", "workspace"}
    )

    workspace_picked = Signal(str)
    promote_asked = Signal()
    exclude_asked = Signal()
    undo_asked = Signal()
    redo_asked = Signal()

    def __init__(self, menus: QMenuBar) -> None:
        super().__init__()
        self._name, self._counts = ElidedLabel(role="title"), ElidedLabel(role="muted", parted=True)
        self._name.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        # What the name leaves.
        self._counts.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._promote = button("Promote", tip=by_id("promote").tip_with_key)
        self._exclude = button("Exclude", tip=by_id("exclude").tip_with_key)
        self._undo, self._redo = (
            IconButton(icon(name), name=by_id(name).title, tip=by_id(name).tip_with_key)
            for name in ("undo", "redo")
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 4, 8, 2)
        row.setSpacing(6)
        row.addWidget(menus)
        tips = {str(each): by_id(f"work_{each.name.lower()}").tip_with_key for each in Workspace}
        self._workspaces = Choice(tips, name="Workspace", again=True)
        row.addWidget(self._workspaces)
        row.addSpacing(6)
        row.addWidget(self._name)
        row.addWidget(self._counts, 1)
        self.show_keys()
        for pressed in self._buttons():
            pressed.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row.addWidget(pressed)
        self._workspaces.picked.connect(self.workspace_picked)
        self._promote.clicked.connect(self.promote_asked)
        self._exclude.clicked.connect(self.exclude_asked)
        self._undo.clicked.connect(self.undo_asked)
        self._redo.clicked.connect(self.redo_asked)

    def show_keys(self) -> None:
        """The keys a person has for the decisions, on their buttons."""
        for pressed, name in ((self._promote, "promote"), (self._exclude, "exclude")):
            pressed.setText("  ".join((by_id(name).title, *by_id(name).keys[:1])))

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the project and what can be decided."""
        if (old.folder, old.scenes) != (new.folder, new.scenes):
            self._name.tell(new.project)
            if new.folder is None:
                self._counts.tell("")
            else:
                self._counts.tell(counts_in_words(new), *counts_in_brief(new))
        self._workspaces.show_word(str(new.workspace))
        for pressed in (self._workspaces, *self._buttons()):
            pressed.setVisible(new.folder is not None)
        self._undo.setEnabled(new.undo is not None)
        self._redo.setEnabled(new.redo is not None)
        self._undo.setToolTip(_with_words("undo", new.undo))
        self._redo.setToolTip(_with_words("redo", new.redo))

    def _buttons(self) -> tuple[QPushButton, ...]:
        return self._promote, self._exclude, self._undo, self._redo


def word_anew(window: QWidget, words: Mapping[str, str]) -> None:
    """Tooltips and lines of menus that named a key name the one it has now."""
    for part in window.findChildren(QWidget):
        part.setToolTip(_anew(part.toolTip(), words))
        part.setAccessibleDescription(_anew(part.accessibleDescription(), words))
    for line in window.findChildren(QAction):
        line.setText(words.get(line.text(), line.text()))
        line.setToolTip(_anew(line.toolTip(), words))


def _anew(tip: str, words: Mapping[str, str]) -> str:
    """A tip in other words; what it says beyond them stays."""
    for was, now in words.items():
        if tip == was or tip.startswith(f"{was}: "):
            return now + tip.removeprefix(was)
    return tip


def counts_in_words(state: StudioState) -> str:
    """How many scenes are what, in one line."""
    counts = state.counts()
    words = (
        (Status.GROUND_TRUTH, "labelled"),
        (Status.PROMOTED, "promoted"),
        (Status.UNLABELLED, "in the pool"),
        (Status.EXCLUDED, "excluded"),
        (Status.TEST, "test"),
    )
    return " · ".join(f"{counts[status]} {word}" for status, word in words if counts[status])


def counts_in_brief(state: StudioState) -> tuple[str, str]:
    """The same in fewer letters, and in fewer yet, without the test scenes, which do not change.

    Promoted scenes are added to those that were labelled before.
    """
    counts = state.counts()
    labels = (counts[each] for each in (Status.GROUND_TRUTH, Status.PROMOTED))
    words = (
        (" + ".join(str(count) for count in labels if count), "labelled"),
        (counts[Status.UNLABELLED], "pool"),
        (counts[Status.EXCLUDED], "excluded"),
    )
    brief = " · ".join(f"{count} {word}" for count, word in words if count)
    test = f" · {counts[Status.TEST]} test" if counts[Status.TEST] else ""
    return brief + test, brief


def _with_words(action: str, words: str | None) -> str:
    tip = by_id(action).tip_with_key
    return f"{tip}: {words}" if words else tip


class ReadOnlyNote(QFrame):
    """Says why nothing can be decided, and what still can be done."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"read_only"})

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("notice")
        self._why = caption("")
        self._why.setWordWrap(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 5, 12, 5)
        row.addWidget(caption("Read-only", role="title"))
        row.addWidget(self._why, 1)
        self.hide()

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the line, or nothing."""
        if old.read_only != new.read_only:
            self._why.setText(f"Looking works, deciding does not, because {new.read_only}.")
            self.setVisible(bool(new.read_only))


_MIB = 2**20
_WIDEST_NAME = 240


class ReadoutBar(QWidget):
    """One line: which scene is on the screen, and what is known of the pixel under the mouse.

    The middle gives way first when there is little room.
    """

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {
            *("readout", "busy", "progress", "training", "cache_bytes", "cache_budget"),
            *("folder", "workspace", "centre", "shown"),
        }
    )

    cancel_asked = Signal()
    run_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._scene = ElidedLabel(role="title", mode=Qt.TextElideMode.ElideMiddle)
        self._scene.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._scene.setMaximumWidth(_WIDEST_NAME)
        self._pixel = ElidedLabel(parted=True)
        self._work = caption("", role="muted")
        self._bar = QProgressBar(maximum=100, textVisible=False)
        self._bar.setFixedWidth(90)
        self._bar.setAccessibleName("Progress of the work in hand")
        self._cancel = button("Cancel", tip="Give up what is being prepared", role="link")
        self._cancel.clicked.connect(self.cancel_asked)
        self._run = button("", tip=by_id("work_train").tip_with_key, role="link")
        self._run.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._run.clicked.connect(self.run_asked)
        self._waits = caption("", role="warn")
        self._caches = caption("", role="muted")
        self._caches.setToolTip("Memory held by decoded frames, and the most that may be held")
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(10, 2, 10, 3)
        row.setSpacing(16)
        row.addWidget(self._scene)
        row.addWidget(self._pixel, 1)
        for part in (self._run, self._waits, self._work, self._bar, self._cancel, self._caches):
            row.addWidget(part)
        for part in (self._scene, self._bar, self._cancel, self._run):
            part.hide()

    def sizeHint(self) -> QSize:
        """As high with buttons as without, so that pictures keep their size when work begins."""
        return super().sizeHint().expandedTo(self._with_buttons())

    def minimumSizeHint(self) -> QSize:
        """The same."""
        return super().minimumSizeHint().expandedTo(self._with_buttons())

    def _with_buttons(self) -> QSize:
        around = self.contentsMargins() + self._row.contentsMargins()
        return QSize(0, self._cancel.sizeHint().height() + around.top() + around.bottom())

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the line."""
        train, run = new.workspace is Workspace.TRAIN, new.training
        seen = train and new.centre is Centre.PICTURES
        told = run.busy or run.activity is Activity.INTERRUPTED
        _set(self._run, run_in_short(run) if told and not seen else "")
        self._run.setToolTip(f"{by_id('work_train').tip_with_key}: {run_in_words(run)}")
        if old.shown != new.shown:
            self._scene.tell(new.shown or "")
            self._scene.setVisible(bool(new.shown))
        if (old.readout, old.workspace, old.centre) != (new.readout, new.workspace, new.centre):
            # Of a pixel of the views, while they can be in sight.
            self._pixel.tell("" if train or new.centre is Centre.RUNS else in_words(new.readout))
        _set(self._work, new.busy)
        self._bar.setVisible(new.progress is not None)
        self._cancel.setVisible(bool(new.busy))
        self._bar.setValue(round(100 * (new.progress or 0)))
        waits = run.busy and run.changes_wait
        _set(self._waits, f"changes take effect in {run.changes_in}" if waits else "")
        if (old.cache_bytes, old.folder) != (new.cache_bytes, new.folder):
            held, most = new.cache_bytes // _MIB, new.cache_budget / 2**30
            words = f"caches {held} MiB of {most:g} GiB"
            _set(self._caches, words if new.folder else "")


def in_words(pixel: Readout | None) -> str:
    """Everything known of a pixel on one line: first where it is, and whether it is trusted."""
    if pixel is None:
        return ""
    parts = [f"({pixel.x}, {pixel.y})"]
    if pixel.trusted is not None:
        kept = "trusted: person" if pixel.why == "person" else "trusted"
        parts.append(kept if pixel.trusted else f"dropped: {pixel.why}")
    if pixel.patch_score is not None:
        parts.append(f"S_pa {pixel.patch_score:.2f}")
    if pixel.pixel_score is not None:
        parts.append(f"S_pi {pixel.pixel_score:.2f}")
    if pixel.sigma is not None:
        parts.append(f"σ {telling(pixel.sigma)}")
    if pixel.linear is not None:
        parts.append("linear " + " ".join(map(telling, pixel.linear)))
    if pixel.mu_law is not None:
        parts.append(f"μ-law {telling(pixel.mu_law)}")
    return PARTED.join(parts)


def run_in_words(run: TrainingState) -> str:
    """Everything about the run at work in one line."""
    return " · ".join(part for part in (phase_in_words(run), progress_in_words(run)) if part)


def _set(label: QLabel | QPushButton, text: str) -> None:
    if label.text() != text:
        label.setText(text)
        label.setVisible(bool(text))
