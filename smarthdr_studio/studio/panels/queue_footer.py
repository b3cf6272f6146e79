"""How far a person has come with the scenes, and why the one on the screen stands in the queue."""

from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from smarthdr_studio.core.journal import Status
from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.panels.clamped_label import ClampedLabel
from smarthdr_studio.studio.panels.parts import ElidedLabel, button
from smarthdr_studio.studio.state import QueueKind, StudioState

_LINES: Final = 4
_HINTS: Final = {
    Status.GROUND_TRUTH: "has its ground truth",
    Status.PROMOTED: "is promoted",
    Status.EXCLUDED: "is excluded",
    Status.TEST: "is a test scene",
    Status.UNLABELLED: "has no pseudo-label yet, or came back after the queue was ranked",
}


class QueueFooter(QWidget):
    """A count with a thin bar, and below it the reason while a queue is walked."""

    anew_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._count, self._bar = ElidedLabel(role="muted"), QProgressBar(textVisible=False)
        self._reason, self._work = ClampedLabel(lines=_LINES), ElidedLabel(role="warn")
        self._anew = button("↻", tip=by_id("rank_anew").tip_with_key, role="link")
        self._anew.setAccessibleName("Rank anew")
        self._anew.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._anew.clicked.connect(self.anew_asked)
        self._bar.setAccessibleName("Reviewed scenes")
        above = QHBoxLayout()
        above.setSpacing(4)
        above.addWidget(self._count, 1)
        above.addWidget(self._anew)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(above)
        column.addWidget(self._bar)
        column.addWidget(self._work)
        column.addWidget(self._reason)
        self._show(StudioState())

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the progress and the reason of the current scene."""
        if (old.queue, old.current) != (new.queue, new.current) or old.scenes is not new.scenes:
            self._show(new)

    def _show(self, state: StudioState) -> None:
        queue = state.queue
        walked = queue.kind is not QueueKind.ALL
        self._count.tell(f"{queue.reviewed} of {queue.total} reviewed" if queue.total else "")
        self._bar.setRange(0, max(queue.total, 1))
        self._bar.setValue(queue.reviewed)
        self._bar.setVisible(bool(queue.total))
        self._reason.setVisible(walked)
        self._anew.setVisible(walked)
        self._work.setVisible(bool(queue.work))
        self._work.tell(queue.work)
        self._reason.tell(reason_in_words(state) if walked else "")


def reason_in_words(state: StudioState) -> str:
    """Why the current scene stands where it stands, or why it does not stand there."""
    queue, row = state.queue, state.row(state.current)
    reason = queue.reason_of(state.current)
    if not reason and row is not None and state.current not in queue.scenes:
        reason = f"{row.id} is not in this queue: it {_HINTS[row.status]}"
    if not queue.scenes:
        return "No scene waits: none is unlabelled with a pseudo-label"
    return f"Preliminary: {reason}" if queue.preliminary and reason else reason
