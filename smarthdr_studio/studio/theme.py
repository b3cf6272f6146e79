"""What the window looks like: three palettes, the text size and the style sheet made from them."""

from dataclasses import dataclass, replace
from typing import Final, Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from smarthdr_studio.core.environment import resource

Wish = Literal["system", "dark", "light", "contrast"]

SMALLEST_TEXT_PT: Final = 11.0
SELECTED: Final = 0.24  # opacity of the accent behind a selected line


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Every colour of the window as '#rrggbb'; greys are neutral so that pictures are judged alone.

    `canvas` surrounds the pictures, `pressed` is behind the words of what is switched on; `good`,
    `warn` and `bad` never stand without a word or a shape.
    """

    name: str
    window: str
    panel: str
    raised: str
    border: str
    text: str
    muted: str
    accent: str
    on_accent: str
    pressed: str
    good: str
    warn: str
    bad: str
    canvas: str


DARK: Final = Palette(
    name="dark",
    window="#252525",
    panel="#303030",
    raised="#3c3c3c",
    border="#4b4b4b",
    text="#ebebeb",
    muted="#b2b2b2",
    accent="#6cb2f0",
    on_accent="#10202e",
    pressed="#4b4b4b",
    good="#67c2a0",
    warn="#e6b15c",
    bad="#f08c7a",
    canvas="#3f3f3f",
)

LIGHT: Final = Palette(
    name="light",
    window="#e4e4e4",
    panel="#f4f4f4",
    raised="#ffffff",
    border="#bdbdbd",
    text="#1c1c1c",
    muted="#555555",
    accent="#1a65a8",
    on_accent="#ffffff",
    pressed="#bdbdbd",
    good="#1c7254",
    warn="#875800",
    bad="#ac3524",
    canvas="#a9a9a9",
)

CONTRAST: Final = Palette(
    name="contrast",
    window="#000000",
    panel="#000000",
    raised="#1a1a1a",
    border="#c8c8c8",
    text="#ffffff",
    muted="#e6e6e6",
    accent="#ffe14d",
    on_accent="#000000",
    pressed="#4b4b4b",
    good="#5cf0b4",
    warn="#ff9a1f",
    bad="#ff9d8f",
    canvas="#2b2b2b",
)
_BY_WISH: Final = {"dark": DARK, "light": LIGHT, "contrast": CONTRAST}


def palette_for(wish: Wish) -> Palette:
    """The palette asked for; "system" follows the desktop and is dark where it does not say."""
    if wish == "system":
        scheme = QGuiApplication.styleHints().colorScheme()
        return LIGHT if scheme == Qt.ColorScheme.Light else DARK
    return _BY_WISH[wish]


def on_selection(palette: Palette, *, selected: bool = True) -> Palette:
    """The palette for the words of a line, which on the ground of a selected one are all plain."""
    p = palette
    return replace(p, muted=p.text, good=p.text, warn=p.text, bad=p.text) if selected else p


def current_palette() -> Palette:
    """The palette that the application is dressed in."""
    window = QGuiApplication.palette().window().color().name()
    return next((each for each in _BY_WISH.values() if each.window == window), DARK)


def dress(application: QApplication, palette: Palette) -> None:
    """Give the whole application this palette, and text no smaller than can be read.

    Every part of a window is worked out anew by that, so what is dressed like this already stays.
    """
    sheet = style_sheet(palette)
    if application.styleSheet() != sheet:
        tint(application, palette)
        application.setStyleSheet(sheet)


def tint(application: QApplication, palette: Palette) -> None:
    """All of `dress` but the style sheet, which is worked out anew for every part that is added.

    A window is built after this and before `dress`, in a third of the time.
    """
    application.setStyle("Fusion")
    font = application.font()
    font.setPointSizeF(max(SMALLEST_TEXT_PT, font.pointSizeF()))
    application.setFont(font)
    application.setPalette(_qt_palette(palette))


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    high, low = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def style_sheet(palette: Palette) -> str:
    """The Qt style sheet of a palette."""
    p = palette
    return f"""
QToolTip {{ background: {p.raised}; color: {p.text}; border: 1px solid {p.border}; padding: 4px; }}
QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; button-layout: 3; }}
QMainWindow, QDialog {{ background: {p.window}; }}
QFrame#card {{ background: {p.panel}; border: 1px solid {p.border}; border-radius: 6px; }}
QLabel {{ background: transparent; }}
QLabel[role="title"] {{ font-weight: 600; }}
QLabel[role="muted"] {{ color: {p.muted}; }}
QLabel[role="figure"] {{ font-size: 15pt; font-weight: 600; }}
QLabel[role="headline"] {{ font-size: 21pt; font-weight: 600; }}
QLabel[role="good"] {{ color: {p.good}; }}
QLabel[role="warn"] {{ color: {p.warn}; }}
QLabel[role="bad"] {{ color: {p.bad}; }}
QFrame#tile {{ background: {p.window}; border: 1px solid {p.border}; border-radius: 4px; }}
QFrame#notice {{ background: {p.raised}; border: 1px solid {p.border}; border-radius: 6px; }}
QFrame#notice[tone="bad"] {{ border: 1px solid {p.bad}; }}
QFrame#notice[tone="warn"] {{ border: 1px solid {p.warn}; }}
{_buttons(p)}{_fields(p)}{_lists(p)}{_tables(p)}"""


def _buttons(p: Palette) -> str:
    return f"""
