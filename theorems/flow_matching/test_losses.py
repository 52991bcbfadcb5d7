"""F5: both losses have one gradient, and differ by E Var(u_t(x|x₁) | x_t) whatever the model is.

In fractions for finite tables; for Gaussian paths by quadrature, the marginal loss over x and the conditional
one over x₀, gradients by complex steps. Control: with the posterior at time 1 the gradient is another.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st

from numerics.accuracy import Rounding
from numerics.flows.mixtures import MixtureField
from numerics.flows.paths import OptimalTransportPath
from theorems.flow_matching.quadrature import grid
from theorems.flow_matching.roundings import LIBRARY, TWO_STEPS
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, for_all

ATOMS, WEIGHTS = np.array([[-1.0], [0.5], [2.0]]), np.array([0.3, 0.5, 0.2])
EXPONENT = 4 * 72 + 4 * LIBRARY
"""Roundings of a density on the grids here, where exponents reach 12²/2, beside exp and tanh."""
TIMES, SHARES = (np.polynomial.legendre.leggauss(6)[0] + 1) / 2, np.polynomial.legendre.leggauss(6)[1] / 2
masses = st.lists(st.integers(0, 9), min_size=4, max_size=4).filter(any)
eighths = st.integers(-24, 24).map(lambda k: Fraction(k, 8))


def model(theta, t, x):
    """A family that is not linear in its parameters; analytic, so that complex steps pass."""
    return theta[0] * np.tanh(theta[1] * x + theta[2] * t) + theta[3] * x + theta[4]


def gradient(loss, theta):
    return np.array([loss(theta + 1e-30j * e).imag / 1e-30 for e in np.eye(len(theta))])


class Losses:
    """L_FM and L_CFM over six times, for atoms under the OT path, by the trapezoid rule with a given step."""

    def __init__(self, smallest, step):
        self.path = OptimalTransportPath(smallest)
        self.field = MixtureField(ATOMS, np.zeros((3, 1, 1)), WEIGHTS, self.path)
        self.x, self.cell = grid(12.0, step, 1)
        self.noise = np.exp(-(self.x[:, 0] ** 2) / 2) / np.sqrt(2 * np.pi) * self.cell

    def marginal(self, theta):
        """L_FM: over x, against p_t."""
        return sum(
            s * self._density(t) @ (model(theta, t, self.x[:, 0]) - self.field.velocity(t, self.x)[:, 0]) ** 2
            for t, s in zip(TIMES, SHARES, strict=True)
        )

    def conditional(self, theta):
        """L_CFM: over x₀ for each x₁."""
        total = 0.0
        for t, s in zip(TIMES, SHARES, strict=True):
            for atom, w in zip(ATOMS, WEIGHTS, strict=True):
                x = self.path.flow(t, self.x, atom[None])
                speed = self.path.velocity(t, x, atom[None])
                total += s * w * self.noise @ (model(theta, t, x[:, 0]) - speed[:, 0]) ** 2
        return total

    def variance(self):
        """E Var(u_t(x|x₁) | x_t) from the posterior's first two moments, over x."""
        total = 0.0
        for t, s in zip(TIMES, SHARES, strict=True):
            posterior = self.field.posterior(t, self.x)
            speeds = np.stack([self.path.velocity(t, self.x, a[None])[:, 0] for a in ATOMS], axis=1)
            mean = (posterior * speeds).sum(axis=1, keepdims=True)
            total += s * self._density(t) @ (posterior * (speeds - mean) ** 2).sum(axis=1)
        return total

    def size(self, theta):
        """E(|u_θ| + |u_t(x|x₁)|)(1 + |u_θ| + |∂u_θ|), the absolute values that either sum adds up."""
        total = 0.0
        for t, s in zip(TIMES, SHARES, strict=True):
            for atom, w in zip(ATOMS, WEIGHTS, strict=True):
                x = self.path.flow(t, self.x, atom[None])
                slopes = gradient(lambda q, t=t, x=x: model(q, t, x[:, 0]), theta)
                value, speed = np.abs(model(theta, t, x[:, 0])), np.abs(self.path.velocity(t, x, atom[None]))
                widest = 1 + value + np.abs(slopes).max(axis=0)
                total += s * w * self.noise @ ((value + speed[:, 0]) * widest)
        return total

    def _density(self, t):
        return np.exp(self.field.log_density(t, self.x)) * self.cell


