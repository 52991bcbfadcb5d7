"""What expected costs err by, against 30 digits: integrals over the values of the law, and closed forms.

The oracle integrates over y (`cost_oracles`), the code over the noise.
"""

from itertools import pairwise
from math import fsum

import numpy as np
import pytest
from mpmath import mp, mpf
from scipy import stats
from scipy.special import ndtri

from numerics.accuracy import UNIT
from numerics.potentials import AtomAndDensity, Cantor, FiniteAtoms, Quantile
from numerics.transport.minibatch import expected_cost
from tests.numerics.accuracy.cost_oracles import ROOT, batch_product, exact_costs
from tests.numerics.accuracy.harness import judge, judge_with_twins


@pytest.fixture(autouse=True)
def thirty_digits():
    with mp.workdps(30):
        yield


def _cases(found, exact):
    """Errors and statements of excess, W₂² and c_n."""
    computed = (found.excess, found.optimal, found.cost)
    errors = [float(abs(mpf(float(a)) - b)) for a, b in zip(computed, exact, strict=True)]
    return errors, [found.error, found.optimal_error, found.cost_error]


# --- atoms --------------------------------------------------------------------------------------------


def _exact_atoms(target, n):
    order = np.argsort(target.points[:, 0])
    points = [mpf(float(y)) for y in target.points[order, 0]]
    heights = [mpf(float(g)) for g in target.heights[order]]
    gaps = [b - a for a, b in pairwise(points)]
    steps = [(b - a) / gap for a, b, gap in zip(heights, heights[1:], gaps, strict=False)]
    shares = [(mp.ncdf(z), mp.ncdf(-z)) for z in steps]
    ends = [mpf(0)] + [p[0] for p in shares] + [mpf(1)]
    uppers = [mpf(1)] + [p[1] for p in shares] + [mpf(0)]
    square = sum(
        y**2 * (b - a if a < mpf("0.5") else c - d)
        for y, a, b, c, d in zip(points, ends, ends[1:], uppers, uppers[1:], strict=False)
    )
    cross = sum(gap * mp.npdf(z) for gap, z in zip(gaps, steps, strict=True))
    batch = sum(gap * batch_product(n, *share) for gap, share in zip(gaps, shares, strict=True))
    return 2 * (cross - batch), 1 + square - 2 * cross, 1 + square - 2 * batch


def test_atoms():
    rng, errors, bounds = np.random.default_rng(0), [], []
    for k in range(500):
        count, scale = int(rng.integers(2, 7)), 10.0 ** rng.integers(-3, 4)
        points = scale * np.sort(rng.standard_normal(count)) + (rng.random() < 0.3) * 1e3 * scale
        target = FiniteAtoms.on_line(points, rng.dirichlet(np.full(count, rng.choice([0.3, 1.0, 20.0]))))
        n = (1, 2, 3, 8)[k % 4]
        error, bound = _cases(expected_cost(target, n), _exact_atoms(target, n))
        errors.append(error)
        bounds.append(bound)
    (excess, optimal, cost), bounds = np.array(errors).T, np.array(bounds).T
    judge(excess, bounds[0])  # φ_N and the windows seldom err by what is counted, in one direction
    judge_with_twins(optimal, bounds[1])
    judge_with_twins(cost, bounds[2])


@pytest.mark.parametrize(
    "law", [stats.poisson(3), stats.binom(40, 0.9), stats.geom(0.01), stats.randint(5, 9)]
)
def test_lattices(law):
    """Second moments in closed form, E b_2T by Gini's mean difference 2ΣF(1−F)."""
    atoms = np.arange(-1, 30_000)
    for n in (1, 2):
        found = expected_cost(Quantile(law), n)
        half = fsum(law.cdf(atoms) * law.sf(atoms))
        batch = (n - 1) * half / np.sqrt(np.pi)
        square = float(law.var()) + float(law.mean()) ** 2
        room = 64 * UNIT * (1 + square)
        assert abs(found.cost - (1 + square - 2 * batch)) <= found.cost_error + room
        assert found.cost_error <= 64 * room


