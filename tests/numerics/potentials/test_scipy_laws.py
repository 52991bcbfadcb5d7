"""Laws of SciPy that are not on the list: accepted where their quantiles can be solved, and cut where not."""

import warnings

import mpmath as mp
import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq

from numerics.accuracy import UNIT
from numerics.potentials import AtomAndDensity, Quantile
from tests.numerics.accuracy.harness import judge
from tests.numerics.accuracy.line_oracles import errors


class _OneTail(stats.rv_continuous):
    """A normal law by its cdf alone: nothing is left of its upper tail, 1 − cdf, beyond noise 8."""

    def _cdf(self, x):
        return stats.norm.cdf(x)


RESOLVED = [  # families whose own isf, ppf, sf or cdf fails at probability 3e−89, or before
    stats.exponnorm(1.5),
    stats.foldnorm(1.0),
    stats.geninvgauss(2.3, 1.5),
    stats.invgauss(0.145),
    stats.pearson3(0.1),
    stats.pearson3(-2),
    stats.powernorm(4.45),
    stats.rdist(0.2),
    stats.rdist(3.0),
    stats.rice(0.775),
    stats.skewnorm(-1.0),
    stats.vonmises(4.0),
    stats.wald(),
]
CUT = [  # a tail without digits, and densities that round near an end to nothing
    _OneTail(name="onetail")(),
    stats.argus(1.0),
    stats.cosine(),
]


@pytest.mark.parametrize("law", RESOLVED, ids=lambda law: law.dist.name)
def test_tails_are_solved_to_the_cut(law):
    """No warning leaks, T increases, and its tail probability is Φ's within what is stated for T."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        p = Quantile(law)
        s = np.linspace(-19.9, 19.9, 400)
        x = p.transport(s[:, None])[:, 0]
        bound = p.roundings.transport(s[:, None]).bound
    assert p.cut == (-20.0, 20.0)
    assert (np.diff(x) >= 0).all()
    assert (bound <= 1e-11 * (np.abs(x) + p.scale)).all()


@pytest.mark.parametrize("law", CUT, ids=lambda law: law.dist.name)
def test_laws_are_cut_where_quantiles_are_not_resolved(law):
    """T is constant beyond, increases up to its own error before, and says how large that is."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        p = Quantile(law)
        low, high = p.cut
        assert max(-low, high) <= 20
        assert min(-low, high) < 9
        s = np.linspace(low, high, 40)
        x = p.transport(s[:, None])[:, 0]
        bound = p.roundings.transport(s[:, None]).bound
        beyond = p.transport([[low - 1], [low], [high], [high + 1]])[:, 0]
    assert (np.diff(x) >= -bound[1:] - bound[:-1]).all()
    assert beyond[0] == beyond[1] < beyond[2] == beyond[3]
    body = np.abs(s) < 3
    assert (bound[body] <= 1e-9 * p.scale).all()


def _dweibull(s, c):
    half = -mp.log(2 * mp.ncdf(-abs(s)))
    return mp.sign(s) * half ** (1 / c)


def _asymmetric_laplace(s, k):
    if mp.ncdf(s) < k**2 / (1 + k**2):
        return k * mp.log(mp.ncdf(s) * (1 + k**2) / k**2)
    return -mp.log(mp.ncdf(-s) * (1 + k**2)) / k


@pytest.mark.parametrize(
    ("law", "exact"),
    [
        (stats.dweibull(1.5), _dweibull),
        (stats.dweibull(4.0), _dweibull),
        (stats.laplace_asymmetric(2.0), _asymmetric_laplace),
        (stats.laplace_asymmetric(0.3), _asymmetric_laplace),
    ],
    ids=["dweibull-1.5", "dweibull-4", "laplace-2", "laplace-0.3"],
)
def test_a_law_of_scipy_errs_as_stated(law, exact):
    """Against their quantile functions; both sides of the statement."""
    p, s = Quantile(law), np.random.default_rng(0).uniform(-6.5, 6.5, 300)
    with mp.workdps(60):
        values = [exact(mp.mpf(float(r)), mp.mpf(law.args[0])) for r in s]
        error = errors(p.transport(s[:, None])[:, 0], values)
    judge(error, p.roundings.transport(s[:, None]).bound)


SAID = [
    (stats.expon(), False),
    (stats.fisk(3.0), False),
    (stats.rv_discrete(values=([0, 1], [0.25, 0.75])), False),
    (stats.gamma(2.5), True),
    (stats.betaprime(5.0, 6.0), True),
    (stats.poisson(3.0), True),
    (stats.dweibull(1.5), True),
]


def _named(value):
    return repr(value) if isinstance(value, bool) else type(getattr(value, "dist", value)).__name__


@pytest.mark.parametrize(("law", "is_measured"), SAID, ids=_named)
def test_a_statement_that_is_measured_says_so(law, is_measured):
    """In its reason, of every member; what is proved does not."""
    p = Quantile(law)
    solved, at = p.proximal_point([[0.3]], 0.5).rounding, [[0.4]]
    found = [solved.point, solved.envelope, solved.jacobian, p.roundings.transport(at)]
    found += [
        p.roundings.conjugate(at),
        p.roundings.transport_jacobian(at),
        p.roundings.value(p.transport(at)),
    ]
    assert all(("measured" in rounding.because) == is_measured for rounding in found)
    if not hasattr(law, "pmf"):
        mixed = AtomAndDensity([0.5], [0.25], law).roundings.transport(at)
        assert ("measured" in mixed.because) == is_measured


