"""H4: Lyapunov exponents −γ on the normal space and 0 off it, exactly and from K.

Assumed: A1–A5 and SC with γ = 1, p and 1/2. Exact: SymPy's limits with symbolic parameters. From K: slopes
of log σ for every family, until K's rounding hides the normal directions, and with exact zeros until
e^{−γτ} nearly underflows. The third route, integration of the field, is `test_integration`.
"""

import numpy as np
import pytest
from hypothesis import strategies as st

from numerics.accuracy import EPS, Rounding
from numerics.flows.spectrum import path_singular_values, slopes, stretches
from numerics.potentials import Sphere
from numerics.schedules import Linear, Logarithmic, Polynomial, Trigonometric, VariancePreserving
from theorems.normal_hyperbolicity import extended
from theorems.normal_hyperbolicity.assumptions import at_points
from theorems.normal_hyperbolicity.bundles import bundles, coefficients
from theorems.normal_hyperbolicity.left_out import DEEP, LeftOut
from theorems.setting.draws import generator
from theorems.setting.quantifiers import HYPERBOLIC, SEEDS, WITH_A_MANIFOLD, for_all
from theorems.setting.values import Values

RESOLVED, SHALLOW = 1e-3, 1e-2
hyperbolic = st.one_of(
    st.integers(1, 16).map(lambda k: Polynomial(k / 4)),
    st.sampled_from([Linear(), Trigonometric(), VariancePreserving()]),
)
OF_ORDER = Values(hyperbolic, VariancePreserving(), HYPERBOLIC)


@pytest.mark.claim("H4")
def test_limits_symbolically(evidence):
    import sympy as sp

    tau, k, p, radius, r, sigma = sp.symbols("tau kappa p R r sigma", positive=True)
    stretches_of = {"κ > 0": k, "sphere, κ = R/|x₀|": radius / r, "degenerate Gaussian, κ = σ": sigma}
    for name, kappa in stretches_of.items():
        growth = sp.log(sp.exp(-tau) + (1 - sp.exp(-tau)) * kappa)
        evidence.exact(f"lim log σ/τ = 0, {name}", sp.limit(growth / tau, tau, sp.oo) == 0, "linear schedule")
    a, b, h = sp.symbols("a b h", positive=True)
    growth = sp.log(sp.exp(-tau) + (1 - sp.exp(-tau)) * a * b * r**2 / h**3)
    evidence.exact("lim log σ/τ = 0, ellipse", sp.limit(growth / tau, tau, sp.oo) == 0, "a, b, |x₀|, h > 0")
    normal = sp.simplify(sp.expand_log(sp.log(sp.exp(-p * tau)), force=True) / tau)
    evidence.exact("log α/τ = −p for α = (1−t)^p", normal == -p, "all p, τ > 0")
    s = sp.Symbol("s", positive=True)
    rates = {
        "cos(πt/2)": (sp.sin(sp.pi * s / 2), -1),
        "√(1−t²)": (sp.sqrt(s * (2 - s)), -sp.Rational(1, 2)),
        "(1−t)^p": (s**p, -p),
        "1/(1−log(1−t))": (1 / (1 - sp.log(s)), 0),
    }
    for name, (alpha, rate) in rates.items():
        limit = sp.limit(sp.simplify(-s * sp.diff(alpha, s) / alpha), s, 0)
        evidence.exact(f"(1−t)α̇/α → {rate} for α = {name}", sp.simplify(limit - rate) == 0, "t → 1")


