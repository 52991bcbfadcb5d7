"""M3: π_n → π. Two atoms by quadrature, the circle through an identity of gaps, the line through the copula.

Controls: matching turned noise on the circle, which converges too, to the wrong plan; noise with atoms, whose
optimal plans are many.
"""

from itertools import pairwise
from math import comb

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy import stats
from scipy.special import log_ndtr, ndtr

from numerics.accuracy import EPS, Rounding
from numerics.potentials import Quantile, Sphere
from numerics.transport.couplings import assignment
from numerics.transport.minibatch import bernstein_copula, expected_cost
from numerics.transport.two_atoms import TwoAtomLaw
from theorems.betting import mean_interval
from theorems.minibatch_convergence.field_errors import RESOLUTIONS
from theorems.setting.draws import generator
from theorems.setting.fits import slope_of_intervals
from theorems.setting.quantifiers import SEEDS, for_all
from theorems.setting.vectors import norm, turn
from theorems.statistics import gaussian_lipschitz, random_signs

LEVEL = 1e-9
TURNED = (
    "closed form of the turned plan plus cos θ of the batch's own excess; fair signs given sizes (Hoeffding) "
    "and Gaussian concentration"
)


@pytest.mark.claim("M3")
@pytest.mark.parametrize("w", [0.1, 0.3, 0.5])
def test_plan_of_two_atoms_tends_to_the_optimal(evidence, w):
    """W₂²(π_n,π) ≤ the cost of moving noise with labels kept: falling, at the rate of M6."""
    found = [TwoAtomLaw([[0.0], [1.0]], w, n).plan_distance() for n in (16, 64, 256, 1024, 4096)]
    value = np.array([f.value for f in found])
    slopes = np.diff(np.log(value)) / np.log(4)
    on = evidence.on("TwoAtomLaw", w=w)
    on.estimated(
        "bound of W₂²(π_n,π): next size minus this one",
        np.diff(value),
        -np.array([f.error + g.error for f, g in pairwise(found)]),
        by=RESOLUTIONS,
        because="the bound falls, by more than either is off",
        clause="limit",
    )
    on.trend(
        "log of the bound of W₂²(π_n,π) against log n",
        slope=slopes[-1],
        interval=(
            slopes[-1] - 2 * abs(slopes[-1] - slopes[-2]),
            slopes[-1] + 2 * abs(slopes[-1] - slopes[-2]),
        ),
        theory=-1.5,
        rule="interval contains theory",
        alternative=-1.0,
        chosen="twice the last change of slope, for the third of it that is left of a remainder of order 1/n",
        points=len(found),
        clause="limit",
    )


@pytest.mark.claim("M3")
def test_plan_on_the_line_is_near_by_its_copula(evidence):
    """With u kept, π_n is E|Q(u)−Q(v)|² = (2/n)ΣVar Y₍ᵢ₎ from π at most, (u,v) of the Bernstein copula.

    Exponential: Var Y₍ᵢ₎ is a sum of 1/j² (Rényi), so 2H_n/n. Uniform: 1/(3(n+1)). Normal: the noise's own
    c_n by order statistics. All tend to 0, and uniform is at most L² times normal, as T = Φ has L² = 1/(2π).
    """
    sizes, noise = (4, 12, 36), Quantile(stats.norm())
    costs = [expected_cost(noise, n) for n in sizes]
    known = {
        "exponential": [2 * (1 / np.arange(1, n + 1)).sum() / n for n in sizes],
        "uniform": [1 / (3 * (n + 1)) for n in sizes],
        "normal": [c.excess for c in costs],
    }
    found = [_moved_by_the_copula(n) for n in sizes]
    for name, exact in known.items():
        value, change = np.array([row[name] for row in found]).T
        error = change + (64 + 16 * np.sqrt(sizes)) * EPS * value
        on = evidence.on(name, n=np.array(sizes))
        on.estimated(
            "|E|Q(u)−Q(v)|² over the copula − (2/n)ΣVar Y₍ᵢ₎|",
            np.abs(value - exact),
            error + np.array([c.error if name == "normal" else 0.0 for c in costs]),
            by="the change on every second node",
            because="closed form or order statistics; √n roundings a window",
            clause="limit",
        )
        on.estimated(
            "E|Q(u)−Q(v)|² at each size above that of the size before",
            np.diff(value),
            -(error[1:] + error[:-1]),
            by="the change on every second node",
            because="it falls",
            clause="limit",
        )
    evidence.on("uniform", n=np.array(sizes)).estimated(
        "E|Q(u)−Q(v)|² of a Lipschitz transport",
        [row["uniform"][0] for row in found],
        [(row["normal"][0] + row["normal"][1]) / (2 * np.pi) for row in found],
        by="the change on every second node",
        because="L² times that of the noise, Φ having slope 1/√(2π) at most",
        clause="limit",
    )


