"""Where a picture is looked at: the lens, and what is seen through it at every zoom."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarthdr_studio.core.display import Pyramid, Viewport


@given(
    st.tuples(st.floats(-50, 250), st.floats(-50, 250)),
    st.floats(0.1, 10),
    st.tuples(st.floats(0, 300), st.floats(0, 200)),
)
def test_zooming_holds_the_point_under_the_cursor(middle, factor, cursor):
    view = (300, 200)
    before = Viewport(x=middle[0], y=middle[1], scale=1.3)
    after = before.zoomed(factor, about=cursor, view=view)
    assert after.to_image(cursor, view=view) == pytest.approx(
        before.to_image(cursor, view=view), abs=1e-6
    )
    assert after.to_screen(after.to_image(cursor, view=view), view=view) == pytest.approx(
        cursor, abs=1e-6
    )


def test_fitting_shows_the_whole_picture_and_touches_two_sides():
    lens = Viewport.fitting((1500, 1000), view=(600, 500))
    assert lens.to_screen((0, 500), view=(600, 500)) == (0, 250)
    assert lens.to_screen((1500, 500), view=(600, 500)) == (600, 250)


def test_at_one_to_one_the_view_shows_the_very_pixels():
    picture = np.random.default_rng(0).integers(0, 256, (80, 120, 3), dtype=np.uint8)
    seen = Pyramid(picture).seen(Viewport(x=50, y=40, scale=1.0), view=(40, 30))
    assert (seen.left, seen.top) == (0, 0)
    assert (seen.rgb8 == picture[25:55, 30:70]).all()


def test_above_one_to_one_every_pixel_is_a_square():
    picture = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    seen = Pyramid(picture).seen(Viewport(x=4, y=4, scale=10.0), view=(80, 80))
    assert (seen.rgb8 == picture.repeat(10, 0).repeat(10, 1)).all()


@pytest.mark.parametrize("width", [330, 240, 66])
def test_below_one_to_one_fine_texture_turns_grey_instead_of_aliasing(width):
    checks = np.indices((400, 600)).sum(0) % 2 * 255
    picture = checks.astype(np.uint8)[..., None].repeat(3, 2)
    view = (width, width * 2 // 3)
    seen = Pyramid(picture).seen(Viewport.fitting((600, 400), view=view), view=view)
    assert abs(seen.rgb8.mean() - 127.5) < 2
    assert seen.rgb8.std() < 2


@pytest.mark.parametrize("scale", [0.05, 0.3, 0.77, 1.0, 3.7, 33.3])
def test_a_bright_pixel_appears_where_the_lens_says(scale):
    picture = np.zeros((301, 403, 3), np.uint8)
    size = max(int(2 / scale), 1)
    picture[100 : 100 + size, 200 : 200 + size] = 255
    lens, view = Viewport(x=198, y=98, scale=scale), (320, 240)
    seen = Pyramid(picture).seen(lens, view=view)
    rows, columns = np.nonzero(seen.rgb8[..., 0] > 60)
    found = columns.mean() + 0.5 + seen.left, rows.mean() + 0.5 + seen.top
    expected = lens.to_screen((200 + size / 2, 100 + size / 2), view=view)
    assert found == pytest.approx(expected, abs=1.5 if scale < 1 else 1.01)


def test_a_lens_that_looks_past_the_picture_sees_nothing():
    pyramid = Pyramid(np.zeros((10, 10, 3), np.uint8))
    assert pyramid.seen(Viewport(x=500, y=5, scale=1.0), view=(50, 50)) is None
