"""What is kept: the very same value for the same causes, and nothing that nobody wants."""

from dataclasses import replace

import numpy as np
import pytest

from smarthdr_studio.core.display import DisplaySettings, Layer, Material, Painted, Painter
from smarthdr_studio.core.display.cache import MOST_ROOM, ROOM, TURNS, Cache, Recent
from smarthdr_studio.core.imaging.bracket import Bracket
from smarthdr_studio.core.trust.masking import MaskSettings, trust

PICTURE = 100 * 150 * 3  # bytes


def some_material(tau=0.4):
    rng = np.random.default_rng(0)
    sigma, masks = rng.random((100, 150), np.float32), MaskSettings(tau_pixel=tau)
    frames = [rng.integers(0, 65536, (100, 150, 3)).astype(np.uint16) for _ in range(3)]
    return Material(
        bracket=Bracket(*frames, (0.0, 2.0, 4.0)),
        hdr=rng.random((100, 150, 3)).astype(np.float16),
        sigma=sigma,
        trust=trust(sigma, masks),
        masks=masks,
        ground_truth=rng.random((100, 150, 3)).astype(np.float16),
    )


def painted(size=10):
    return Painted(rgb8=np.zeros((size, size, 3), np.uint8), title="")


@pytest.mark.parametrize("views", range(2, MOST_ROOM + 1))
def test_views_that_differ_in_their_settings_keep_their_own_pictures(views):
    painter, material = Painter(), some_material()
    setups = [
        DisplaySettings(exposure_ev=float(view), zebra=bool(view % 2)) for view in range(views)
    ]
    shown = [painter.paint(Layer.PSEUDO_LABEL, material, settings) for settings in setups]
    for _ in range(3):
        again = [painter.paint(Layer.PSEUDO_LABEL, material, settings) for settings in setups]
        assert all(one is other for one, other in zip(again, shown, strict=True))


def test_views_that_nobody_holds_are_soon_given_room_as_well():
    memo, made = Cache(), []
    for turn in range(40):
        memo.turn()
        for view in range(MOST_ROOM):
            memo.once("view", (view,), lambda turn=turn: made.append(turn) or painted())
    assert set(made) < set(range(10))


def test_a_value_that_is_still_shown_is_found_again_without_being_held():
    memo = Cache()
    first = memo.once("name", (0,), painted)
    for cause in range(1, 50):
        memo.turn()
        memo.once("name", (cause,), painted)
    assert memo.once("name", (0,), painted) is first


def test_a_value_nobody_shows_is_gone_once_there_is_no_room():
    memo, made = Cache(), []
    for cause in (*range(ROOM + 1), 0):
        memo.once("name", (cause,), lambda cause=cause: made.append(cause) or painted())
    assert made == [*range(ROOM + 1), 0]


def test_what_was_not_wanted_for_a_while_is_let_go():
    memo = Cache()
    memo.once("name", (), painted)
    for _ in range(TURNS):
        memo.turn()
    assert memo.nbytes() == 300
    memo.turn()
    assert memo.nbytes() == 0


def test_above_the_largest_size_only_the_latest_of_each_name_is_held():
    memo = Cache(largest=1000)
    for cause in range(ROOM):
        memo.once("name", (cause,), lambda: painted(size=20))
    memo.turn()
    assert memo.nbytes() == 1200


def test_arrays_are_the_same_only_when_they_are_the_same_object():
    memo, values = Cache(), np.zeros(3)
    first = memo.once("name", (values, 1), painted)
    assert memo.once("name", (values, 1), painted) is first
    assert memo.once("name", (values.copy(), 1), painted) is not first
    assert memo.once("name", (values, 2), painted) is not first


def test_bytes_are_counted_once_and_without_those_of_the_scene():
    painter, material = Painter(), some_material()
    assert painter.nbytes == 0
    held = [painter.paint(Layer.PSEUDO_LABEL, material, DisplaySettings())]
    assert painter.nbytes == PICTURE  # the radiance it shows is the scene's
    held.append(painter.paint(Layer.REFERENCE, material, DisplaySettings()))
    assert painter.nbytes == 2 * PICTURE
    held.append(painter.paint(Layer.ERROR, material, DisplaySettings()))
    bar = held[-1].legend.bar.nbytes
    assert painter.nbytes == 3 * PICTURE + 100 * 150 * 4 + bar
    hidden = DisplaySettings(mask_visible=False)
    held.append(painter.paint(Layer.PIXEL_MASK, material, hidden))
    closed = 128 * 150  # two whole rows of patches, of which 100 rows are seen
    assert painter.nbytes == 3 * PICTURE + 100 * 150 * 4 + bar + closed


@pytest.mark.parametrize("layer", [Layer.PSEUDO_LABEL, Layer.PATCH_MASK, Layer.REFERENCE])
def test_a_hand_on_the_exposure_leaves_no_trail_of_pictures(layer):
    painter, material = Painter(), some_material()
    sizes = []
    for step in range(60):
        painter.paint(layer, material, DisplaySettings(exposure_ev=step / 10))
        sizes.append(painter.nbytes)
    assert max(sizes) <= sizes[1] <= 9 * PICTURE


def test_a_hand_on_a_threshold_leaves_no_trail_of_masks():
    painter, scene, sizes = Painter(), some_material(), []
    for step in range(60):
        other = some_material(tau=step / 100)
        material = replace(scene, trust=other.trust, masks=other.masks)
        painter.paint(Layer.PIXEL_MASK, material, DisplaySettings())
        sizes.append(painter.nbytes)
    assert max(sizes[2:]) == sizes[2]


def test_a_layer_that_is_shown_no_more_is_let_go_with_all_that_was_made_for_it():
    painter, material = Painter(), some_material()
    alone = Painter()
    keep = alone.paint(Layer.UNDER, material, DisplaySettings())
    painter.paint(Layer.MERGE, material, DisplaySettings())
    painter.paint(Layer.ERROR, material, DisplaySettings())
    painter.paint(Layer.PATCH_MASK, material, DisplaySettings())
    for _ in range(TURNS + 1):
        shown = painter.paint(Layer.UNDER, material, DisplaySettings())
    assert (shown.rgb8 == keep.rgb8).all()
    assert painter.nbytes == alone.nbytes


def test_who_goes_back_finds_what_was_made_from_the_very_same_pictures():
    recent, (one, other) = Recent(), (np.zeros(4), np.zeros(4))
    recent.keep((one, other), "of both", nbytes=8)
    recent.keep((one,), "of one", nbytes=8)
    assert recent.find((one, other)) == "of both"
    assert recent.find((one,)) == "of one"
    assert recent.find((other, one)) is None
    assert recent.find((one.copy(),)) is None


def test_a_finding_leaves_with_the_pictures_it_was_made_from():
    recent, picture = Recent(), np.zeros(4)
    recent.keep((picture,), "found", nbytes=8)
    assert recent.nbytes == 8
    del picture
    assert recent.nbytes == 0


def test_findings_take_no_more_room_than_allowed_and_the_least_wanted_leaves():
    recent, pictures = Recent(most=20), [np.zeros(4) for _ in range(3)]
    for place, picture in enumerate(pictures[:2]):
        recent.keep((picture,), place, nbytes=10)
    assert recent.find((pictures[0],)) == 0
    recent.keep((pictures[2],), 2, nbytes=10)
    assert [recent.find((picture,)) for picture in pictures] == [0, None, 2]
    assert recent.nbytes == 20
