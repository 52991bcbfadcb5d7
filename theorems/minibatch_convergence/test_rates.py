"""M7 (open): measured rates of the excess beside theory, and the exact sums of Gaussians on the line.

Small batches only: the intervals are statistical, and say nothing of how far these n are from the asymptotic
rate. The rules decide what the data can decide: that the ambient dimension does not govern.
"""

import numpy as np
import pytest
from scipy import stats

from numerics.potentials import DegenerateGaussian, Quantile, Sphere, product
from numerics.transport.couplings import estimate_excess
from numerics.transport.minibatch import expected_cost
from theorems.minibatch_convergence.figures import draw_rates
from theorems.minibatch_convergence.fits import slope_of_means

LEVEL = 1e-6
SIZES, BATCHES = (8, 32, 128), (400, 200, 80)
# Target, theory's slope, and the slope that the data must lie below.
CASES = {
    "circle": (Sphere(2), "−1", -2 / 3),
    "S³": (Sphere(4), "−2/3", -2 / 4),
    "S⁵": (Sphere(6), "−2/5", -2 / 6),
    "Clifford torus": (product(Sphere(2), Sphere(2)), "−1, with a logarithm", -2 / 4),
    "Gaussian in R³": (DegenerateGaussian(np.zeros(3), np.eye(3)), "−2/3", -1 / 3),
}


def _measure(target, rng):
    return [estimate_excess(target, n, b, rng) for n, b in zip(SIZES, BATCHES, strict=True)]


@pytest.mark.claim("M7")
def test_smaller_side_governs(evidence, rng):
    rows, lines = [], {}
    for name, (target, theory, above) in CASES.items():
        found = _measure(target, rng)
        slope, interval = slope_of_means(SIZES, [f.values for f in found], LEVEL)
        evidence.on(target).trend(
            "log(c_n − W₂²) against log n, n = 8 … 128",
            slope=slope,
            interval=interval,
            theory=above,
            rule="interval lies below theory",
            points=len(SIZES),
        )
        rows.append([name, slope, interval[0], interval[1], theory, above])
        lines[name] = (np.array(SIZES), np.array([f.mean for f in found]))
    evidence.table(
        "slopes of the excess for n = 8 … 128 (interval missed with probability 1e−6)",
        ["target", "slope", "low", "high", "asymptotic theory", "must lie below"],
        rows,
    )
    evidence.figure(
        "Excess of the cost against the batch size",
        "On log–log axes the circle falls fastest and S⁵ slowest",
        lambda figure: draw_rates(figure, lines),
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
    )