# --- densities ----------------------------------------------------------------------------------------


def _mp_t(df):
    df = mpf(df)

    def levels(y):
        tail = mp.betainc(df / 2, mpf(1) / 2, 0, df / (df + y * y), regularized=True) / 2
        return (1 - tail, tail) if y > 0 else (tail, 1 - tail)

    return levels


def _symmetric(tail):
    """Levels of a law from the mass beyond |y| on both sides."""
    return lambda y: (1 - tail(y) / 2, tail(y) / 2) if y > 0 else (tail(-y) / 2, 1 - tail(-y) / 2)


def _densities():
    """Law, its levels, breaks, second moment."""
    double, five, heavy = mpf(20), mpf(5), mpf(2.05)
    of_heavy = heavy / (heavy - 2)
    edges = [0.8, 1, 1.1, 1.3]
    far = [1e1, 1e3, 1e8, mp.inf]
    return {
        "uniform": (stats.uniform(), lambda y: (y, 1 - y), [0, 0.5, 1], mpf(1) / 3),
        "expon": (stats.expon(), lambda y: (-mp.expm1(-y), mp.exp(-y)), [0, 1, 8, 40, 120], mpf(2)),
        "dweibull": (
            stats.dweibull(20.0),
            _symmetric(lambda y: mp.exp(-(y**double))),
            [*(-y for y in edges[::-1]), 0, *edges],
            mp.gamma(1 + 2 / double),
        ),
        "dgamma": (
            stats.dgamma(5.0),
            _symmetric(lambda y: mp.gammainc(five, y, regularized=True)),
            [-150, -60, -20, -5, 0, 5, 20, 60, 150],
            mpf(30),
        ),
        "pareto": (
            stats.pareto(2.05), lambda y: (1 - y**-heavy, y**-heavy), [1, 1.5, 4, *far[1:]], of_heavy,
        ),
        "t": (stats.t(2.05), _mp_t(2.05), [*(-y for y in far[::-1]), 0, *far], of_heavy),
    }  # fmt: skip


@pytest.mark.parametrize("name", _densities())
def test_densities(name):
    """At n = 1 the cost is 1 + E x₁². Else roundings of thousands of nodes are added as if of one sign."""
    with mp.workdps(20):
        law, *rest = _densities()[name]
        errors, bounds = [], []
        for n, exact in exact_costs(*rest, (1, 3)):
            error, bound = _cases(expected_cost(Quantile(law), n), exact)
            errors += error
            bounds += bound
    judge(errors, bounds, floor=1 / 256)


@pytest.mark.parametrize("s", [0.01, 0.5, 1.0, 2.0, 3.0, 4.0, 4.5, 5.0])
def test_log_normals(s):
    """E x₀T = s e^{s²/2}; Gini's mean difference 2e^{s²/2} erf(s/2)."""
    size = mp.exp(mpf(s) ** 2 / 2)
    cross, square = mpf(s) * size, size**4
    for n, batch in ((1, mpf(0)), (2, size * mp.erf(mpf(s) / 2) / ROOT)):
        exact = (2 * (cross - batch), 1 + square - 2 * cross, 1 + square - 2 * batch)
        error, bound = _cases(expected_cost(Quantile(stats.lognorm(s)), n), exact)
        assert (np.array(error) <= bound).all()
        assert bound[0] <= 1e-13 * exact[0]
        assert bound[2] <= 1e-12 * exact[2]


# --- mixtures and the Cantor law ----------------------------------------------------------------------


def _mixture(atoms, weights, levels):
    weights = [mpf(w) for w in weights]
    rest = 1 - sum(weights)

    def mixed(y):
        lower, upper = levels(y)
        below = sum(w for a, w in zip(atoms, weights, strict=True) if a <= y)
        return rest * lower + below, rest * upper + sum(weights) - below

    return mixed


def _uniform(low, length):
    def levels(y):
        share = min(max((y - low) / mpf(length), mpf(0)), mpf(1))
        return share, 1 - share

    return levels


