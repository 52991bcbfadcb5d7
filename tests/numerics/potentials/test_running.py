"""Elementary maps carry what their argument errs by, and no more; the second order is as small as said."""

import mpmath as mp
import numpy as np
import pytest

from numerics.accuracy import UNIT
from numerics.potentials import running
from numerics.potentials.composed_forms import COMPOSED
from numerics.potentials.mapped_forms import MAPPED
from numerics.potentials.running import Running
from tests.numerics.accuracy.harness import judge_with_twins
from tests.numerics.accuracy.test_line import SHAPES

WIDE = np.geomspace(1e-3, 50.0, 60)
MAPS = {
    "exp": (mp.exp, np.linspace(-50.0, 50.0, 60)),
    "expm1": (mp.expm1, np.linspace(-30.0, 30.0, 60)),
    "log": (mp.log, WIDE),
    "log1p": (mp.log1p, WIDE),
    "sqrt": (mp.sqrt, WIDE),
    "sinh": (mp.sinh, np.linspace(-30.0, 30.0, 60)),
    "asinh": (mp.asinh, np.linspace(-30.0, 30.0, 60)),
    "expit": (lambda v: 1 / (1 + mp.exp(-v)), np.linspace(-30.0, 30.0, 60)),
    "tan": (mp.tan, np.linspace(-0.75, 0.75, 60)),
    "arcsin": (mp.asin, np.linspace(-0.7, 0.7, 60)),
    "log_expm1": (lambda v: mp.log(mp.expm1(v)), WIDE),
    "log1m_exp": (lambda v: mp.log(-mp.expm1(-v)), WIDE),
    "log_of_log": (lambda v: mp.log(-mp.log(-mp.expm1(-v))), WIDE),
}


@pytest.mark.parametrize("name", MAPS)
def test_a_map_carries_the_error_of_its_argument(name):
    """At both ends of what the argument may be: 1000 roundings of it, and as many of its slope."""
    exact, places = MAPS[name]
    share = 1000 * UNIT
    v = Running.relative(places, 1000, np.full_like(places, 2.0), 1000)
    found = getattr(running, name)(v)
    values, slopes = [], []
    with mp.workdps(60):
        for i, place in enumerate(map(float, places)):
            ends = [mp.mpf(place) * (1 + side * mp.mpf(share)) for side in (-1, 1)]
            values.append(max(abs(mp.mpf(float(found.value[i])) - exact(end)) for end in ends))
            rises = [2 * (1 + side * mp.mpf(share)) for side in (-1, 1)]
            candidates = [mp.diff(exact, end) * rise for end in ends for rise in rises]
            slopes.append(max(abs(mp.mpf(float(found.slope[i])) - each) for each in candidates))
    judge_with_twins(np.array(values, dtype=float), found.error)
    judge_with_twins(np.array(slopes, dtype=float), found.slope_error)


@pytest.mark.parametrize("name", [*COMPOSED, *MAPPED])
def test_the_second_order_is_covered(name, monkeypatch):
    """|f''/f'|·e is below 2⁻²⁰ in every step of every law, up to the cut."""
    seen, through = [0.0], Running.through

    def watched(self, value, first, bend, count, absolute=0.0):
        seen.append(float(np.abs(bend * self.error).max()))
        return through(self, value, first, bend, count, absolute)

    monkeypatch.setattr(Running, "through", watched)
    for shapes in SHAPES.get(name, [()]):
        (COMPOSED | MAPPED)[name](np.linspace(-20.0, 20.0, 81), *shapes)
    assert max(seen) <= 2.0**-20