QPushButton {{ background: {p.raised}; color: {p.text}; border: 1px solid {p.border};
  border-radius: 4px; padding: 4px 11px; }}
QPushButton:hover {{ border-color: {p.muted}; }}
QPushButton:pressed, QPushButton:checked {{ background: {p.pressed}; }}
QPushButton:checked {{ border-color: {p.accent}; }}
QPushButton:focus {{ border-color: {p.accent}; }}
QPushButton:disabled {{ color: {_mix(p.muted, p.panel)}; background: {p.panel}; }}
QPushButton[role="primary"] {{ background: {p.accent}; color: {p.on_accent};
  border-color: {p.accent}; font-weight: 600; }}
QPushButton[role="primary"]:hover, QPushButton[role="primary"]:focus {{ border-color: {p.text}; }}
QPushButton[role="primary"]:disabled {{ background: {p.panel}; color: {_mix(p.muted, p.panel)};
  border-color: {p.border}; }}
QPushButton[role="link"] {{ background: transparent; border: 1px solid transparent;
  color: {p.accent}; padding: 2px 6px; }}
QPushButton[role="link"]:hover, QPushButton[role="link"]:focus {{ border-color: {p.accent}; }}
QPushButton[role="entry"] {{ text-align: left; padding: 9px 14px; }}
QPushButton[role="link"]:disabled {{ color: {_mix(p.muted, p.panel)}; background: transparent; }}
"""


def _fields(p: Palette) -> str:
    return f"""
QLineEdit, QDoubleSpinBox, QComboBox {{ background: {p.window}; color: {p.text};
  placeholder-text-color: {p.muted};
  border: 1px solid {p.border}; border-radius: 4px; padding: 3px 6px;
  selection-background-color: {p.accent}; selection-color: {p.on_accent}; }}
QDoubleSpinBox::up-button, QDoubleSpinBox::down-button {{ width: 0; border: none; }}
QAbstractSpinBox QLineEdit {{ border: none; background: transparent; padding: 0 0 0 3px; }}
QComboBox::drop-down {{ border: none; width: 20px; }}
QComboBox::down-arrow {{ image: url({_icon("down", p)}); width: 12px; height: 12px; }}
QLineEdit:focus, QDoubleSpinBox:focus, QComboBox:focus {{ border-color: {p.accent}; }}
QLineEdit:disabled, QDoubleSpinBox:disabled, QComboBox:disabled {{
  color: {_mix(p.muted, p.panel)}; }}
QComboBox QAbstractItemView {{ background: {p.raised}; color: {p.text};
  border: 1px solid {p.border}; selection-background-color: {p.accent};
  selection-color: {p.on_accent}; }}
QProgressBar {{ background: {p.window}; border: 1px solid {p.border}; border-radius: 3px;
  max-height: 6px; min-height: 6px; }}
QProgressBar::chunk {{ background: {p.accent}; border-radius: 2px; }}
QSlider::groove:horizontal {{ height: 4px; background: {p.border}; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {p.accent}; border-radius: 2px; }}
QSlider::handle:horizontal {{ background: {p.text}; width: 14px; height: 14px; margin: -5px 0;
  border-radius: 7px; border: 1px solid {p.panel}; }}
QSlider::handle:horizontal:focus {{ border: 2px solid {p.accent}; }}
QSlider::sub-page:horizontal:disabled {{ background: {_mix(p.muted, p.panel)}; }}
QSlider::handle:horizontal:disabled {{ background: {_mix(p.muted, p.panel)}; }}
"""


def _lists(p: Palette) -> str:
    return f"""
QListView {{ background: transparent; border: none; outline: none; }}
QListWidget::item {{ padding: 6px 9px; border: 1px solid transparent; border-radius: 4px; }}
QListWidget::item:selected {{ background: {p.raised}; color: {p.text}; border-color: {p.muted}; }}
QPlainTextEdit {{ background: {p.window}; border: 1px solid {p.border}; border-radius: 4px;
  placeholder-text-color: {p.muted}; }}
QScrollArea, QScrollArea > QWidget > QWidget#inside {{ background: transparent; border: none; }}
QTextBrowser {{ background: {p.panel}; border: 1px solid {p.border}; border-radius: 6px;
  padding: 6px; }}
QMenuBar {{ background: transparent; color: {p.text}; }}
QMenuBar::item {{ padding: 5px 9px; background: transparent; border-radius: 4px; }}
QMenuBar::item:selected {{ background: {p.raised}; }}
QMenu {{ background: {p.raised}; color: {p.text}; border: 1px solid {p.border}; padding: 4px; }}
QMenu::item {{ padding: 5px 24px 5px 12px; border-radius: 3px; }}
QMenu::item:selected {{ background: {p.accent}; color: {p.on_accent}; }}
QMenu::item:disabled {{ color: {_mix(p.muted, p.panel)}; }}
QMenu::separator {{ height: 1px; background: {p.border}; margin: 4px 8px; }}
QStatusBar {{ background: {p.window}; color: {p.muted}; }}
QStatusBar::item {{ border: none; }}
QDockWidget {{ color: {p.text}; titlebar-close-icon: url({_icon("close", p)});
  titlebar-normal-icon: url({_icon("apart", p)}); }}