MIXTURES = [
    ([0.0], [0.375], stats.norm(1), lambda y: (mp.ncdf(y - 1), mp.ncdf(1 - y)), [-12, -3, 0, 1, 5, 14], 2),
    ([-1.0, 2.0], [0.25, 0.125], stats.uniform(0, 1.5), _uniform(0, 1.5), [-1, 0, 1.5, 2], mpf(3) / 4),
    ([-2.0, 0.5], [0.1, 0.8], stats.uniform(), _uniform(0, 1), [-2, 0, 0.5, 1], mpf(1) / 3),
]


@pytest.mark.parametrize("case", MIXTURES, ids=["norm", "gaps", "inside"])
def test_mixtures(case):
    atoms, weights, law, levels, breaks, square = case
    second = sum(mpf(w) * a**2 for a, w in zip(atoms, weights, strict=True))
    second += (1 - sum(mpf(w) for w in weights)) * square
    singles = []
    for n, exact in exact_costs(_mixture(atoms, weights, levels), breaks, second, (1, 2, 3)):
        error, bound = _cases(expected_cost(AtomAndDensity(atoms, weights, law), n), exact)
        assert (np.array(error) <= bound).all()
        assert max(bound) <= 1e-12 * (1 + float(second))
        singles.append((error[2], bound[2]))
    assert singles[0][1] <= 64 * UNIT * (1 + float(second))


def test_cantor_law():
    """Gaps of length 3⁻ᵏ at the odd multiples of 2⁻ᵏ: 18 levels and the mean 1/(2√π) of φ_N(Φ⁻¹) beyond.

    At level k the mean over odd multiples is that of the interval up to about 4⁻ᵏ. E b_2T = ∫w(1−w)dy/√π by
    self-similarity: 1/5 of 1/√π.
    """
    cross = (2 / 3) ** 18 / (2 * np.sqrt(np.pi))
    for k in range(1, 19):
        odd = np.arange(1, 2**k, 2) / 2.0**k
        cross += 3.0**-k * fsum(stats.norm.pdf(ndtri(odd)))
    cross, square = mpf(cross), mpf(3) / 8
    for n, batch in ((1, mpf(0)), (2, 1 / (5 * ROOT))):
        exact = (2 * (cross - batch), 1 + square - 2 * cross, 1 + square - 2 * batch)
        error, bound = _cases(expected_cost(Cantor(), n), exact)
        assert (np.array(error) <= np.array(bound) + 1e-15).all()
        assert max(bound) <= 1e-14


# --- laws without a density ---------------------------------------------------------------------------


def _without_density(df, *, upper):
    """Student's law by its probabilities alone; without the upper tail its quantiles are cut there."""

    class Bare(stats.rv_continuous):
        def _cdf(self, x):
            return stats.t.cdf(x, df)

        def _ppf(self, q):
            return stats.t.ppf(q, df)

    class WithUpperTail(Bare):
        def _sf(self, x):
            return stats.t.sf(x, df)

        def _isf(self, q):
            return stats.t.isf(q, df)

    return (WithUpperTail if upper else Bare)(name=f"t{df:g}")()


@pytest.mark.parametrize("df", [2.05, 2.25, 3.0, 5.0])
@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("upper", [False, True])
def test_laws_without_a_density_state_what_they_leave_out(df, mixed, upper):
    """The law as it is given is not cut; with its density and both tails the same law is not either."""
    laws = [_without_density(df, upper=upper), stats.t(df)]
    bare, whole = (AtomAndDensity([0.0], [0.4], law) if mixed else Quantile(law) for law in laws)
    part = bare.law.continuous if mixed else bare.law
    assert (part.cut[1] == 20) == upper
    for n in (1, 8, 1000):
        found, exact = expected_cost(bare, n), expected_cost(whole, n)
        assert abs(found.cost - exact.cost) <= found.cost_error + exact.cost_error
        assert abs(found.optimal - exact.optimal) <= found.optimal_error + exact.optimal_error
        assert abs(found.excess - exact.excess) <= found.error + exact.error
        assert not upper or found.error <= 1e-11
