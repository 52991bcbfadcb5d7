"""Elementary maps carry what their argument errs by, and no more; the second order is as small as said."""

import mpmath as mp
import numpy as np
import pytest

from numerics.accuracy import UNIT
from numerics.potentials import running
from numerics.potentials.composed_forms import COMPOSED
from numerics.potentials.mapped_forms import MAPPED
from numerics.potentials.running import Running
from tests.numerics.accuracy.harness import judge, judge_with_twins
from tests.numerics.accuracy.line_oracles import errors
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


@pytest.mark.parametrize("counts", [(1000, 0), (0, 1000)], ids=["value", "slope"])
@pytest.mark.parametrize("name", MAPS)
def test_a_map_carries_the_error_of_its_argument(name, counts):
    """At both ends of what the argument may be, or its slope: 1000 roundings away."""
    exact, places = MAPS[name]
    share, tilt = (mp.mpf(count * UNIT) for count in counts)
    v = Running.relative(places, counts[0], np.full_like(places, 2.0), counts[1])
    found = getattr(running, name)(v)
    values, slopes = [], []
    with mp.workdps(60):
        for i, place in enumerate(map(float, places)):
            ends = [mp.mpf(place) * (1 + side * share) for side in (-1, 1)]
            values.append(max(abs(mp.mpf(float(found.value[i])) - exact(end)) for end in ends))
            rises = [2 * (1 + side * tilt) for side in (-1, 1)]
            candidates = [mp.diff(exact, end) * rise for end in ends for rise in rises]
            slopes.append(max(abs(mp.mpf(float(found.slope[i])) - each) for each in candidates))
    if counts[0]:
        judge_with_twins(np.array(values, dtype=float), found.error)
    judge_with_twins(np.array(slopes, dtype=float), found.slope_error)


@pytest.mark.parametrize("name", MAPS)
def test_a_map_counts_its_own_roundings(name):
    """Of exact arguments, where nothing else is stated."""
    exact, places = MAPS[name]
    found = getattr(running, name)(Running.relative(places, 0, np.ones_like(places), 0))
    with mp.workdps(60):
        judge(errors(found.value, [exact(mp.mpf(v)) for v in map(float, places)]), found.error)
        judge(errors(found.slope, [mp.diff(exact, mp.mpf(v)) for v in map(float, places)]), found.slope_error)


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
