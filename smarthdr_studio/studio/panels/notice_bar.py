"""What went wrong or was left out, told without stopping anyone."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout

from smarthdr_studio.studio.panels.parts import button, caption, clear
from smarthdr_studio.studio.state import Notice, Offer, StudioState

_WORDS = {"plain": "", "warn": "Note", "bad": "Not done"}


class NoticeBar(QFrame):
    """A line over the pictures until it is closed, with details, and what can be done, on it."""

    closed = Signal()
    open_asked = Signal(object)
    offer_taken = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("notice")
        self._word, self._text = caption("", role="title"), caption("")
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._more = button("Details", tip="Show what was left out, one line each", role="link")
        self._more.setCheckable(True)
        self._open = button("Open", tip="Look at what was written", role="link")
        self._written: Path | None = None
        self._close = button("Close", tip="Close this note", role="link")
        self._details = QPlainTextEdit(readOnly=True)
        self._details.setAccessibleName("Details")
        self._details.setMaximumHeight(130)
        self._offer_beside, self._offers_below = QHBoxLayout(), QHBoxLayout()
        self._lay_out()
        self._more.toggled.connect(self._details.setVisible)
        self._close.clicked.connect(self.closed)
        self._open.clicked.connect(self._ask_to_open)
        self.hide()

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the notice, or nothing."""
        if old.notice is not new.notice:
            self.setVisible(new.notice is not None)
            if new.notice is not None:
                self._tell(new.notice)

    def _lay_out(self) -> None:
        for line in (self._offer_beside, self._offers_below):
            line.setSpacing(6)
        row = QHBoxLayout()
        row.addWidget(self._word)
        row.addWidget(self._text, 1)
        row.addLayout(self._offer_beside)
        row.addWidget(self._open)
        row.addWidget(self._more)
        row.addWidget(self._close)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 5, 6, 5)
        column.addLayout(row)
        column.addLayout(self._offers_below)
        column.addWidget(self._details)

    @Slot()
    def _ask_to_open(self) -> None:
        self.open_asked.emit(self._written)

    def _take(self, offer: Offer) -> None:
        self.offer_taken.emit(offer)

    def _offer(self, offers: tuple[Offer, ...]) -> None:
        """A button for each; only the best of them catches the eye, and several need a line."""
        clear(self._offer_beside)
        clear(self._offers_below)
        line = self._offers_below if len(offers) > 1 else self._offer_beside
        for place, offer in enumerate(offers):
            made = button(offer.text, tip=offer.tip, role="" if place else "primary")
            made.clicked.connect(partial(self._take, offer))
            line.addWidget(made)
        if len(offers) > 1:
            line.addStretch(1)

    def _tell(self, notice: Notice) -> None:
        self._offer(notice.offers)
        self._written = notice.opens
        self._open.setVisible(notice.opens is not None)
        self.setProperty("tone", notice.tone)
        self.style().unpolish(self)
        self.style().polish(self)
        self._word.setText(_WORDS[notice.tone])
        self._word.setVisible(bool(_WORDS[notice.tone]))
        self._text.setText(notice.text)
        self._details.setPlainText("\n".join(notice.details))
        self._more.setVisible(bool(notice.details))
        self._more.setChecked(False)
        self._details.setVisible(False)
