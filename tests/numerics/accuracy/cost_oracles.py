"""Costs of batches on the line in 30 digits: the oracle integrates over the values of the law.

E x₀T = ∫φ_N(Φ⁻¹(F(y)))dy and, as Σ E X₍ᵢ₎ = 0, E b_nT = (1/n) Σ E X₍ᵢ₎ ∫P(Y₍ᵢ₎ > y)dy, a polynomial in F.
"""

from mpmath import mp, mpf

with mp.workdps(30):
    ROOT = mp.sqrt(mp.pi)
    MEANS = {1: [mpf(0)], 2: [-1 / ROOT, 1 / ROOT], 3: [-3 / (2 * ROOT), mpf(0), 3 / (2 * ROOT)]}


@mp.workdps(30)
def order_mean(n, i):
    """E X₍ᵢ₎ in 30 digits."""

    def integrand(x):
        return x * mp.ncdf(x) ** (i - 1) * mp.ncdf(-x) ** (n - i) * mp.npdf(x)

    return n * mp.binomial(n - 1, i - 1) * mp.quad(integrand, [-12, -6, -3, 0, 3, 6, 12])


def order_means(n):
    if n not in MEANS:
        upper = [order_mean(n, i) for i in range(n, n - n // 2, -1)]
        MEANS[n] = [-m for m in upper] + [mpf(0)] * (n % 2) + upper[::-1]
    return MEANS[n]


def _noise(lower, upper):
    """Φ⁻¹ of a probability given with its complement."""
    small = min(lower, upper)
    z = -mp.sqrt(2) * mp.erfinv(1 - 2 * small) if small > mpf("1e-12") else _far(small)
    return z if lower <= upper else -z


def _far(p):
    """Φ⁻¹ of a small p by Newton on the logarithm."""
    z = -mp.sqrt(-2 * mp.log(p))
    for _ in range(60):
        move = (mp.log(mp.ncdf(z)) - mp.log(p)) * mp.ncdf(z) / mp.npdf(z)
        z -= move
        if abs(move) < mpf("1e-26"):
            break
    return z


def _speed(lower, upper):
    """φ_N(Φ⁻¹(p))."""
    return mp.npdf(_noise(lower, upper)) if min(lower, upper) > mpf("1e-200") else mpf(0)


def batch_product(n, lower, upper):
    """−Σ E X₍ᵢ₎ P(Bin(n, p) ≥ i)/n, which is what E b_nT integrates over y."""
    law = [mp.binomial(n, k) * lower**k * upper ** (n - k) for k in range(n + 1)]
    return -sum(m * sum(law[i:]) for i, m in enumerate(order_means(n), start=1)) / n


def exact_costs(levels, breaks, square, sizes):
    """Excess, W₂² and c_n at each size, of a law with y ↦ (F, 1−F)."""
    cross = mp.quad(lambda y: _speed(*levels(y)), breaks)
    for n in sizes:
        batch = mp.quad(lambda y, n=n: batch_product(n, *levels(y)), breaks) if n > 1 else mpf(0)
        yield n, (2 * (cross - batch), 1 + square - 2 * cross, 1 + square - 2 * batch)