@pytest.mark.claim("H4")
def test_ellipsoid_symbolically(evidence):
    """In R³ K has the eigenvalues 0 and two roots of κ² − e₁κ + e₂, e₁, e₂ > 0: both positive, as K ≽ 0."""
    import sympy as sp

    x, axes = sp.Matrix(sp.symbols("x y z", real=True)), sp.symbols("a b c", positive=True)
    alpha, beta, h = sp.symbols("alpha beta h", positive=True)
    matrix = sp.diag(*axes)
    kernel = matrix / h - (matrix * x) * (matrix * x).T / h**3
    square = (x.T * matrix * x)[0]
    first, second = kernel.trace(), (kernel.trace() ** 2 - (kernel * kernel).trace()) / 2
    pairs = [axes[i] * axes[j] * x[j] ** 2 for i in range(3) for j in range(3) if i != j]
    whole = (alpha * sp.eye(3) + beta * kernel).det()
    domain = "ellipsoid in R³, all x₀ ≠ 0, a, b, c > 0; κ > 0 has exponent 0, κ = 0 has −γ"

    def vanishes(expression):
        return sp.rem(sp.numer(sp.together(expression)), h**2 - square, h) == 0

    evidence.exact("K x₀ = 0", [vanishes(entry) for entry in kernel * x], domain)
    evidence.exact("e₁ = Σ_{i≠j} a_i a_j x_j²/h³ > 0", vanishes(first - sum(pairs) / h**3), domain)
    evidence.exact("e₂ = abc|x₀|²/h⁴ > 0", vanishes(second - sp.prod(axes) * x.dot(x) / h**4), domain)
    path = alpha * (alpha**2 + alpha * beta * first + beta**2 * second)
    evidence.exact("det(αI+βK) = α(α² + αβe₁ + β²e₂)", vanishes(whole - path), domain)


def _remainders(schedule, tau, kappa):
    """How far slopes from τ on may be from −γ and 0: SC's remainder, and (1−t)(|α̇| + β̇κ)/(α+βκ)."""
    alpha, beta, fall, rise = coefficients(schedule, float(np.exp(-tau)))
    remaining = np.exp(-tau)
    tangent = remaining * np.abs(fall) / (beta * np.maximum(kappa, 1e-300)) + remaining * rise / beta
    remainder = abs(remaining * fall / alpha + schedule.terminal_order)
    return min(remainder, remaining), np.minimum(
        tangent, 1e3
    )  # by Taylor at most 1−t, whatever α̇ is said to be


@for_all("H4", target=WITH_A_MANIFOLD, schedule=OF_ORDER, seed=SEEDS)
def test_exponents_from_k_as_a_matrix(evidence, target, schedule, seed):
    order, left = schedule.terminal_order, LeftOut(target, SHALLOW)
    tau = np.array([8.0, 9.0]) / order
    shares = [coefficients(schedule, float(np.exp(-now)))[:2] for now in tau]
    for bundle in bundles(target, 100, generator(seed)):
        kernel = target.transport_jacobian(bundle.x0)
        sigma = [np.linalg.eigvalsh(a * np.eye(target.dim) + b * kernel)[:, ::-1] for a, b in shares]
        slope = slopes(np.log(sigma), tau)[0]
        m = bundle.dimension
        normal, tangent = _remainders(schedule, tau[0], 1 / np.linalg.eigvalsh(bundle.hessian))
        stated = target.roundings.transport_jacobian(bundle.x0).amplified(1 / shares[1][0], "K over α")
        own = Rounding(
            np.linalg.norm(kernel, axis=(1, 2)) / shares[1][0] + 1, 8 * target.dim, "eigenvalues over α"
        )
        noise = (stated + own).amplified(2 / (tau[1] - tau[0]), "log σ, over the difference of times")
        seen = left.keep(bundle.x0, bundle.x1, noise.bound < RESOLVED)
        if not seen.size:
            continue
        margins = at_points(target, bundle.x0[seen], schedule, float(np.exp(-tau[0])))
        on = evidence.on(target, schedule=schedule, seed=seed, margins=margins)
        asked = {
            "because": "mean value of (1−t)(α̇+β̇κ)/(α+βκ), and SC's remainder",
            "left_out": len(bundle.x0) - len(seen),
            "chosen": f"left out where K's rounding over α moves an exponent by more than {RESOLVED:g}",
        }
        if m < target.dim:
            error = np.abs(slope[seen, m:] + order).max(axis=1)
            on.bounded("|exponent + γ| on N", error, noise[seen], main=normal, clause="normal", **asked)
        if m:
            error, main = np.abs(slope[seen, :m]).max(axis=1), tangent.max(axis=1)[seen]
            on.bounded("|exponent| on T", error, noise[seen], main=main, clause="tangential", **asked)
    evidence.on(target, schedule=schedule, seed=seed).estimated(DEEP, left.deep, 0, **left.basis(None))


