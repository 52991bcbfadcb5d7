"""M7 (open): measured rates of the excess beside theory, and the exact sums of Gaussians on the line.

The intervals say nothing of how far these n are from the asymptotic rate: up to 128 in the quick profile, up
to 2048 in thorough. The rules decide what the data can decide: that the ambient dimension does not govern.
Gaussians' intervals have a level: the root of the whole cost is Lipschitz in all the noise. Those of spheres
have none: the excess is not bounded, so they are Student's, and the record names no level.
"""

import numpy as np
import pytest
from hypothesis import settings
from scipy import stats

from numerics.potentials import DegenerateGaussian, Quantile, Sphere, product
from numerics.transport.couplings import independent
from numerics.transport.minibatch import expected_cost
from numerics.transport.sweeps import sweep_excess
from theorems.minibatch_convergence.figures import draw_rates
from theorems.setting.fits import slope_of, slope_of_intervals, slope_of_means
from theorems.statistics import gaussian_lipschitz, mean_square_interval

LEVEL = 1e-9
THOROUGH = settings().max_examples >= 200
BATCHES = {8: 800, 32: 400, 128: 160}
MORE_BATCHES = {8: 4000, 32: 2000, 128: 800, 512: 100, 2048: 16}
GAUSSIAN_BATCHES = {8: 4000, 32: 1000, 128: 320}
"""The upper ends, −.60 in R² and −.348 in R⁵, are ten of their deviations and more below −½ and −⅓."""
IN_SPACE = {8: 16_000, 32: 4000, 128: 1250}
"""In R³ the upper end of the interval, −.521, is then more than five of its deviations below −½."""


def _gaussian(d):
    return DegenerateGaussian(np.zeros(d), np.eye(d))


# Target, theory's rate, and the slope that the data must lie below: on spheres that of the ambient dimension,
# for a density in R^d that of one dimension more.
CASES = {
    "circle": (Sphere(2), "1/n", -2 / 3),
    "S² in R³": (Sphere(3), "(log n)/n", -2 / 3),
    "S³ in R⁴": (Sphere(4), "n^(−2/3)", -2 / 4),
    "S⁵ in R⁶": (Sphere(6), "n^(−2/5)", -2 / 6),
    "S⁹ in R¹⁰": (Sphere(10), "n^(−2/9)", -2 / 10),
    "Clifford torus in R⁴": (product(Sphere(2), Sphere(2)), "(log n)/n, m = 2 as S²", -2 / 4),
    "Gaussian in R²": (_gaussian(2), "(log n)²/n", -2 / 4),
    "Gaussian in R³": (_gaussian(3), "n^(−2/3)", -2 / 4),
    "Gaussian in R⁵": (_gaussian(5), "n^(−2/5)", -2 / 6),
}


def _swept(of_spheres, rng, jobs):
    """Excesses of all cases, from so many batches of each size: Gaussians need more, in R³ most."""
    found = {}
    for name, (target, *_) in CASES.items():
        of_gaussians = IN_SPACE if target.dim == 3 else GAUSSIAN_BATCHES
        batches = of_gaussians if _is_gaussian(target) and not THOROUGH else of_spheres
        found |= sweep_excess({name: target}, batches, rng, jobs=jobs)
    return found


@pytest.mark.claim("M7")
def test_smaller_side_governs(evidence, rng, jobs):
    batches = MORE_BATCHES if THOROUGH else BATCHES
    found = _swept(batches, rng, jobs)
    rows = []
    for name, (target, theory, above) in CASES.items():
        sizes, values = list(found[name]), [estimate.values for estimate in found[name].values()]
        slope, interval, level, of = _slope(target, sizes, values)
        _no_draws_shared(evidence.on(target), values)
        evidence.on(target).trend(
            f"log(c_n − W₂²) against log n, n = 8 … {max(sizes)}; {of}",
            slope=slope,
            interval=interval,
            theory=above,
            rule="interval lies below theory",
            level=level,
            points=len(sizes),
            clause="densities" if _is_gaussian(target) else "spheres",
        )
        last = slope_of(sizes[-2:], [v.mean() for v in values[-2:]])
        rows.append([name, theory, slope, *interval, of, last, above])
    evidence.table(
        f"slopes of the excess, n = 8 … {max(batches)}",
        ["target", "theory", "slope", "low", "high", "interval", "last two sizes", "must lie below"],
        rows,
    )
    evidence.figure(
        "Excess of the cost against the batch size",
        "On log–log axes the circle falls fastest and S⁹ slowest",
        lambda figure: draw_rates(
            figure,
            {
                name: (np.array(list(row)), np.array([e.mean for e in row.values()]))
                for name, row in found.items()
            },
        ),
    )


def _no_draws_shared(on, values):
    """Two tasks of a sweep have generators of their own."""
    on.estimated(
        "batches of a size whose mean is that of another, bit for bit",
        [len(v) - len(np.unique(v)) for v in values],
        2.0,
        by="coincidences of rounded means: pairs times eps over their spread, below 1e−6",
        because="if two tasks shared their draws, all batches of one, 4 or more, would be met again",
        chosen="two coincidences",
        kind="count",
    )