def _moved_by_the_copula(n):
    """E|Q(u)−Q(v)|² of three laws, and how far each moves on every second node: a trapezoid rule in z, z'."""
    step = min(0.25, np.sqrt(np.pi / (2 * n + 2))) / 3  # a third of the layer's deviation
    count = 2 * int(np.ceil(5 / step))
    z = step * np.arange(-count, count + 1)
    mass, u = step * stats.norm.pdf(z), ndtr(z)
    plan = mass[:, None] * mass * bernstein_copula(u[:, None], u, n)
    moved = {}
    for name, y in {"exponential": -log_ndtr(-z), "uniform": u, "normal": z}.items():
        terms = plan * (y[:, None] - y) ** 2
        fine, coarse = float(terms.sum()), 4 * float(terms[::2, ::2].sum())
        moved[name] = fine, abs(fine - coarse)
    return moved


@for_all("M3", d=st.integers(2, 6), n=st.integers(1, 32), seed=SEEDS)
def test_gap_of_a_pair_is_its_distance_on_spheres(evidence, d, n, seed):
    """|x₀||x₁ − T(x₀)|² = 2(|x₀| − ⟨x₀,x₁⟩): cost tending to W₂² forces x₁ to T(x₀)."""
    target, rng = Sphere(d), generator(seed)
    x0, x1 = rng.standard_normal((n, d)), target.sample(n, rng)[1]
    x1 = x1[assignment(x0, x1)]
    gap = 2 * (target.conjugate(x0) + target.value(x1) - (x0 * x1).sum(axis=1))
    evidence.on(target, n=n, seed=seed).bounded(
        "|2·gap − |x₀||x₁−T(x₀)|²|",
        np.abs(gap - norm(x0) * norm(x1 - target.transport(x0)) ** 2),
        Rounding(norm(x0), 8 * (d + 2), "sums of d products of size |x₀|"),
        because="on the sphere the gap is half that square",
        clause="only optimal limits",
    )


@pytest.mark.claim("M3")
def test_matched_data_tend_to_the_transport_on_the_circle(evidence, rng):
    """E|x₁ − T(x₀)|² bounds W₂²(π_n,π): the noise is kept and the data are moved."""
    target, means, intervals = Sphere(2), [], []
    batches = {4: 4000, 16: 2000, 64: 2400}
    for n, count in batches.items():
        x0, x1 = rng.standard_normal((count, n, 2)), target.sample(count * n, rng)[1].reshape(count, n, 2)
        moved = [norm(b[assignment(a, b)] - target.transport(a)) ** 2 for a, b in zip(x0, x1, strict=True)]
        values = np.minimum(np.mean(moved, axis=1), 4.0)
        means.append(values.mean())
        intervals.append(mean_interval(values, 0.0, 4.0, LEVEL / 3))
    slope, interval = slope_of_intervals(list(batches), means, intervals)
    evidence.on(target).trend(
        "log E|x₁ − T(x₀)|² against log n on the circle, n = 4 … 64; betting on batches in [0, 4]",
        slope=slope,
        interval=interval,
        theory=-0.5,
        rule="interval lies below theory",
        level=LEVEL,
        points=3,
        clause="limit",
    )


# --- control ------------------------------------------------------------------------------------------


