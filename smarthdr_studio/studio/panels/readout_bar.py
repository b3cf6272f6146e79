"""The status bar: the pixel under the cursor, what waits for the next round, memory held."""

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QWidget

from smarthdr_studio.studio.panels.parts import ElidedLabel, button, caption, small
from smarthdr_studio.studio.state import Readout, StudioState

_MIB = 2**20


class ReadoutBar(QWidget):
    """One line; the middle gives way first when there is little room."""

    cancel_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._pixel = ElidedLabel()
        self._work = caption("", role="muted")
        self._bar = QProgressBar(maximum=100, textVisible=False)
        self._bar.setFixedWidth(90)
        self._bar.setAccessibleName("Progress of the work in hand")
        self._cancel = button("Cancel", tip="Give up what is being prepared", role="link")
        self._cancel.clicked.connect(self.cancel_asked)
        self._waits = caption("", role="warn")
        self._caches = caption("", role="muted")
        self._caches.setToolTip("Memory held by decoded frames, and the most that may be held")
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 2, 10, 3)
        row.setSpacing(16)
        row.addWidget(self._pixel, 1)
        for part in (self._waits, self._work, self._bar, self._cancel, self._caches):
            row.addWidget(part)
        self._bar.hide()
        self._cancel.hide()

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the line."""
        if old.readout != new.readout:
            self._pixel.tell(in_words(new.readout))
        _set(self._work, new.busy)
        self._bar.setVisible(new.progress is not None)
        self._cancel.setVisible(bool(new.busy))
        self._bar.setValue(round(100 * (new.progress or 0)))
        waits = new.training.busy and new.training.changes_wait
        _set(
            self._waits,
            f"changes take effect in {new.training.changes_in}" if waits else "",
        )
        if (old.cache_bytes, old.folder) != (new.cache_bytes, new.folder):
            held, most = new.cache_bytes // _MIB, new.cache_budget / 2**30
            words = f"caches {held} MiB of {most:g} GiB"
            _set(self._caches, words if new.folder else "")


def in_words(pixel: Readout | None) -> str:
    """Everything known of a pixel on one line."""
    if pixel is None:
        return ""
    parts = [f"({pixel.x}, {pixel.y})"]
    if pixel.linear is not None:
        parts.append("linear " + " ".join(f"{value:.3f}" for value in pixel.linear))
    if pixel.mu_law is not None:
        parts.append(f"μ-law {pixel.mu_law:.3f}")
    if pixel.sigma is not None:
        parts.append(f"σ {small(pixel.sigma)}")
    if pixel.patch_score is not None:
        parts.append(f"S_pa {pixel.patch_score:.2f}")
    if pixel.pixel_score is not None:
        parts.append(f"S_pi {pixel.pixel_score:.2f}")
    if pixel.trusted is not None:
        kept = "trusted: person" if pixel.why == "person" else "trusted"
        parts.append(kept if pixel.trusted else f"dropped: {pixel.why}")
    return "   ".join(parts)


def _set(label: QLabel, text: str) -> None:
    if label.text() != text:
        label.setText(text)
        label.setVisible(bool(text))
