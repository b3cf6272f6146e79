"""Walks the widgets of a window and says in words what is clipped, covered or out of sight."""

from itertools import combinations

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QComboBox,
    QDockWidget,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMainWindow,
    QMenuBar,
    QSlider,
    QStyle,
    QStyleOptionComboBox,
    QTabBar,
    QToolButton,
    QWidget,
)

from smarthdr_studio.studio.plots.plot import Plot
from smarthdr_studio.studio.widgets.controls import ClampedLabel, ElidedLabel

_KINDS = (QLabel, QAbstractButton, QComboBox, QLineEdit, QAbstractSpinBox, QSlider)
_TOLERATED = 1  # pixels; rounding of scaled fonts
_PAD_OF_HEAD = 8  # what surrounds the words over a column at least
_SIGN = 12  # of the order
_PAD = 12  # what surrounds the words of a tab at least


def faults_of(window):
    """A sentence for each fault."""
    shown = [part for part in window.findChildren(QWidget) if _can_be_seen(part, window)]
    faults = []
    for part in shown:
        if isinstance(part, _KINDS) and not _inside_another(part):
            faults += _out_of_sight(part, window) + _too_small(part)
        elif isinstance(part, QTabBar):
            faults += _tabs(part)
        elif isinstance(part, QHeaderView):
            faults += _heads(part)
        elif isinstance(part, Plot):
            faults += _values(part.left, part) + _values(part.bottom, part)
        elif isinstance(part, QMenuBar):
            more = part.findChild(QToolButton, "qt_menubar_ext_button")
            faults += ["the menu bar hides menus"] if more is not None and more.isVisible() else []
    return faults + _overlaps(shown) + _over_panels(shown)


def _can_be_seen(part, window):
    if not part.isVisible() or part.window() is not window:
        return False
    above = part
    while above is not None and above is not window:
        # Qt puts what is behind a tab left of everything.
        if isinstance(above, QDockWidget) and above.geometry().right() < 0:
            return False
        above = above.parentWidget()
    return not (isinstance(part, QTabBar) and part.geometry().right() < 0)


def _inside_another(part):
    """The field of a spin box, the button of a line edit: theirs to place."""
    above = part.parentWidget()
    return isinstance(above, (QComboBox, QAbstractSpinBox, QLineEdit, QTabBar, QMenuBar)) or (
        part.objectName().startswith("qt_")
    )


def _scrolled(part):
    above = part.parentWidget()
    while above is not None:
        if isinstance(above, QAbstractScrollArea):
            return above
        above = above.parentWidget()
    return None


def _out_of_sight(part, window):
    scroll = _scrolled(part)
    if scroll is not None:
        room, place = scroll.viewport().width(), part.mapTo(scroll.viewport(), QPoint(0, 0)).x()
        across = scroll.horizontalScrollBarPolicy() is Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        over = across and (place < 0 or place + part.width() > room + _TOLERATED)
        return [f"{_name(part)} is wider than what can be scrolled to"] if over else []
    box = QRect(part.mapTo(window, QPoint(0, 0)), part.size())
    if not window.rect().adjusted(-1, -1, 1, 1).contains(box):
        return [f"{_name(part)} reaches out of the window"]
    seen = part.visibleRegion().boundingRect()
    cut = seen.width() < part.width() - _TOLERATED or seen.height() < part.height() - _TOLERATED
    covered = cut and not part.isWindow() and not part.visibleRegion().isEmpty()
    return [f"{_name(part)} is cut or covered"] if covered or seen.isEmpty() else []


def _too_small(part):
    if isinstance(part, QLabel):
        return _label(part)
    if isinstance(part, QComboBox):
        option = QStyleOptionComboBox()
        part.initStyleOption(option)
        field = part.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox,
            option,
            QStyle.SubControl.SC_ComboBoxEditField,
            part,
        )
        words = part.fontMetrics().horizontalAdvance(part.currentText())
        return [f"{_name(part)} cuts its words"] if words > field.width() + _TOLERATED else []
    if isinstance(part, QAbstractSpinBox):
        field = part.lineEdit()
        words = part.fontMetrics().horizontalAdvance(part.text())
        return [f"{_name(part)} cuts its number"] if words > field.width() + _TOLERATED else []
    if isinstance(part, QAbstractButton) and part.text():
        elided = "…" in part.text() and bool(part.toolTip())
        wanted = part.sizeHint().width()
        if isinstance(part, QToolButton):
            wanted = part.fontMetrics().horizontalAdvance(part.text())
        short = wanted > part.width() + _TOLERATED and not elided
        low = part.fontMetrics().height() > part.height() + _TOLERATED
        return [f"{_name(part)} cuts its words"] if short or low else []
    return []