@for_all("H4", target=WITH_A_MANIFOLD, schedule=OF_ORDER, seed=SEEDS)
def test_exponents_of_mixed_directions(evidence, target, schedule, seed):
    """|DX_t u|² = Σσ_i²u_i²: its logarithmic rate is the mean of the rates with these weights.

    The rates on T are at most r, on N at most γ + r' in size, and N has at most the share
    α²|u_N|²/(β²κ²|u_T|²), κ the least on T; all fall with τ, so that the mean value over [τ, τ'] is no more.
    """
    order, rng, left = schedule.terminal_order, generator(seed), LeftOut(target, SHALLOW)
    tau = np.array([10.0, 11.0]) / order
    shares = [coefficients(schedule, float(np.exp(-now)))[:2] for now in tau]
    for bundle in bundles(target, 100, rng):
        if not 0 < bundle.dimension < target.dim:
            continue  # there is no direction off N and off T
        kernel = target.transport_jacobian(bundle.x0)
        u = rng.standard_normal((*bundle.x0.shape, 1))
        lengths = [np.linalg.norm(a * u + b * kernel @ u, axis=(1, 2)) for a, b in shares]
        slope = (np.log(lengths[1]) - np.log(lengths[0])) / (tau[1] - tau[0])
        along = np.linalg.norm(bundle.tangent.transpose(0, 2, 1) @ u, axis=(1, 2))
        across = np.linalg.norm(bundle.spread(np.zeros_like(bundle.hessian), 1.0) @ u, axis=(1, 2))
        kappa = 1 / np.linalg.eigvalsh(bundle.hessian)
        normal, tangent = _remainders(schedule, tau[0], kappa)
        share = (shares[0][0] * across / (shares[0][1] * kappa.min(axis=1) * along)) ** 2
        stated = target.roundings.transport_jacobian(bundle.x0).bound
        stated = stated + 16 * target.dim * EPS * (1 + np.linalg.norm(kernel, axis=(1, 2)))
        relative = stated * np.linalg.norm(u, axis=(1, 2)) / np.minimum(*lengths)
        noise = Rounding.measured(4 * relative / (tau[1] - tau[0]), "K, and log|DX_t u| over the times")
        seen = left.keep(bundle.x0, bundle.x1, noise.bound < RESOLVED)
        if not seen.size:
            continue
        margins = at_points(target, bundle.x0[seen], schedule, float(np.exp(-tau[0])))
        evidence.on(target, schedule=schedule, seed=seed, margins=margins).bounded(
            "|exponent| for u off N and off T",
            np.abs(slope[seen]),
            noise[seen],
            because="a mean of rates, of which N's have the share of α²|u_N|²/(βκ|u_T|)²",
            main=(tangent.max(axis=1) + (order + normal) * np.minimum(share, 1.0))[seen],
            left_out=len(bundle.x0) - len(seen),
            chosen=f"left out where K's rounding moves an exponent by more than {RESOLVED:g}",
            clause="mixed",
        )
    if left.points:
        evidence.on(target, schedule=schedule, seed=seed).estimated(DEEP, left.deep, 0, **left.basis("mixed"))


@for_all("H4", target=WITH_A_MANIFOLD, schedule=OF_ORDER.but(usual=Trigonometric()), seed=SEEDS)
def test_exponents_far_out(evidence, target, schedule, seed):
    """Arithmetic of the schedule at α = e^{−400}: the m curvatures are H's, the d − m zeros of K are H1's.

    So on N it measures the schedule alone, and nothing of the target; what measures K's zeros so far out is
    the next check, for closed forms, and as far as float64 goes the one before and the integrated field.
    """
    order = schedule.terminal_order
    tau = np.array([399.0, 400.0]) / max(order, 1.0)
    for bundle in bundles(target, 100, generator(seed)):
        kappa = np.zeros(bundle.x0.shape)
        m = bundle.dimension
        kappa[:, :m] = 1 / np.linalg.eigvalsh(bundle.hessian)
        sigma = path_singular_values(schedule, kappa, remaining=np.exp(-tau))
        slope = slopes(np.log(sigma), tau)[0]
        normal, tangent = _remainders(schedule, tau[0], kappa[:, :m])
        size = tau[1] * max(order, 1.0) / (tau[1] - tau[0])
        rounding = Rounding(size, 8, "e^−τ, σ and log σ at two times, over their difference")
        margins = at_points(target, bundle.x0, schedule, float(np.exp(-tau[0])))
        on = evidence.on(target, schedule=schedule, seed=seed, margins=margins)
        because = "SC's remainder"
        if m < target.dim:
            error = np.abs(slope[:, m:] + order)
            on.bounded("|rate of log α + γ|, α = e^−400, κ = 0 put in", error, rounding, because, main=normal)
        if m:
            error = np.abs(slope[:, :m])
            on.bounded("|exponent| of κ = 1/H, α = e^−400", error, rounding, because, main=tangent)


