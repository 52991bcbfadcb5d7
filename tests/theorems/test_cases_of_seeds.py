"""Draws at which a check's own bound was too small, as a seed found them: the check holds there."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from numerics.accuracy import Rounding
from numerics.potentials import FiniteAtoms, NearestPoint, Potential, Quantile
from numerics.potentials.curves import Curve
from numerics.schedules import Polynomial
from theorems.normal_hyperbolicity.test_jacobian import test_field_jacobian_is_that_of_k as jacobian_of_k
from theorems.normal_hyperbolicity.test_shift import (
    test_prox_minimises_the_tilted_objective as tilted_objective,
)

INNER = FiniteAtoms.on_line([-1.75, -1.5, -1.25, 0.25, 1.0, 1.75], np.full(6, 1 / 6))


class Asserting:
    """Evidence that asserts a bound and keeps nothing."""

    def on(self, *_: object, **__: object) -> "Asserting":
        return self

    def bounded(self, quantity: str, measured: Any, rounding: Rounding, **_: object) -> None:
        assert (np.asarray(measured) <= rounding.bound).all(), quantity


# Not of the one list: what the seeds drew.
@pytest.mark.parametrize(
    ("check", "target", "drawn"),
    [
        (tilted_objective, Quantile(stats.poisson(1.25)), {"t": 0.999998451183381, "seed": 360}),
        (jacobian_of_k, INNER, {"schedule": Polynomial(3.0), "t": 0.999999, "seed": 353}),
        (
            jacobian_of_k,
            NearestPoint(Curve.spiral(0.25), 0.25),
            {"schedule": Polynomial(3.5), "t": 0.9999, "seed": 0},
        ),
    ],
    ids=["cancelled data", "piece between doubles", "end of a spiral"],
)
def test_the_check_holds(check: Any, target: Potential, drawn: dict[str, Any]) -> None:
    check.hypothesis.inner_test(Asserting(), target=target, **drawn)