def _label(part):
    if part.text() == "" or (part.pixmap().width() > 0 and not part.text()):
        return []
    metrics = part.fontMetrics()
    if part.wordWrap():
        low = part.heightForWidth(part.width()) > part.height() + metrics.leading() + _TOLERATED
        told = low and not (part.text().endswith("…") and part.toolTip())
        return [f"{_name(part)} cuts its lines"] if told else []
    if part.textFormat() is not Qt.TextFormat.PlainText and "</" in part.text():
        return []  # rich text; its tags are no words
    words = max(metrics.horizontalAdvance(line) for line in part.text().splitlines() or [""])
    short = words > part.contentsRect().width() + _TOLERATED
    low = metrics.height() > part.height() + _TOLERATED + metrics.leading() + 2
    shortened = isinstance(part, (ElidedLabel, ClampedLabel)) and part.text().endswith("…")
    untold = shortened and not part.toolTip()
    return [f"{_name(part)} cuts its words"] if short or low or untold else []


def _tabs(bar):
    faults = []
    for place in range(bar.count()):
        box = bar.tabRect(place)
        words = bar.fontMetrics().horizontalAdvance(bar.tabText(place)) + _PAD
        if words > box.width() and not bar.tabToolTip(place):
            faults.append(f"the tab {bar.tabText(place)} is cut and does not tell its name")
        if box.right() > bar.width() + _TOLERATED:
            faults.append(f"the tab {bar.tabText(place)} has no room")
    return faults


def _heads(head):
    """Of the columns of a table in sight: whether the words over each are whole."""
    if head.orientation() is not Qt.Orientation.Horizontal or head.model() is None:
        return []
    faults = []
    for place in range(head.count()):
        left, wide = head.sectionViewportPosition(place), head.sectionSize(place)
        if head.isSectionHidden(place) or left >= head.viewport().width() or left + wide <= 0:
            continue
        words = str(head.model().headerData(place, head.orientation()) or "")
        sign = head.isSortIndicatorShown() and head.sortIndicatorSection() == place
        taken = _PAD_OF_HEAD + (_SIGN if sign and not words.endswith(("▾", "▴")) else 0)
        if head.fontMetrics().horizontalAdvance(words) + taken > wide + _TOLERATED:
            faults.append(f"“{words}” over a column of {_name(head.parentWidget())} is cut")
    return faults


def _values(axis, plot):
    """Of the values along an axis: whether each is whole, and on no other."""
    if not axis.isVisible() or not axis.picture or axis._worked_out is None:
        return []
    _line, _marks, texts = axis._worked_out
    boxes = [(axis.mapRectToScene(box), text) for box, _flags, text in texts]
    room = plot.rect().toRectF().adjusted(-1, -1, 1, 1)
    faults = [f"{text} of a chart is cut" for box, text in boxes if not room.contains(box)]
    for (box, text), (other, beside) in combinations(boxes, 2):
        if box.adjusted(1, 1, -1, -1).intersects(other):
            faults.append(f"{text} and {beside} of a chart lie over one another")
    return faults


def _overlaps(shown):
    by_parent = {}
    for part in shown:
        if isinstance(part, _KINDS) and not _inside_another(part):
            by_parent.setdefault(part.parentWidget(), []).append(part)
    return [
        f"{_name(first)} lies over {_name(second)}"
        for parts in by_parent.values()
        for first, second in combinations(parts, 2)
        if first.geometry().intersects(second.geometry())
    ]


def _over_panels(shown):
    """Tabs of docks stand beside what they turn over, and what no dock is behind has none."""
    return [
        f"the tabs {[bar.tabText(place) for place in range(bar.count())]} lie over a panel"
        for bar in shown
        if isinstance(bar, QTabBar) and isinstance(bar.parentWidget(), QMainWindow)
        for beside in shown
        if beside.parentWidget() is bar.parentWidget()
        and isinstance(beside, (QDockWidget, QTabBar))
        and beside is not bar
        and beside.geometry().adjusted(2, 2, -2, -2).intersects(bar.geometry())
    ]


def _name(part):
    words = part.text() if hasattr(part, "text") else ""
    whose = part.parentWidget()
    return f"{type(part).__name__} “{part.accessibleName() or words}” of {type(whose).__name__}"
