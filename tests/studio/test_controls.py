"""Lines that are too long for their place: what matters most stays, and no part is cut in two."""

from PySide6.QtGui import QFontMetrics

from smarthdr_studio.studio.widgets.controls import ElidedLabel, whole_parts

LINE = "84 % retained · τ_pi 0.40 · μ-law"


def test_parts_of_a_line_go_from_its_end_until_the_rest_has_room(qapp):
    metrics = QFontMetrics(qapp.font())
    told = [
        whole_parts(LINE, metrics, metrics.horizontalAdvance(fitting) + 1)
        for fitting in (LINE, "84 % retained · τ_pi 0.40 …", "84 % retained · τ", "84 % retained …")
    ]
    assert told == [LINE, "84 % retained · τ_pi 0.40 …", "84 % retained …", "84 % retained …"]
    assert whole_parts(LINE, metrics, metrics.horizontalAdvance("84 % re")).endswith("…")


def test_a_parted_label_shows_whole_parts_and_a_mark_that_there_are_more(qtbot):
    label = ElidedLabel(parted=True)
    qtbot.addWidget(label)
    label.tell(LINE)
    metrics = QFontMetrics(label.font())
    label.resize(metrics.horizontalAdvance("84 % retained · τ_p") + 1, 20)
    label.show()
    assert label.text() == "84 % retained …"
    assert label.toolTip() == LINE
    label.resize(metrics.horizontalAdvance("84 %"), 20)
    assert label.text() == "…"
    assert (label.toolTip(), label.accessibleName()) == (LINE, LINE)
    label.resize(metrics.horizontalAdvance(LINE) + 4, 20)
    assert (label.text(), label.toolTip()) == (LINE, "")


def test_a_label_says_it_in_brief_before_it_leaves_a_part_out(qtbot):
    label, brief = ElidedLabel(parted=True), "84 % · 0.40 · μ-law"
    qtbot.addWidget(label)
    label.tell(LINE, "84 % kept · τ_pi 0.40 · μ-law", brief)
    metrics = QFontMetrics(label.font())
    label.show()
    for words, room in ((LINE, LINE), (brief, brief), ("84 % · 0.40 …", "84 % · 0.40 …")):
        label.resize(metrics.horizontalAdvance(room) + 1, 20)
        assert label.text() == words
        assert label.toolTip() == ("" if words == LINE else LINE)
        assert label.accessibleName() == LINE
