"""How a scene is looked at: intents about views become state, and are remembered."""

from dataclasses import replace

import pytest

from smarthdr_studio.core.display import DisplaySettings, Layer, ToneMap
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.studio.project.screen import settings_of
from smarthdr_studio.studio.settings import Layout
from smarthdr_studio.studio.state import CompareMode, Snapshot, StudioState, ViewSetup


@pytest.fixture
def viewing(session):
    """The controller that takes intents about views."""
    return session.inspection.viewing


@pytest.mark.parametrize(("columns", "count"), [(1, 1), (2, 2), (1, 2), (3, 5), (3, 6)])
def test_a_grid_shows_as_many_views_as_asked_for_and_no_layer_twice(
    session, viewing, columns, count
):
    viewing.set_grid(columns, count)
    assert session.state.columns == columns
    shown = [view.layer for view in session.state.views]
    assert len(shown) == len(set(shown)) == count


def test_what_was_shown_stays_when_the_grid_grows(session, viewing):
    viewing.set_layer(1, Layer.OVER)
    viewing.set_grid(3, 6)
    assert session.state.views[1].layer is Layer.OVER


def test_a_view_that_is_gone_is_neither_active_nor_compared(session, viewing):
    viewing.activate(3)
    viewing.set_compare("wipe")
    viewing.set_grid(1, 1)
    assert session.state.active == 0
    assert session.state.compare.mode is CompareMode.OFF


def test_linked_views_share_one_exposure_and_unlinked_ones_have_their_own(session, viewing):
    viewing.expose(1.0)
    assert {settings_of(session.state, place).exposure_ev for place in range(4)} == {1.0}
    viewing.link_exposure(False)
    viewing.activate(2)
    viewing.expose(-2.5)
    own = [settings_of(session.state, place).exposure_ev for place in range(4)]
    assert own == [1.0, 1.0, -1.5, 1.0]
    viewing.link_exposure(True)
    assert {settings_of(session.state, place).exposure_ev for place in range(4)} == {1.0}


def test_exposure_stays_within_ten_stops(session, viewing):
    for _ in range(30):
        viewing.expose(0.5)
    assert session.state.display.exposure_ev == 10.0


def test_the_same_comparison_asked_for_again_ends_it(session, viewing):
    viewing.toggle_compare(CompareMode.DIFFERENCE)
    assert session.state.compare.mode is CompareMode.DIFFERENCE
    viewing.toggle_compare(CompareMode.DIFFERENCE)
    assert session.state.compare.mode is CompareMode.OFF


def test_a_partner_begins_a_wipe_unless_something_is_on_already(session, viewing):
    viewing.set_partner(1, "Over frame")
    assert session.state.compare.mode is CompareMode.WIPE
    viewing.set_compare("difference")
    viewing.set_partner(1, "Under frame")
    assert session.state.compare.mode is CompareMode.DIFFERENCE
    assert session.state.compare.partner is Layer.UNDER


def test_zebra_is_a_view_s_own(session, viewing):
    viewing.toggle_zebra(1)
    assert [settings_of(session.state, place).zebra for place in range(4)] == [
        False,
        True,
        False,
        False,
    ]


def test_a_layout_comes_back_from_its_file_as_it_was(tmp_path):
    masks = MaskSettings(tau_patch=0.3)
    state = StudioState(
        current="004",
        columns=3,
        views=(ViewSetup(layer=Layer.REASONS, exposure_ev=-1.5, zebra=True),),
        display=replace(DisplaySettings(), tone_map=ToneMap.FILMIC, error_against=Layer.MERGE),
        snapshots=(Snapshot(name="B", masks=masks, pool=0.8),),
    )
    Layout.of(state, {"sizes": [1, 2]}).write(tmp_path)
    found = Layout.read(tmp_path)
    assert found == Layout.of(state, {"sizes": [1, 2]})
    assert found.snapshots[0].masks == masks


def test_a_layout_written_before_a_layer_was_renamed_still_names_it(tmp_path):
    state = StudioState(current="004", columns=1, views=(ViewSetup(layer=Layer.PERSON_MASK),))
    Layout.of(state, {}).write(tmp_path)
    path = tmp_path / "window.json"
    path.write_text(path.read_text("utf-8").replace("Manual mask", "Person's mask"), "utf-8")
    assert [view.layer for view in Layout.read(tmp_path).views] == [Layer.PERSON_MASK]


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"views": 3}', '{"views": [], "columns": 2}', "\x00"]
)
def test_a_damaged_layout_is_as_if_it_had_never_been(tmp_path, content):
    (tmp_path / "window.json").write_text(content)
    assert Layout.read(tmp_path) == Layout()


def test_views_display_and_snapshots_are_there_again_when_a_project_is_reopened(
    session, until, tiny_project
):
    session.take(tiny_project)
    until(session, lambda s: s.shown == "003" and s.pool is not None)
    session.inspection.viewing.set_grid(1, 2)
    session.inspection.viewing.set_layer(0, Layer.TRUSTED)
    session.inspection.thresholds.keep_snapshot()
    session.screen.pick("004")
    until(session, lambda s: s.shown == "004")
    session.close_project()
    assert session.state.columns == 2
    session.take(tiny_project)
    until(session, lambda s: s.shown == "004")
    assert [view.layer for view in session.state.views] == [Layer.TRUSTED, Layer.UNCERTAINTY]
    assert [kept.name for kept in session.state.snapshots] == ["A"]
