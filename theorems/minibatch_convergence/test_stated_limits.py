"""M1–M3, M5, M7, M8: deviations and intervals that statistics of batches rest on are attained.

A deviation that is too small refutes what is true, one that is a thousand times too large lets anything pass.
Each is asked here of a law whose tails are known: it is exceeded no more often than stated, and half of it is
exceeded more often. Intervals of slopes are compared with all that their means allow for, Student's with his
distribution in closed form.
"""

import math
from itertools import product

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import binom, chi, chi2, kstwo, norm, rv_continuous
from scipy.stats import t as student

from numerics.accuracy import UNIT, Rounding
from numerics.potentials import Quantile
from numerics.transport.couplings import BatchEstimate
from numerics.transport.minibatch import expected_cost
from theorems.betting import mean_interval
from theorems.setting.fits import last_slope, slope_of_intervals, slope_of_means
from theorems.statistics import (
    bernstein,
    dkw,
    gaussian_lipschitz,
    hoeffding,
    hoeffding_sum,
    mean_of_squares,
    mean_square_interval,
    random_signs,
)

N = 200
LEVELS = (1e-9, 0.05)
BY = "SciPy's distribution functions, relative 1e−9"
SIZES = np.array([1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0, 34.0, 55.0, 89.0, 144.0, 233.0])
SIGNED = np.array(list(product([-1.0, 1.0], repeat=len(SIZES)))) @ SIZES


def _coins(radius):
    """P(|mean of N fair coins − ½| > radius)."""
    return 2 * binom.sf(np.floor(N * (0.5 + radius) * (1 + 1e-12)), N, 0.5)


def _signs(radius):
    """P(|Σ ±s_k| > radius), over all signs."""
    return float((np.abs(SIGNED) > radius).mean())


def _squares(radius):
    return chi2.sf(N * (1 + radius), N) + chi2.cdf(N * max(1 - radius, 0.0), N)


TAILS = {
    "mean of a linear function of noise": (
        lambda level: gaussian_lipschitz(N, 3.0, level),
        lambda radius: 2 * norm.sf(radius * np.sqrt(N) / 3),
        LEVELS,
    ),
    "mean of fair coins": (lambda level: hoeffding(N, 1.0, level), _coins, LEVELS),
    "mean of fair coins, by their variance": (lambda level: bernstein(N, 0.25, 0.5, level), _coins, LEVELS),
    "Kolmogorov distance of draws": (lambda level: dkw(N, level), lambda r: kstwo.sf(r, N), LEVELS),
    "sum of ±s, s from 1 to 233, by widths": (lambda level: hoeffding_sum(2 * SIZES, level), _signs, (0.05,)),
    "sum of ±s, s from 1 to 233, by sizes": (lambda level: random_signs(SIZES, level), _signs, (0.05,)),
    "mean of squares": (lambda level: mean_of_squares(N, level), _squares, LEVELS),
}


@pytest.mark.claim("M1", "M2", "M5", "M7", "M8")
@pytest.mark.parametrize("name", TAILS)
def test_deviations_are_exceeded_as_often_as_stated_and_half_of_them_more_often(evidence, name):
    stated, beyond, levels = TAILS[name]
    for level in levels:
        radius, on = stated(level), evidence.on(name, level=level, n=N)
        on.estimated(
            "probability beyond the stated deviation, over its level",
            beyond(radius) / level,
            1 + 1e-6,
            by=BY,
            because="the deviation's level is a theorem",
        )
        on.estimated(
            "level over the probability beyond half of the deviation",
            level / beyond(radius / 2),
            1.0,
            by=BY,
            because="the law is one for which the theorem is sharp but for a factor",
            chosen="half of the deviation",
        )


@pytest.mark.claim("M1", "M2", "M5", "M8")
@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_one_draw_is_within_deviations_of_large_level(evidence, level):
    """A fair coin is ½ off its mean, the distribution function of a draw max(U, 1 − U) off.

    Where the level is large radii without the factor 2 of both sides would be exceeded surely.
    """
    coin, sup = hoeffding(1, 1.0, level), dkw(1, level)
    on = evidence.on("one draw", level=level)
    for name, chance in (
        ("a fair coin is farther from ½ than its deviation", float(coin < 0.5)),
        ("one sign is larger than its deviation", float(hoeffding_sum([2.0], level) < 1)),
        ("max(U, 1−U) is above the deviation of one draw", min(1.0, 2 * max(1 - sup, 0.0))),
    ):
        on.certified(f"probability that {name}", chance, level, "known exactly: the level is a theorem")


