"""A region holds the pixels whose middles lie inside, exactly."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smarthdr_studio.core.imaging.regions import Region

WIDTH, HEIGHT = 13, 9

# Mouse positions at a zoom of 4: ties with middles and corners are common.
quarters = st.integers(-12, 64).map(lambda value: value / 4)
points = st.tuples(quarters, quarters)


def odd_crossings(outline, x, y) -> bool:
    """Whether a ray from (x, y) to the left crosses the outline an odd number of times."""
    closed = [*outline, outline[0]]
    count = 0
    for (x1, y1), (x2, y2) in pairwise(closed):
        if (y1 <= y) != (y2 <= y):
            slope = Fraction(x2 - x1) / Fraction(y2 - y1)
            count += Fraction(x1) + (y - Fraction(y1)) * slope <= x
    return count % 2 == 1


def slow_mask(region: Region) -> np.ndarray:
    half = Fraction(1, 2)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    for row in range(HEIGHT):
        for column in range(WIDTH):
            mask[row, column] = odd_crossings(region.points, column + half, row + half)
    return mask


@given(st.lists(points, min_size=1, max_size=9))
@settings(max_examples=200)
def test_a_lasso_holds_the_middles_that_an_odd_number_of_edges_surrounds(outline):
    region = Region(kind="lasso", points=tuple(outline))
    mask, slow = region.mask(width=WIDTH, height=HEIGHT), slow_mask(region)
    rows, columns = region.box(width=WIDTH, height=HEIGHT)
    assert mask.shape == (HEIGHT, WIDTH)
    if slow.any():
        assert np.array_equal(mask, slow)
    else:
        assert mask.sum() == (rows.stop > rows.start)
    assert np.array_equal(mask[rows, columns], region.mask_in_box(width=WIDTH, height=HEIGHT))
    assert mask.sum() == mask[rows, columns].sum()


@given(points, points)
def test_a_rectangle_is_the_same_from_any_two_opposite_corners(first, second):
    (x1, y1), (x2, y2) = first, second
    corners = [(first, second), (second, first), ((x1, y2), (x2, y1)), ((x2, y1), (x1, y2))]
    assert len({Region.rectangle(*pair) for pair in corners}) == 1


def test_rectangles_side_by_side_share_no_pixel_and_leave_none_out():
    cuts = [0.0, 2.5, 3.25, 7.5, 8.0, 13.0]
    total = np.zeros((HEIGHT, WIDTH), int)
    for left, right in pairwise(cuts):
        total += Region.rectangle((left, 0), (right, HEIGHT)).mask(width=WIDTH, height=HEIGHT)
    assert (total == 1).all()


def test_a_figure_of_eight_is_empty_where_it_winds_twice():
    twice = ((1, 1), (8, 1), (8, 8), (1, 8), (1, 1), (3, 3), (6, 3), (6, 6), (3, 6), (3, 3))
    mask = Region(kind="lasso", points=twice).mask(width=WIDTH, height=HEIGHT)
    assert mask.sum() == 49 - 9
    assert not mask[4, 4]


@pytest.mark.parametrize(
    ("outline", "pixel"),
    [
        ([(5.2, 3.9)], (5, 3)),
        ([(5.1, 3.1), (5.2, 3.1), (5.2, 3.2)], (5, 3)),
        ([(5.6, 3.6), (5.9, 3.9)], (5, 3)),
        ([(13.0, 9.0)], (12, 8)),
        ([(-4.0, 4.0), (0.0, 4.0), (0.0, 4.2)], (0, 4)),
        ([(6.0, 4.0)], (6, 4)),
    ],
)
def test_a_region_smaller_than_a_pixel_holds_the_pixel_it_lies_in(outline, pixel):
    region = Region(kind="lasso", points=tuple(outline))
    mask = region.mask(width=WIDTH, height=HEIGHT)
    assert [tuple(at) for at in np.argwhere(mask)] == [pixel[::-1]]


def test_a_region_beside_the_picture_holds_nothing():
    region = Region.rectangle((-9, 2), (-3, 5))
    assert region.box(width=WIDTH, height=HEIGHT) == (slice(0, 0), slice(0, 0))
    assert not region.mask(width=WIDTH, height=HEIGHT).any()
    assert region.mask_in_box(width=WIDTH, height=HEIGHT).shape == (0, 0)


def test_a_region_around_the_picture_holds_all_of_it():
    region = Region(kind="lasso", points=((-100, -100), (400, -90), (300, 500), (-80, 200)))
    assert region.mask(width=WIDTH, height=HEIGHT).all()
    assert Region.rectangle((-5, -5), (5, 5)).mask(width=1, height=1).all()


def test_a_long_lasso_in_a_large_picture_costs_its_box_only():
    turn = np.linspace(0, 2 * np.pi, 4001)[:-1]
    circle = tuple((4000.3 + 50 * np.cos(a), 3000.8 + 50 * np.sin(a)) for a in turn)
    region = Region(kind="lasso", points=circle)
    mask = region.mask_in_box(width=8000, height=6000)
    assert mask.shape == (101, 101)
    y, x = np.mgrid[2950:3051, 3950:4051] + 0.5
    distance = np.hypot(x - 4000.3, y - 3000.8)
    assert mask[distance < 49.999].all()
    assert not mask[distance > 50].any()


@pytest.mark.parametrize("outline", [(), ((1.0, float("nan")),), ((float("inf"), 0.0),)])
def test_a_region_without_a_finite_outline_is_refused(outline):
    with pytest.raises(ValueError, match="one point or more"):
        Region(kind="lasso", points=outline)