@for_all("F5", seed=SEEDS, smallest=st.sampled_from([0.1, 0.3, 1.0]))
def test_gradients_agree(evidence, seed, smallest):
    losses, theta = Losses(smallest, 1 / 32), 1.5 * generator(seed).standard_normal(5)
    coarse = Losses(smallest, 1 / 24)
    of_fm, of_cfm = (gradient(f, theta) for f in (losses.marginal, losses.conditional))
    moved = sum(
        np.abs(a - gradient(f, theta)) for a, f in ((of_fm, coarse.marginal), (of_cfm, coarse.conditional))
    )
    on = evidence.on("three atoms, five parameters", seed=seed, smallest=smallest)
    rounding = Rounding(losses.size(theta), EXPONENT, "densities: 4 roundings of an exponent up to 72")
    on.estimated(
        "|∇L_FM − ∇L_CFM|",
        np.abs(of_fm - of_cfm),
        moved + rounding.bound,
        by=f"{TWO_STEPS} on each side",
        because="both losses have one gradient; rounding of densities on a grid of 12 deviations",
        clause="gradient",
    )
    difference = losses.conditional(theta) - losses.marginal(theta)
    on.estimated(
        "|L_CFM − L_FM − E Var(u_t(x|x₁)|x_t)|",
        abs(difference - losses.variance()),
        sum(abs(f(theta) - g(theta)) for f, g in _pairs(losses, coarse))
        + abs(losses.variance() - coarse.variance())
        + rounding.bound,
        by=f"{TWO_STEPS}, three times",
        because="the posterior's variance; rounding of densities on a grid of 12 deviations",
        clause="difference",
    )


def _pairs(fine, coarse):
    return (fine.marginal, coarse.marginal), (fine.conditional, coarse.conditional)