@pytest.mark.claim("M1", "M8")
def test_a_mean_of_squares_strays_to_either_side(evidence):
    """The farther of the two tails has half of the level, so both together have between half and all."""
    for n in (4, 40, 4000):
        radius = mean_of_squares(n, 0.05)
        share = (chi2.sf(n * (1 + radius), n) + chi2.cdf(n * max(1 - radius, 0.0), n)) / 0.05
        on = evidence.on("squares of noise", n=n)
        on.estimated("both tails over the level", share, 1.0, by=BY, because="each has at most half of it")
        on.estimated(
            "half of the level over both tails", 0.5 / share, 1 + 1e-6, by=BY, because="the farther has half"
        )


@pytest.mark.claim("M7")
@pytest.mark.parametrize("level", LEVELS)
def test_the_interval_of_a_mean_square_ends_where_a_linear_function_is(evidence, level):
    """R = m + Lx₁ has E R² = m² + L², both terms of it; R = |x| in R⁹ misses its E R² = 9 by χ's tails."""
    mean, lipschitz = 8.0, 0.5
    reach = gaussian_lipschitz(1, lipschitz, level)
    on = evidence.on("a Lipschitz function of noise", level=level)
    ends = (
        mean_square_interval(mean - reach, lipschitz, level)[1],
        mean_square_interval(mean + reach, lipschitz, level)[0],
    )
    rounding = Rounding(mean**2 + lipschitz**2, 12, "a root, sums and squares")
    on.bounded(
        "|upper end at R = E R − reach, less E R² = (E R)² + L²|",
        abs(ends[0] - mean**2 - lipschitz**2),
        rounding,
        because="both inequalities are equalities for linear R",
    )
    on.bounded(
        "|lower end at R = E R + reach, less (E R)²|",
        abs(ends[1] - mean**2),
        rounding,
        because="(E R)² ≤ E R², with equality as L → 0",
    )
    above = brentq(lambda r: mean_square_interval(r, 1.0, level)[0] - 9, 1.0, 100.0)
    below = chi.cdf(
        brentq(lambda r: mean_square_interval(r, 1.0, level)[1] - 9, -gaussian_lipschitz(1, 1.0, level), 9.0),
        9,
    )
    on.estimated(
        "probability that the interval from |x| in R⁹ misses 9, over the level",
        (chi.sf(above, 9) + below) / level,
        1.0,
        by=BY,
        because="|x| is 1-Lipschitz",
    )


@pytest.mark.claim("M3", "M8")
def test_an_interval_by_betting_moves_with_its_values(evidence, rng):
    """Both ends of the range count: values and range shifted, and turned over."""
    values, level = rng.uniform(0.1, 0.9, 50), 1e-6
    low, high = mean_interval(values, 0.0, 1.0, level)
    on, near = (
        evidence.on("values in [0, 1]", level=level),
        Rounding(1.0, 2.0**26, "roots to 1e−9 of the range"),
    )
    shifted, turned = mean_interval(values - 2, -2.0, -1.0, level), mean_interval(-values, -1.0, 0.0, level)
    on.bounded(
        "ends of the interval beside those after a shift by −2 and a change of sign",
        np.abs([low - 2 - shifted[0], high - 2 - shifted[1], low + turned[1], high + turned[0]]),
        near,
        because="the capital is of differences, over the range",
        points=len(values),
    )
    mean = math.fsum(values) / len(values)
    on.certified(
        "how far the mean of the draws lies outside, and what the mean rounds",
        max(low - mean, mean - high) + 2 * UNIT,
        bound=0.0,
        because="there the capital is at most 1 (Jensen); the sum is rounded once, and the quotient once",
        points=len(values),
    )


class _Normal(rv_continuous):
    """The normal law with a wrong formula for its variance, as a library may have one."""

    def _cdf(self, x):
        return norm.cdf(x)

    def _ppf(self, q):
        return norm.ppf(q)

    def _stats(self):
        return 0.0, 1.5, 0.0, 0.0


class _Student(rv_continuous):
    """Student's law of 2.05 degrees, variance 41, in part beyond any noise; no formula."""

    def _pdf(self, x):
        return student.pdf(x, 2.05)

    def _cdf(self, x):
        return student.cdf(x, 2.05)

    def _sf(self, x):
        return student.sf(x, 2.05)

    def _ppf(self, q):
        return student.ppf(q, 2.05)

    def _isf(self, q):
        return student.isf(q, 2.05)


class _Cut(rv_continuous):
    """Student's law of 2.5 degrees, variance 5, without its upper tail: quantiles are cut before noise 8."""

    def _cdf(self, x):
        return student.cdf(x, 2.5)

    def _ppf(self, q):
        return student.ppf(q, 2.5)


