"""Strokes cover what their geometry says, and nothing depends on how often they are made."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarthdr_studio.core.imaging.regions import Region
from smarthdr_studio.core.trust.brush import THRESHOLDS, Area, Dabs, Ink, apply, footprint

HEIGHT, WIDTH = 26, 37
SCENE = {"height": HEIGHT, "width": WIDTH}
MIDDLES = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)

# Mouse positions at a zoom of 4, some of them beside the picture.
quarters = st.integers(-40, 190).map(lambda value: value / 4)
lines = st.lists(st.tuples(quarters, quarters), min_size=1, max_size=5).map(tuple)
radii = st.integers(1, 60).map(lambda value: value / 4)
inks = st.sampled_from([Ink.TRUST, Ink.DISTRUST])
dabs = st.builds(
    Dabs, points=lines, radius=radii, hardness=st.sampled_from([0.0, 0.3, 0.75, 1.0]), ink=inks
)
areas = st.builds(
    Area,
    region=lines.map(lambda points: Region(kind="lasso", points=points)),
    ink=inks,
)
strokes = st.one_of(dabs, areas)


def covered(stroke) -> np.ndarray:
    """The footprint as an H×W mask."""
    box, inside = footprint(stroke, **SCENE)
    whole = np.zeros((HEIGHT, WIDTH), bool)
    whole[box] = inside
    assert whole.sum() == inside.sum()
    return whole


def distance(points) -> np.ndarray:
    """From the middle of every pixel to the nearest place of a line."""
    nearest = np.full((HEIGHT, WIDTH), np.inf)
    for (x, y), (end_x, end_y) in pairwise(points if len(points) > 1 else points * 2):
        across, down = end_x - x, end_y - y
        along = (MIDDLES[0] - x) * across + (MIDDLES[1] - y) * down
        share = np.clip(along / ((across**2 + down**2) or 1), 0, 1)
        there = np.hypot(MIDDLES[0] - x - share * across, MIDDLES[1] - y - share * down)
        nearest = np.minimum(nearest, there)
    return nearest


def with_ink(stroke, ink):
    if isinstance(stroke, Area):
        return Area(region=stroke.region, ink=ink)
    return Dabs(points=stroke.points, radius=stroke.radius, hardness=stroke.hardness, ink=ink)


@given(dabs)
def test_a_dab_paints_where_coverage_reaches_the_threshold_of_the_pixel(stroke):
    painted, away = covered(stroke), distance(stroke.points)
    tile = np.tile(THRESHOLDS, (HEIGHT // 8 + 1, WIDTH // 8 + 1))[:HEIGHT, :WIDTH]
    rim = stroke.radius * (1 - stroke.hardness)
    coverage = (stroke.radius - away) / rim if rim else np.where(away <= stroke.radius, 1.0, 0.0)
    sure = np.abs(away - stroke.radius + tile * rim) > 1e-3
    assert np.array_equal(painted[sure], (coverage >= tile)[sure])
    assert away[painted].max(initial=0) <= stroke.radius + 1e-4
    assert painted[away <= stroke.hardness * stroke.radius - 1e-4].all()


@given(st.tuples(quarters, quarters), radii)
def test_a_hard_dab_is_exactly_a_disc(centre, radius):
    x, y = centre
    stroke = Dabs(points=(centre,), radius=radius, hardness=1, ink=Ink.TRUST)
    disc = (MIDDLES[0] - x) ** 2 + (MIDDLES[1] - y) ** 2 <= radius**2
    assert np.array_equal(covered(stroke), disc)


@given(st.tuples(st.integers(3, 20), st.integers(3, 20)), radii)
def test_a_hard_dab_is_symmetric(corner, radius):
    stroke = Dabs(points=(corner,), radius=radius, hardness=1, ink=Ink.TRUST)
    size = 2 * 40
    middle = Dabs(points=((40, 40),), radius=radius, hardness=1, ink=Ink.TRUST)
    (rows, columns), inside = footprint(middle, height=size, width=size)
    assert np.array_equal(inside, inside[::-1])
    assert np.array_equal(inside, inside[:, ::-1])
    assert np.array_equal(inside, inside.T)
    whole = np.zeros((size, size), bool)
    whole[rows, columns] = inside
    top, left = 40 - corner[1], 40 - corner[0]
    assert np.array_equal(covered(stroke), whole[top : top + HEIGHT, left : left + WIDTH])


@given(lines, radii, st.floats(0, 1), st.floats(0, 1))
def test_a_softer_brush_paints_part_of_what_a_harder_one_paints(points, radius, one, other):
    soft, hard = (
        covered(Dabs(points=points, radius=radius, hardness=hardness, ink=Ink.TRUST))
        for hardness in sorted((one, other))
    )
    assert not (soft & ~hard).any()


@given(lines, radii, st.sampled_from([0.0, 0.5, 1.0]))
def test_a_stroke_is_the_union_of_its_stretches(points, radius, hardness):
    def of(part):
        return covered(Dabs(points=part, radius=radius, hardness=hardness, ink=Ink.TRUST))

    parts = [of(stretch) for stretch in pairwise(points)] or [of(points)]
    assert np.array_equal(of(points), np.logical_or.reduce(parts))


def test_on_a_soft_rim_the_painted_share_falls_with_the_distance():
    stroke = Dabs(points=((150, 150),), radius=128, hardness=0.25, ink=Ink.TRUST)
    box, inside = footprint(stroke, height=300, width=300)
    whole = np.zeros((300, 300), bool)
    whole[box] = inside
    away = np.hypot(*np.meshgrid(*[np.arange(300) + 0.5 - 150] * 2))
    for begin in range(32, 128, 8):
        ring = (away > begin) & (away <= begin + 8)
        assert whole[ring].mean() == pytest.approx((128 - begin - 4) / 96, abs=0.05)
    assert sorted(THRESHOLDS.ravel()) == [(k + 0.5) / 64 for k in range(64)]


@given(strokes, strokes)
def test_the_same_stroke_twice_is_the_stroke_once(first, stroke):
    before = apply(first, None, **SCENE)
    kept = before.copy()
    once = apply(stroke, before, **SCENE)
    assert np.array_equal(apply(stroke, once, **SCENE), once)
    assert np.array_equal(before, kept)
    assert once.dtype == np.int8


@given(strokes, strokes)
def test_the_order_of_strokes_matters_only_where_they_overlap(one, other):
    forth = apply(other, apply(one, None, **SCENE), **SCENE)
    back = apply(one, apply(other, None, **SCENE), **SCENE)
    both = covered(one) & covered(other)
    assert np.array_equal(forth[~both], back[~both])
    assert (forth[covered(other)] == other.ink.sign).all()
    assert (back[covered(one)] == one.ink.sign).all()


@given(strokes)
def test_erasing_what_was_painted_leaves_nothing(stroke):
    painted = apply(stroke, None, **SCENE)
    assert np.array_equal(painted != 0, covered(stroke))
    erased = apply(with_ink(stroke, Ink.ERASE), painted, **SCENE)
    assert not erased.any()


@given(lines)
def test_an_area_is_its_region(points):
    region = Region(kind="lasso", points=points)
    area = Area(region=region, ink=Ink.DISTRUST)
    assert np.array_equal(covered(area), region.mask(width=WIDTH, height=HEIGHT))


@pytest.mark.parametrize(
    "wrong",
    [
        {"points": ()},
        {"points": ((0, float("nan")),)},
        {"radius": 0},
        {"radius": float("inf")},
        {"hardness": 1.5},
    ],
)
def test_a_brush_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match=r"a stroke needs|a brush has"):
        Dabs(**{"points": ((1, 1),), "radius": 2, "hardness": 1, "ink": Ink.TRUST} | wrong)


def test_a_mask_of_another_size_is_refused():
    stroke = Dabs(points=((1, 1),), radius=2, ink=Ink.TRUST)
    with pytest.raises(ValueError, match="does not fit"):
        apply(stroke, np.zeros((3, 4), np.int8), **SCENE)


def test_inks_have_names_that_files_can_keep():
    assert {str(ink): ink.sign for ink in Ink} == {"trust": 1, "distrust": -1, "erase": 0}
    assert Ink("erase") is Ink.ERASE