QDockWidget::title {{ background: {p.window}; padding: 3px 6px; text-align: left; }}
QDockWidget::close-button, QDockWidget::float-button {{ border: none; icon-size: 16px; }}
QDockWidget::close-button:hover, QDockWidget::float-button:hover {{ background: {p.raised};
  border-radius: 3px; }}
QMainWindow::separator {{ background: transparent; width: 6px; height: 6px; }}
QMainWindow::separator:hover {{ background: {p.border}; }}
QSplitter::handle {{ background: transparent; }}
QSplitter::handle:hover {{ background: {p.border}; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar::handle:vertical {{ background: {p.border}; border-radius: 4px; min-height: 28px;
  margin: 1px; }}
QScrollBar::handle:vertical:hover {{ background: {p.muted}; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle:horizontal {{ background: {p.border}; border-radius: 4px; min-width: 28px;
  margin: 1px; }}
QScrollBar::handle:horizontal:hover {{ background: {p.muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; width: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""


def _tables(p: Palette) -> str:
    return f"""
QTableView {{ background: transparent; border: none; outline: none;
  selection-background-color: transparent; selection-color: {p.text}; }}
QHeaderView {{ background: transparent; border: none; }}
QHeaderView::section {{ background: {p.panel}; color: {p.muted}; border: none;
  border-bottom: 1px solid {p.border}; padding: 3px 6px; }}
QHeaderView::section:hover {{ color: {p.text}; }}
QLineEdit[role="fault"] {{ border-color: {p.warn}; }}
QCheckBox {{ spacing: 7px; }}
QCheckBox::indicator, QAbstractItemView::indicator {{ width: 14px; height: 14px;
  background: {p.window}; border: 1px solid {p.muted}; border-radius: 3px; }}
QCheckBox::indicator:checked, QAbstractItemView::indicator:checked {{ background: {p.accent};
  border-color: {p.accent}; image: url({_icon("tick", p)}); }}
QRadioButton {{ spacing: 7px; }}
QRadioButton::indicator {{ width: 14px; height: 14px; background: {p.window};
  border: 1px solid {p.muted}; border-radius: 8px; }}
QRadioButton::indicator:checked {{ border-color: {p.accent};
  background: qradialgradient(cx: 0.5, cy: 0.5, radius: 0.5, fx: 0.5, fy: 0.5,
    stop: 0.6 {p.accent}, stop: 0.7 {p.window}); }}
QCheckBox::indicator:focus, QRadioButton::indicator:focus {{ border-color: {p.text}; }}
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled {{ border-color: {p.border}; }}
QAbstractScrollArea::corner {{ background: transparent; border: none; }}
QTabBar {{ qproperty-drawBase: 0; }}
QTabBar::tab {{ background: transparent; color: {p.muted}; border: 1px solid transparent;
  border-bottom: none; border-top-left-radius: 4px; border-top-right-radius: 4px;
  padding: 5px 8px; }}
QTabBar::tab:selected {{ background: {p.panel}; color: {p.text}; border-color: {p.border}; }}
QTabBar::tab:hover {{ color: {p.text}; }}
QTabBar::tab:focus {{ border-color: {p.accent}; }}
"""


def _icon(shape: str, p: Palette) -> str:
    drawn = "light" if p is LIGHT else "dark"
    return resource("icons", f"{shape}-{drawn}.svg").as_posix()


def _qt_palette(p: Palette) -> QPalette:
    roles = {
        QPalette.ColorRole.Window: p.window,
        QPalette.ColorRole.WindowText: p.text,
        QPalette.ColorRole.Base: p.window,
        QPalette.ColorRole.AlternateBase: p.panel,
        QPalette.ColorRole.Text: p.text,
        QPalette.ColorRole.PlaceholderText: p.muted,
        QPalette.ColorRole.Button: p.raised,
        QPalette.ColorRole.ButtonText: p.text,
        QPalette.ColorRole.ToolTipBase: p.raised,
        QPalette.ColorRole.ToolTipText: p.text,
        QPalette.ColorRole.Highlight: p.accent,
        QPalette.ColorRole.HighlightedText: p.on_accent,
        QPalette.ColorRole.Link: p.accent,
    }
    dressed = QPalette()
    for role, colour in roles.items():
        dressed.setColor(role, QColor(colour))
    faint = QColor(_mix(p.muted, p.panel))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        dressed.setColor(QPalette.ColorGroup.Disabled, role, faint)
    return dressed


def _mix(first: str, second: str) -> str:
    pairs = ((int(first[i : i + 2], 16), int(second[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{(a + b) // 2:02x}" for a, b in pairs)


def _luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