@for_all(
    "F5",
    table=st.lists(masses, min_size=2, max_size=4),
    speeds=st.lists(st.lists(eighths, min_size=4, max_size=4), min_size=4, max_size=4),
    theta=st.lists(eighths, min_size=3, max_size=3),
)
def test_in_fractions(evidence, table, speeds, theta):
    """Any joint law of x₁ and x ∈ {0,1,2,3}, any u(x|x₁), the model θ₀ + θ₁x + θ₂x²: no Gaussian needed."""
    total = sum(map(sum, table))
    joint = {(i, x): Fraction(m, total) for i, row in enumerate(table) for x, m in enumerate(row)}
    p = {x: sum(joint[i, x] for i in range(len(table))) for x in range(4)}
    u = {
        x: sum(joint[i, x] * speeds[i][x] for i in range(len(table))) / p[x] if p[x] else Fraction(0)
        for x in range(4)
    }
    miss = {x: theta[0] + theta[1] * x + theta[2] * x * x for x in range(4)}
    of_fm = [sum(p[x] * 2 * (miss[x] - u[x]) * x**k for x in range(4)) for k in range(3)]
    of_cfm = [sum(m * 2 * (miss[x] - speeds[i][x]) * x**k for (i, x), m in joint.items()) for k in range(3)]
    fm = sum(p[x] * (miss[x] - u[x]) ** 2 for x in range(4))
    cfm = sum(m * (miss[x] - speeds[i][x]) ** 2 for (i, x), m in joint.items())
    variance = sum(m * (speeds[i][x] - u[x]) ** 2 for (i, x), m in joint.items())
    on = evidence.on("finite tables", table=table, theta=[str(q) for q in theta])
    on.exact(
        "∇L_FM = ∇L_CFM",
        [a == b for a, b in zip(of_fm, of_cfm, strict=True)],
        "laws and fields in fractions: the argument, not the code",
        clause="gradient",
    )
    on.exact(
        "L_CFM − L_FM = E Var(u(x|x₁)|x)",
        cfm - fm == variance,
        "laws and fields in fractions: the argument, not the code",
        clause="difference",
    )


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("F5")
@pytest.mark.parametrize(("mean", "spread", "smallest"), [(0.5, 1.0, 0.1), (-1.0, 2.0, 0.5)])
def test_gradient_for_the_posterior_at_time_one(evidence, mean, spread, smallest):
    """Data N(m, s²), ∂/∂θ₄ (the constant): the difference is 2E[u − u'], E u = m, u' = (cx + (1−k)m)/σ_t.

    c = k − 1 + σ, k = s²/(s²+σ²), E x_t = tm.
    """
    path, theta = OptimalTransportPath(smallest), np.array([0.7, -0.4, 0.3, 0.2, 0.1])
    k = spread**2 / (spread**2 + smallest**2)
    field = MixtureField([[mean]], [[[spread**2]]], [1.0], path)
    x, cell = grid(16.0 * max(spread, 1), 1 / 64, 1)
    z, cell_z = grid(9.0, 1 / 8, 1)
    normal = np.exp(-(z[:, 0] ** 2) / 2) / np.sqrt(2 * np.pi) * cell_z
    data = mean + spread * z
    found = predicted = 0.0
    for t, s in zip(TIMES, SHARES, strict=True):
        density = np.exp(field.log_density(t, x)) * cell
        printed = path.velocity(t, x, mean + k * (x - mean))[:, 0]
        of_fm = 2 * density @ (model(theta, t, x[:, 0]) - printed)
        of_cfm = 0.0
        for one, share in zip(data[:, None], normal, strict=True):
            place = path.flow(t, z, one)
            speed = path.velocity(t, place, one)[:, 0]
            of_cfm += 2 * share * float(normal @ (model(theta, t, place[:, 0]) - speed))
        found += s * (of_fm - of_cfm)
        drift = ((k - 1 + smallest) * t * mean + (1 - k) * mean) / path.deviation(t)
        predicted += s * 2 * (mean - drift)
    size = 16 * max(spread, 1) * (1 + abs(mean)) / smallest
    rounding = Rounding(size, 4 * EXPONENT, "densities times fields up to |x|/σ_min")
    evidence.on("N(m, s²)", m=mean, s=spread, smallest=smallest).control(
        "p_1(x₁|x) in (19): ∂L_FM/∂θ₄ − ∂L_CFM/∂θ₄",
        predicted=predicted,
        measured=found,
        agreement=rounding.bound,
        because="E over N(tm, t²s² + σ_t²), or over x₀, x₁; rounding of sums, fields up to |x|/σ_min; tails",
    )


@pytest.mark.control("F5")
@pytest.mark.parametrize("spread", [0.5, 1.0, 2.0])
def test_the_losses_themselves_differ(evidence, spread):
    """Data N(0, s²), σ_min = 0: Var(ẋ_t|x_t) = s²/(t²s² + (1−t)²), whose integral over [0,1] is πs/2."""
    differences = [_difference(spread, order) for order in (28, 20)]
    evidence.on("N(0, s²)", s=spread).control(
        "L_CFM taken for L_FM at the exact field, where L_FM = 0",
        predicted=np.pi * spread / 2,
        measured=differences[0],
        agreement=abs(differences[0] - differences[1]) + 1e-13,
        because="s²∫dt/(t²s²+(1−t)²) = πs/2; two orders of quadrature in t; tails beyond 9: 10⁻¹⁸",
    )


def _difference(spread, order):
    """E|u_t(x_t) − ẋ_t|², Gauss–Legendre in t, the trapezoid rule in both noises."""
    nodes, shares = np.polynomial.legendre.leggauss(order)
    field = MixtureField([[0.0]], [[[spread**2]]], [1.0])
    z, cell = grid(9.0, 1 / 8, 1)
    weight = np.exp(-(z[:, 0] ** 2) / 2) / np.sqrt(2 * np.pi) * cell
    difference = 0.0
    for t, s in zip((nodes + 1) / 2, shares / 2, strict=True):
        x = (1 - t) * z + t * spread * z.T
        missed = field.velocity(t, x.reshape(-1, 1)).reshape(x.shape) - (spread * z.T - z)
        difference += s * float(weight @ missed**2 @ weight)
    return difference