class _Uneven(stats.rv_continuous):
    """An exponential law whose sf is 1 − cdf, and whose cdf errs by 32 roundings, a random share of them."""

    def _cdf(self, x):
        rough = -np.expm1(-x)
        return rough * (1 + 32 * UNIT * np.sin(1e9 * x))

    def _pdf(self, x):
        return np.exp(-x)


def test_one_lucky_place_hides_no_error():
    """SciPy's probabilities may be right by chance where they are measured, and wrong beside."""
    p, exact = Quantile(_Uneven(a=0, name="uneven")()), Quantile(stats.expon())
    s = np.random.default_rng(1).uniform(-3, 6, 2000)[:, None]
    error = np.abs(p.transport(s) - exact.transport(s))[:, 0]
    assert (error <= p.roundings.transport(s).bound + exact.roundings.transport(s).bound).all()


class _Falling(stats.rv_continuous):
    """F(x) = x + sin(2πx)/2 on [0, 1] falls between 0.3 and 0.7, and so does this inverse of it at ½."""

    def _cdf(self, x):
        return x + np.sin(2 * np.pi * x) / 2

    def _pdf(self, x):
        return np.abs(1 + np.pi * np.cos(2 * np.pi * x))

    def _ppf(self, q):
        def root(p):
            low, high = (0.7, 1.0) if 0.23 < p < 0.5 else (0.0, 0.3) if p < 0.77 else (0.7, 1.0)
            return high if self._cdf(high) <= p else brentq(lambda x: self._cdf(x) - p, low, high, xtol=1e-15)

        return np.vectorize(root, otypes=[float])(q)


class _Failing(stats.rv_continuous):
    """An exponential law whose isf falls where probabilities are small: what SciPy's solvers do."""

    def _cdf(self, x):
        return -np.expm1(-x)

    def _sf(self, x):
        return np.exp(-x)

    def _pdf(self, x):
        return np.exp(-x)

    def _ppf(self, q):
        return -np.log1p(-q)

    def _isf(self, q):
        return np.where(q > 1e-6, -np.log(np.maximum(q, 1e-300)), 1e6 * q)


def test_a_law_whose_quantiles_fall_is_refused_at_birth():
    with pytest.raises(ValueError, match=r"distribution: falling's quantiles fall from .* at noise"):
        Quantile(_Falling(a=0, b=1, name="falling")())


class _Exponential(stats.rv_continuous):
    """F(x) = 1 − exp(−rate·x), with a density that is ``factor`` times that of rate 1."""

    def _cdf(self, x, rate, factor):
        return -np.expm1(-rate * x)

    def _sf(self, x, rate, factor):
        return np.exp(-rate * x)

    def _pdf(self, x, rate, factor):
        return factor * np.exp(-x)

    def _stats(self, rate, factor):
        return 1 / rate, 1 / rate**2, None, None


_EXPONENTIAL = _Exponential(a=0, name="exponential")


def test_what_the_mass_of_a_density_misses_1_by_is_stated():
    """Of T and of T': tails are divided by their sum, but it may miss a part, not a factor."""
    missed = 2.0**-11
    p, exact = Quantile(_EXPONENTIAL(1.0, 1 + missed)), Quantile(stats.expon())
    s = np.linspace(-6, 6, 100)[:, None]
    bound, slope_bound = p.roundings.transport(s).bound, p.roundings.transport_jacobian(s).bound
    error = np.abs(p.transport(s) - exact.transport(s))[:, 0]
    slope, given = exact.transport_jacobian(s)[:, 0, 0], p.transport_jacobian(s)[:, 0, 0]
    hazard = np.where(s > 0, 1.0, 1 / np.expm1(exact.transport(s)))[:, 0]  # of the tail on its side
    judge(np.abs(given - slope), slope_bound)
    assert (error <= bound + exact.roundings.transport(s).bound).all()
    assert (bound >= missed / hazard / 2).all()


@pytest.mark.parametrize(("rate", "factor"), [(2.0, 1.0), (1.0, 2.0)], ids=["another-law", "mass-2"])
def test_a_density_that_probabilities_contradict_is_refused_at_birth(rate, factor):
    with pytest.raises(ValueError, match=r"distribution: exponential's cdf, sf and pdf agree only for noise"):
        Quantile(_EXPONENTIAL(rate, factor))


class _Stuck(_Failing):
    """Its ppf raises, as SciPy's own does where its root does not converge."""

    def _ppf(self, q):
        if np.any(q < 1e-3):
            raise RuntimeError("Failed to converge after 100 iterations.")
        return super()._ppf(q)


@pytest.mark.parametrize("family", [_Failing, _Stuck])
def test_an_inverse_that_falls_or_raises_is_solved_anew(family):
    p, exact = Quantile(family(a=0, name="failing")()), Quantile(stats.expon())
    s = np.linspace(-15, 15, 200)[:, None]
    error = np.abs(p.transport(s) - exact.transport(s))[:, 0]
    assert (error <= p.roundings.transport(s).bound + exact.roundings.transport(s).bound).all()