@pytest.mark.control("M3")
@pytest.mark.parametrize("degrees", [60, 120])
def test_turned_noise_converges_to_the_wrong_plan(evidence, rng, degrees):
    """Match data to y = Qx₀: excess 2R E|x₀|(1−cos θ) + cos θ·(excess of y), by symmetry.

    Batch by batch measured − predicted = −2 sin θ·(mean of y × x₁) + 2(1−cos θ)(mean |x₀| − E|x₀|). A
    reflection of a whole batch leaves its law and its assignment, and turns the sign of the first: given the
    sizes, the signs are fair. The second is Lipschitz in the noise.
    """
    predicted, measured, reach, own = measure_turned_noise(degrees, assignment, rng, LEVEL)
    evidence.on(Sphere(2), degrees=degrees, n=64).control(
        "noise turned before matching: excess of the cost",
        predicted=predicted,
        measured=measured,
        agreement=reach,
        because=TURNED,
        intact=own,
        level=LEVEL,
        points=500 * 64,
    )


def measure_turned_noise(degrees, couple, rng, level, batches=500):
    """Predicted and measured excess, how far apart they may be, and the excess that y has; n = 64."""
    target, theta, n = Sphere(2), np.deg2rad(degrees), 64
    noise, data = rng.standard_normal((batches, n, 2)), target.sample(batches * n, rng)[1]
    own, turned, areas = np.empty((3, batches))
    for k, x0 in enumerate(noise):
        y, x1 = turn(x0, theta), data[k * n : (k + 1) * n]
        x1 = x1[couple(y, x1)]
        own[k] = 2 * (norm(y) - (y * x1).sum(axis=1)).mean()
        turned[k] = 2 * (norm(x0) - (x0 * x1).sum(axis=1)).mean()
        areas[k] = (y[:, 0] * x1[:, 1] - y[:, 1] * x1[:, 0]).mean()
    wrong = np.sqrt(2 * np.pi) * (1 - np.cos(theta))
    reach = 2 * np.sin(theta) * random_signs(areas / batches, level / 2)
    reach += 2 * (1 - np.cos(theta)) * gaussian_lipschitz(batches * n, 1.0, level / 2)
    return wrong + np.cos(theta) * own.mean(), turned.mean(), reach, own.mean()


@pytest.mark.control("M3")
@pytest.mark.parametrize("n", [3, 6])
def test_atomic_noise_has_more_than_one_limit(evidence, n):
    """Noise ±e₁, data ±e₂: every pair costs 2, c_n = W₂² for all n, and a rule for ties decides the limit.

    Matched in the same order, a share s = 1 − E|A−B|/n of the pairs has equal signs, A, B the numbers of +;
    in opposite orders 1 − s. All batches are counted, and W₂² of the two laws is a linear program.
    """
    import ot  # it imports torch: a second for every run that asks something else

    laws = np.zeros((2, 2, 2))
    for a in range(2**n):
        for b in range(2**n):
            first, second = (np.sort([(k >> i) & 1 for i in range(n)]) for k in (a, b))
            for law, data in zip(laws, (second, second[::-1]), strict=True):
                np.add.at(law, (first, data), 4.0**-n / n)
    places = np.array([[[s, 0, 0, r] for r in (-1.0, 1.0)] for s in (-1.0, 1.0)]).reshape(4, 4)
    assert np.unique(((places[:, :2] - places[:, 2:]) ** 2).sum(axis=1)).tolist() == [2.0]
    measured = ot.emd2(laws[0].ravel(), laws[1].ravel(), ot.dist(places, places))
    evidence.on("noise ±e₁, data ±e₂", n=n).control(
        "noise with atoms: W₂² between the plans of two rules for ties, both optimal",
        predicted=4 * (1 - 2 * comb(2 * n, n) / 4**n),
        measured=float(measured),
        agreement=64 * EPS * 4**n,
        because="a mass 2s − 1 moves by 2, E|A−B| = n·C(2n,n)/4^n; 4^n terms are added",
        clause="only optimal limits",
    )
