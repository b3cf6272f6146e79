"""A fill takes exactly what hangs together, and says where it has nothing to take."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from smarthdr_studio.core.errors import BrushError, StudioError
from smarthdr_studio.core.trust.brush import Fill, Ink, apply, footprint

sizes = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14)
maps = sizes.flatmap(lambda shape: arrays(bool, shape, elements=st.booleans()))
masks = sizes.flatmap(lambda shape: arrays(np.int8, shape, elements=st.integers(-1, 1)))
seeds = st.tuples(st.integers(0, 13), st.integers(0, 13))


def reachable(where: np.ndarray, row: int, column: int) -> np.ndarray:
    """What can be walked to over sides of pixels, one pixel at a time."""
    found, waiting = np.zeros(where.shape, bool), [(row, column)]
    while waiting:
        row, column = waiting.pop()
        inside = 0 <= row < where.shape[0] and 0 <= column < where.shape[1]
        if inside and where[row, column] and not found[row, column]:
            found[row, column] = True
            waiting += [(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)]
    return found


def filled(fill: Fill, mask, shape, trusted=None) -> np.ndarray:
    box, inside = footprint(fill, mask, height=shape[0], width=shape[1], trusted=trusted)
    whole = np.zeros(shape, bool)
    whole[box] = inside
    assert inside.any(0).all()
    assert inside.any(1).all()
    return whole


@given(maps, seeds, st.sampled_from([Ink.TRUST, Ink.DISTRUST]))
def test_a_fill_takes_the_untrusted_pixels_that_hang_together(trusted, seed, ink):
    row, column = seed[0] % trusted.shape[0], seed[1] % trusted.shape[1]
    fill, kept = Fill(x=column, y=row, ink=ink), trusted.copy()
    trusted.setflags(write=False)
    if trusted[row, column]:
        with pytest.raises(BrushError, match="works on untrusted regions"):
            filled(fill, None, trusted.shape, trusted)
        return
    found = filled(fill, None, trusted.shape, trusted)
    assert np.array_equal(found, reachable(~trusted, row, column))
    assert np.array_equal(trusted, kept)
    height, width = trusted.shape
    painted = apply(fill, None, height=height, width=width, trusted=trusted)
    assert np.array_equal(painted, found * ink.sign)


@given(masks, seeds)
def test_erasing_takes_the_painted_pixels_of_one_sign_that_hang_together(mask, seed):
    row, column = seed[0] % mask.shape[0], seed[1] % mask.shape[1]
    fill, sign = Fill(x=column, y=row, ink=Ink.ERASE), mask[row, column]
    if sign == 0:
        with pytest.raises(BrushError, match="nothing is painted"):
            filled(fill, mask, mask.shape)
        return
    found = filled(fill, mask, mask.shape)
    assert np.array_equal(found, reachable(mask == sign, row, column))
    erased = apply(fill, mask, height=mask.shape[0], width=mask.shape[1])
    assert np.array_equal(erased, np.where(found, 0, mask))


@pytest.mark.parametrize(
    ("fill", "said"),
    [
        (Fill(x=4, y=0, ink=Ink.TRUST), "column 4, row 0 lies outside the picture"),
        (Fill(x=0, y=-1, ink=Ink.ERASE), "column 0, row -1 lies outside the picture"),
        (Fill(x=1, y=2, ink=Ink.ERASE), "nothing is painted at column 1, row 2"),
        (Fill(x=1, y=2, ink=Ink.TRUST), "without a pseudo-label there are none"),
    ],
)
def test_a_fill_that_cannot_be_says_why(fill, said):
    with pytest.raises(StudioError, match=said):
        footprint(fill, None, height=3, width=4)