def _is_gaussian(target):
    return isinstance(target, DegenerateGaussian)


def _slope(target, sizes, values):
    """Slope, interval, its level or None, and what the interval rests on."""
    if not _is_gaussian(target):
        return (
            *slope_of_means(sizes, values, LEVEL),
            None,
            "Student's interval at 1 − 1e−9: asymptotic, no level",
        )
    means, intervals = gaussian_costs(sizes, values, LEVEL)
    return *slope_of_intervals(sizes, means, intervals), LEVEL, "Gaussian concentration"


def gaussian_costs(sizes, values, level):
    """Means of |x₀ − x₁|² over batches of two standard normals, and intervals of c_n, together at ``level``.

    Of N batches R² = Σ|x₀ − x₁|²/(nN) is a least over permutations: R is √(2/(nN))-Lipschitz in both noises.
    """
    means = [float(v.mean()) for v in values]
    steps = [np.sqrt(2 / (n * len(v))) for n, v in zip(sizes, values, strict=True)]
    each = level / len(means)
    return means, [mean_square_interval(np.sqrt(m), s, each) for m, s in zip(means, steps, strict=True)]


@pytest.mark.claim("M7")
def test_gaussians_on_the_line_by_batches_and_exactly(evidence, rng, jobs):
    """The one rate whose finite sums are known: what the fit of batches should give, logarithm included."""
    noise, batches = Quantile(stats.norm()), {8: 16_000, 32: 8000, 128: 4000}
    found = sweep_excess({"line": noise}, batches, rng, jobs=jobs)["line"]
    values, exact = [e.values for e in found.values()], [expected_cost(noise, n) for n in batches]
    means, intervals = gaussian_costs(list(batches), values, LEVEL)
    slope, interval = slope_of_intervals(list(batches), means, intervals)
    evidence.on(noise).trend(
        "log c_n of batches against log n, n = 8 … 128, beside that of exact sums; Gaussian concentration",
        slope=slope,
        interval=interval,
        theory=slope_of(list(batches), [c.cost for c in exact]),
        rule="interval contains theory",
        alternative=-2 / 3,
        level=LEVEL,
        points=len(batches),
        clause="line",
    )
    evidence.table(
        "Gaussian to Gaussian on the line: batches beside exact sums (intervals together at 1 − 1e−9)",
        ["n", "mean excess of batches", "low", "high", "exact c_n"],
        [
            [n, mean, *interval, c.cost]
            for n, mean, interval, c in zip(batches, means, intervals, exact, strict=True)
        ],
    )


@pytest.mark.claim("M7")
def test_gaussians_on_the_line_are_slower_than_one_over_n(evidence):
    """c_n = (2/n)ΣVar X₍ᵢ₎ = (2/n)(log log n + log 2 + γ_E + o(1)): exact sums and local slopes."""
    sizes = [16, 64, 256, 1024, 4096, 16384]
    noise = Quantile(stats.norm())
    rows, slopes = [], []
    for n in sizes:
        near = [expected_cost(noise, k).excess for k in (n, n + n // 8)]
        slopes.append(float(np.log(near[1] / near[0]) / np.log((n + n // 8) / n)))
        famous = np.log(np.log(n))
        rest = n * near[0] / 2 - famous - np.log(2) - np.euler_gamma
        rows.append([n, near[0], slopes[-1], rest, n * near[0] / 2 / famous])
    evidence.table(
        "Gaussian to Gaussian on the line, exact",
        ["n", "c_n", "local slope", "n·c_n/2 − (log log n + log 2 + γ_E)", "c_n over 2 log log n / n"],
        rows,
    )
    evidence.on(noise).trend(
        "local slopes of log c_n against log n, exact, n = 16 … 16384",
        slope=float(np.median(slopes)),
        interval=(min(slopes), max(slopes)),
        theory=-1.0,
        rule="interval lies above theory",
        points=len(sizes),
        clause="line",
    )


# --- control ------------------------------------------------------------------------------------------


@pytest.mark.control("M7")
def test_pairs_as_drawn_have_no_rate(evidence, rng, jobs):
    """The independent coupling on the circle: excess √(2π) at every n."""
    target = Sphere(2)
    found = sweep_excess({"circle": target}, BATCHES, rng, jobs=jobs, coupling=independent)["circle"]
    means = [e.mean for e in found.values()]
    reach = [gaussian_lipschitz(n * count, 4.0, LEVEL / 3) for n, count in BATCHES.items()]
    intervals = [(mean - r, mean + r) for mean, r in zip(means, reach, strict=True)]
    slope, interval = slope_of_intervals(list(BATCHES), means, intervals)
    evidence.on(target).control(
        "independent coupling: slope of log excess against log n",
        predicted=0.0,
        measured=slope,
        agreement=max(interval[1] - slope, slope - interval[0]),
        because="2E|x₀| = √(2π) whatever n is; Gaussian concentration, the gap of a pair being 4-Lipschitz",
        intact=-1.0,
        level=LEVEL,
        points=len(BATCHES),
    )