@pytest.mark.claim("M2")
@pytest.mark.parametrize(
    ("law", "square"),
    [(_Normal(name="wrong"), 1.0), (_Student(name="bare"), 41.0), (_Cut(name="cut"), 5.0)],
    ids=["formula", "tail", "cut"],
)
def test_a_second_moment_that_is_not_known_is_stated_as_such(evidence, law, square):
    found = expected_cost(Quantile(law()), 1)
    evidence.on(law.name).estimated(
        "|c_1 − 1 − E x₁²|",
        abs(found.cost - 1 - square),
        found.cost_error,
        by="the formula beside the quadrature, and the integrand's decay beyond the cut",
        because="what contradicts its quadrature, or lies beyond it, is stated",
    )


# --- slopes ---------------------------------------------------------------------------------------------


@pytest.mark.claim("M3", "M7")
def test_the_interval_of_a_slope_is_all_that_its_means_allow(evidence, rng):
    """Least squares of log means on log n at every corner of the box of means, and at their middle."""
    sizes = [4, 16, 64, 512]
    means = rng.uniform(0.5, 2.0, 4) / sizes
    intervals = [(m * rng.uniform(0.6, 0.9), m * rng.uniform(1.1, 1.6)) for m in means]
    slope, ends = slope_of_intervals(sizes, means, intervals)
    corners = np.array(list(product(*intervals)))
    slopes = np.polyfit(np.log(sizes), np.log(corners).T, 1)[0]
    middle = np.polyfit(np.log(sizes), np.log(means), 1)[0]
    evidence.on("means of four sizes").bounded(
        "|slope and its ends − those of least squares over all corners|",
        np.abs([slope - middle, ends[0] - slopes.min(), ends[1] - slopes.max()]),
        Rounding(8.0, 512, "least squares of four points, twice"),
        because="the slope is linear in the logarithms, so its ends lie at corners",
        points=len(corners),
    )


@pytest.mark.claim("M6")
@pytest.mark.parametrize("power", [-0.5, -1.0, -2.0])
def test_the_last_slope_is_off_by_as_much_as_it_says(evidence, power):
    """Of n^s(1 + L/n), sizes doubled: the local slope errs by about its last change, or a half of it."""
    sizes = 2.0 ** np.arange(4, 12)
    for bend in (1.0, -3.0):
        slope, (low, high) = last_slope(sizes, -(sizes**power) * (1 + bend / sizes))
        off, reach = abs(slope - power), (high - low) / 2
        on = evidence.on("n^s(1 + L/n)", s=power, L=bend)
        on.estimated(
            "|local slope − s| over the stated reach",
            off / reach,
            1 + 8 * abs(bend) / sizes[-2],
            by="terms of second order in L/n",
            because="at ratio 2 the error of a slope L'/n is its last change",
        )
        on.estimated(
            "the stated reach over |local slope − s|",
            reach / off,
            1 + 8 * abs(bend) / sizes[-2],
            by="terms of second order in L/n",
            because="at ratio 2 the error of a slope L'/n is its last change",
        )


def _student_of_two(level):
    """The quantile of Student's law of 2 degrees, exceeded in size with probability ``level``."""
    return (1 - level) * np.sqrt(2 / (level * (2 - level)))


@pytest.mark.claim("M7", "M8")
@pytest.mark.parametrize("level", LEVELS)
def test_students_intervals_are_those_of_his_law(evidence, rng, level):
    """Three batches have two degrees of freedom, whose quantiles are in closed form."""
    batches, sizes = rng.uniform(1.0, 2.0, (2, 3)), [8, 128]
    means, reach = batches.mean(axis=1), _student_of_two(level)
    errors = np.sqrt(((batches - means[:, None]) ** 2).sum(axis=1) / 2 / 3)
    on = evidence.on("three batches", level=level)
    rounding = Rounding(1.0, 2.0**20, "Student's quantile to 1e−10")
    low, high = BatchEstimate(8, batches[0]).interval(level)
    on.bounded(
        "|ends of a mean's interval over those in closed form − 1|",
        np.abs([(high - means[0]) / (reach * errors[0]) - 1, (means[0] - low) / (reach * errors[0]) - 1]),
        rounding,
        because="mean ± quantile · √(Σ(x − mean)²/(m(m−1)))",
        points=3,
    )
    _, (low, high) = slope_of_means(sizes, list(batches), level)
    spread = np.sqrt(((errors / means) ** 2).sum()) / np.log(16)
    middle = np.log(means[1] / means[0]) / np.log(16)
    on.bounded(
        "|ends of a slope's interval over those in closed form − 1|",
        np.abs([(high - middle) / (reach * spread) - 1, (middle - low) / (reach * spread) - 1]),
        rounding,
        because="through two points goes one line; log(mean) deviates by the mean's deviation over the mean",
        points=6,
    )