@pytest.mark.claim("H4")
@pytest.mark.parametrize("closed", extended.CLOSED, ids=lambda closed: repr(closed.target)[:40])
def test_exponents_far_out_in_extended_precision(evidence, rng, closed):
    """At 1 − t = e^{−400}, from the flow map alone: 400 digits tell what is zero of DT from α."""
    target, tau = closed.target, np.array([399.0, 400.0])
    for schedule in (Linear(), VariancePreserving()):
        order = schedule.terminal_order
        for bundle in bundles(target, 4, rng):
            u, m = rng.standard_normal(bundle.x0.shape), bundle.dimension
            grown = [
                extended.growth(closed, schedule, x, v, tau, digits=400)
                for x, v in zip(bundle.x0, u, strict=True)
            ]
            rates = np.array([s[1] - s[0] for s, _ in grown])
            kappa = 1 / np.linalg.eigvalsh(bundle.hessian)
            normal, tangent = _remainders(schedule, tau[0], kappa)
            logs = Rounding(tau[1] * max(order, 1.0), 4, "log σ at two times")
            margins = at_points(target, bundle.x0, schedule, float(np.exp(-tau[0])))
            on = evidence.on(target, schedule=schedule, margins=margins)
            because = "SC's remainder; truncation and rounding of 400 digits are below α/10²⁰"
            if m < target.dim:
                off = np.abs(rates[:, : target.dim - m] + order)
                on.bounded("|exponent + γ| on N at τ = 400", off, logs, because, main=normal, clause="normal")
            if m:
                on.bounded(
                    "|exponent| on T at τ = 400",
                    np.abs(rates[:, target.dim - m :]).max(axis=1),
                    logs,
                    because,
                    main=tangent.max(axis=1),
                    clause="tangential",
                )
            if 0 < m < target.dim:
                on.bounded(
                    "|exponent| for u off N and off T at τ = 400",
                    np.abs([length[1] - length[0] for _, length in grown]),
                    logs,
                    because,
                    main=tangent.max(axis=1),
                    clause="mixed",
                )


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("H4")
@pytest.mark.parametrize("tau", [5.0, 20.0, 100.0])
def test_logarithmic_schedule_has_no_exponents(evidence, rng, tau):
    """SC fails, γ = 0: the normal slope is −log((2+τ)/(1+τ)), which dies out."""
    kappa = stretches(Sphere(3, 2.0), rng.standard_normal((20, 3)))
    times = np.array([tau, tau + 1])
    growth = np.log(path_singular_values(Logarithmic(), kappa, remaining=np.exp(-times)))
    evidence.on(Sphere(3, 2.0), schedule=Logarithmic(), tau=tau).control(
        "a schedule with γ = 0: exponent on N",
        predicted=-np.log((2 + tau) / (1 + tau)),
        measured=slopes(growth, times)[0, :, -1],
        agreement=Rounding(2 * tau, 8, "e^−τ, σ and log σ at two times").bound,
        because="log α = −log(1+τ) at both times; rounding of e^−τ and of its logarithm",
        intact=-1.0,
    )


@pytest.mark.control("H4")
@pytest.mark.parametrize("schedule", HYPERBOLIC, ids=repr)
def test_naive_estimator_is_biased(evidence, schedule):
    """(1/τ)log σ instead of the slope errs by log(α+βκ)/τ on T: for κ = 0.3 by −0.24 at τ = 5."""
    tau, kappa = 5.0, np.array([[0.3]])
    sigma = path_singular_values(schedule, kappa, remaining=np.exp(-tau))
    alpha, beta, *_ = coefficients(schedule, float(np.exp(-tau)))
    evidence.on("κ = 0.3, τ = 5", schedule=schedule).control(
        "the quotient log σ/τ instead of the slope",
        predicted=np.log1p(alpha + beta * 0.3 - 1) / tau,
        measured=np.log(sigma[0, 0]) / tau,
        agreement=Rounding(1.0, 8, "σ, its logarithm, a quotient").bound,
        because="the closed form of log(α+βκ)/τ",
        intact=0.0,
    )
