"""Newton on a face in balls: what cannot be decided is said to be so."""

import pytest
from flint import arb

from numerics.intervals.balls import UndecidedError, exact
from numerics.intervals.faces import Place, solve_face
from numerics.intervals.parametrised import ellipse


def test_points_that_are_one_are_undecided() -> None:
    """Their levels are equal whatever their weights are: the system is singular."""
    point = exact([1.0, 0.5])
    places = [Place(arb(0.5), point, None, ellipse(2.0, 1.0)) for _ in range(2)]
    with pytest.raises(UndecidedError, match="regular"):
        solve_face(places, exact([1.0, 0.0]), arb(1), arb(1))
