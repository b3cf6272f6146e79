"""A few words side by side of which one is picked."""

from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QHBoxLayout, QWidget

from smarthdr_studio.studio.panels.parts import button

_SMALL: Final = """
QPushButton { padding: 1px 4px; }
QPushButton:checked { background: palette(highlight); color: palette(highlighted-text); }
"""


class Choice(QWidget):
    """Says which word was picked; shows the one it is told to."""

    picked = Signal(str)

    def __init__(self, words: dict[str, str], *, name: str) -> None:
        """`words` and what each of them means, for its tooltip; `name` says what is chosen."""
        super().__init__()
        self._tips = words
        self._shown = ""
        self._buttons = {word: button(word, tip=tip) for word, tip in words.items()}
        self._group = QButtonGroup(self)
        self.setAccessibleName(name)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(1)
        for word, each in self._buttons.items():
            each.setCheckable(True)
            each.setAccessibleName(f"{name}: {word}")
            each.setStyleSheet(_SMALL)
            # The arrow keys belong to the scene list, whatever was clicked.
            each.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self._group.addButton(each)
            row.addWidget(each)
        self._group.buttonClicked.connect(self._clicked)

    def show_word(self, word: str) -> None:
        """Mark this word as picked, or none with ""."""
        self._shown = word
        self._group.setExclusive(bool(word))
        for each, pressed in self._buttons.items():
            pressed.setChecked(each == word)

    def offer(self, word: str, *, refusal: str) -> None:
        """Let a word be picked, or say in its tooltip why it cannot be ("" lets it be)."""
        self._buttons[word].setEnabled(not refusal)
        self._buttons[word].setToolTip(refusal or self._tips[word])

    @Slot(QAbstractButton)
    def _clicked(self, pressed: QAbstractButton) -> None:
        if pressed.text() != self._shown:
            self.picked.emit(pressed.text())
