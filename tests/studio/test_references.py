"""The toolkit keeps Python's own books straight."""

import sys

from PySide6.QtWidgets import QWidget


def test_calling_the_toolkit_takes_no_reference_from_none(qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    before = sys.getrefcount(None)
    for _ in range(500):
        widget.update()
    assert sys.getrefcount(None) > before - 250
