"""H8: independent coupling on spheres contracts normally, too, but by another path.

Assumed: uniform law on a sphere. Bounds on the ratio of Bessel functions are Amos'. Control: the straight-
line spectrum of H1, which independent coupling does not have.
"""

import numpy as np
import pytest
from flint import arb, ctx

from numerics.accuracy import EPS, Rounding
from numerics.flows.spectrum import intrinsic_dimension, jacobian, path_eigenvalues, qr_growth, slopes
from numerics.intervals.balls import above
from numerics.schedules import Linear
from theorems.normal_hyperbolicity.figures import draw_paths
from theorems.setting.independent_sphere import FAR, IndependentSphere, bracket, mean_length, mean_slope

REMAINING = 10.0 ** -np.arange(1, 6)
CONCENTRATIONS = (1 - REMAINING) * 4 / REMAINING**2
"""S = βR|x|/α² at |x| = R = 2."""


@pytest.mark.claim("H8")
@pytest.mark.parametrize("dim", [2, 3, 5])
def test_rescaled_jacobian_tends_to_the_normal_projector(evidence, dim):
    """At |x| = R: the tangential eigenvalue is A − 1, the normal one sA' − 1; both by Amos' bounds."""
    field = IndependentSphere(dim, 2.0)
    s = CONCENTRATIONS
    low, high = bracket(dim, s)
    pairs = [field.rescaled_eigenvalues(float(remaining), np.array([2.0])) for remaining in REMAINING]
    across, along = np.array(pairs)[:, :, 0].T
    on = evidence.on(f"independent coupling, S^{dim - 1}", remaining=REMAINING)
    because = "Amos: A lies between two algebraic functions of s; A' = 1 − (d−1)A/s − A² falls with A"
    rounding = Rounding(1.0, 16, "A(s), certified to 4 eps at these s (below), and a few operations")
    limit = {"because": because, "clause": "limit"}
    on.bounded("|tangential eigenvalue of (1−t)Dv_t|", np.abs(across), rounding, main=1 - low, **limit)
    steepest = s * (1 - low**2) - (dim - 1) * low
    error, of_slope = np.abs(along + 1), rounding.amplified(s, "sA' cancels terms of size s")
    on.bounded("|normal eigenvalue of (1−t)Dv_t + 1|", error, of_slope, main=np.abs(steepest), **limit)
    outside = np.maximum(low - mean_length(dim, s), mean_length(dim, s) - high).clip(0.0)
    on.bounded("A(s) outside Amos' bracket", outside, rounding, "the inequality itself")


@pytest.mark.claim("H8")
@pytest.mark.parametrize("dim", [2, 3, 5])
def test_ratio_of_bessel_functions_and_its_slope_in_balls(evidence, dim):
    """On both sides of where an expansion takes over, and at the limit's concentrations."""
    sizes = np.append([1e-3, 0.7, 30.0, 1e4, 0.9 * FAR, 1.1 * FAR, 1e3 * FAR], CONCENTRATIONS)
    length, slope = mean_length(dim, sizes), mean_slope(dim, sizes)
    with ctx.workprec(400):
        exact = [_in_balls(dim, arb(float(s))) for s in sizes]
        of_length = [above(abs(a - arb(float(found)))) for (a, _), found in zip(exact, length, strict=True)]
        of_slope = [above(abs(b - arb(float(found)))) for (_, b), found in zip(exact, slope, strict=True)]
    on = evidence.on(f"S^{dim - 1}", s=sizes)
    because = "scaled Bessel functions enclosed with 400 bits, A' by the differential equation of A"
    asked = {"because": because, "kind": "error"}
    on.certified("|A(s) − A(s) in balls|", of_length, 4 * EPS, chosen="four eps", **asked)
    lost = np.where(sizes < FAR, 4 + 16 * (dim - 1) * length / sizes, 4 * slope)
    on.certified(
        "|A'(s) − A'(s) in balls|",
        of_slope,
        EPS * lost,
        chosen="four eps and sixteen of (d−1)A/s, where the equation cancels; beyond, four eps of A' itself",
        **asked,
    )


def _in_balls(dim, s):
    """A = I_{d/2}/I_{d/2−1} and A' = 1 − (d−1)A/s − A²."""
    order = arb(dim) / 2
    a = s.bessel_i(order, scaled=True) / s.bessel_i(order - 1, scaled=True)
    return a, 1 - (dim - 1) * a / s - a * a


@pytest.mark.claim("H8")
@pytest.mark.parametrize("dim", [2, 3])
def test_closed_form_by_differences(evidence, rng, dim):
    field, remaining, widest, halvings = IndependentSphere(dim, 2.0), 0.2, 0.04, 4
    length = rng.uniform(0.5, 3, 20)
    x = np.zeros((20, dim))
    x[:, 0] = length
    found = jacobian(field.velocity, remaining, x, widest, widths=halvings + 1)
    across, along = field.rescaled_eigenvalues(remaining, length)
    exact = np.stack([along] + [across] * (dim - 1), axis=1)
    error = np.abs(remaining * np.diagonal(found.jacobian, axis1=1, axis2=2) - exact).max(axis=1)
    # (1−t)v is of size |x| + R; extrapolation at most doubles what the least half-step makes of its error
    narrow = widest / 2**halvings
    of_field = Rounding(length + field.radius, 24, "A to 4 eps, at a place rounded once; x/|x|, products")
    steep = (1 - remaining) * field.radius**2 / remaining**2  # sR/|x|, by which A' counts; s ≥ 20
    own = of_field.amplified(2 / narrow) + Rounding(1 + steep, 16, "A' as certified above, products")
    evidence.on(f"independent coupling, S^{dim - 1}", remaining=remaining).estimated(
        "|(1−t)Dv_t by differences − closed form|",
        error,
        2 * found.error + own.bound,
        by="the difference of the two highest orders of extrapolated differences",
        because="they are equal; rounding of v over the least half-step, ∏(4ᵏ+1)/(4ᵏ−1) < 2 times",
    )


def _jacobians(field, remaining, x):
    """Dv_t (n,d,d) at x (n,d) from the two eigenvalues."""
    length = np.linalg.norm(x, axis=1)
    across, along = field.rescaled_eigenvalues(float(remaining[0]), length)
    unit = x / length[:, None]
    radial = unit[:, :, None] * unit[:, None, :]
    scaled = along[:, None, None] * radial + across[:, None, None] * (np.eye(x.shape[1]) - radial)
    return scaled / remaining[:, None, None]


def _implied(rescaled, remaining):
    """The κ that H1 reads from an eigenvalue e of (1−t)Dv_t: e = (1−t)(κ−1)/(1+t(κ−1))."""
    return 1 + rescaled / (remaining - (1 - remaining) * rescaled)


@pytest.mark.claim("H8")
@pytest.mark.parametrize("dim", [2, 3, 5])
def test_exponents_by_integration(evidence, dim):
    """Symmetry gives the tangential growth log(|x_τ|/|x₀|); two tolerances estimate the error."""
    field, tau = IndependentSphere(dim, 2.0), np.array([0.1, 0.5, 1.0, 2.0, 4.0, 5.0])
    x0 = np.array([[0.5], [1.0], [3.0]]) * np.eye(dim)[0]
    tight, loose = (
        qr_growth(
            field.velocity, lambda remaining, x: _jacobians(field, remaining, x), x0, tau, tolerance=tol
        )
        for tol in (1e-9, 1e-7)
    )
    grown = np.log(np.linalg.norm(tight.points, axis=2) / np.linalg.norm(x0, axis=1))
    on = evidence.on(f"independent coupling, S^{dim - 1}")
    uncertain = 4 * np.abs(tight.log_growth - loose.log_growth).max()
    uncertain += 4 * np.abs(tight.points - loose.points).max()
    uncertain += float(Rounding(1 + np.abs(grown).max(), 6, "a length, a quotient, its logarithm").bound)
    on.estimated(
        "|tangential growth − log(|x_τ|/|x₀|)|",
        np.abs(tight.log_growth[:, :, 1:] - grown[:, :, None]),
        uncertain,
        by="the solutions' difference at tolerances 1e-7 and 1e-9",
        because="X_t(x) = ρ_t(|x|)x/|x|",
    )
    rates = slopes(tight.log_growth, tight.tau)[-1]
    _exponents_dimension_and_ends(on, field, tight, rates, uncertain)
    if dim == 2:
        _compare(on, field, tight, rates)


def _distance_of_the_end(field, start, tau):
    """A bound of ||x_τ| − R| for the linear schedule, |x₀| = start (k,).

    With ρ = |x_τ|: dρ/dτ = RA(s) − ρ, so |ρ − R| ≤ e^{−τ}|ρ₀ − R| + R∫₀^τ e^{r−τ}(1 − A(s_r))dr. As A ≥ 0,
    ρ_r ≥ e^{−r}ρ₀ and s_r ≥ (e^r − 1)Rρ₀; 1 − A falls, and Amos bounds it: an upper sum.
    """
    r = np.linspace(0.0, tau, 4001)
    least = np.maximum(np.expm1(r[:-1]) * field.radius * start[:, None], 1e-300)
    missing = 1 - bracket(field.dim, least)[0]
    integral = (np.exp(r[1:] - tau) * missing).sum(axis=1) * (r[1] - r[0])
    return np.exp(-tau) * np.abs(start - field.radius) + field.radius * integral


def _exponents_dimension_and_ends(on, field, found, rates, uncertain):
    """What independent coupling shares with OT-CFM, from τ = 4 to 5."""
    start = found.points[0, :, 0]
    bounds = np.stack([_distance_of_the_end(field, start, tau) for tau in (4.0, 5.0)])
    by = "the solutions' difference at tolerances 1e-7 and 1e-9"
    length = np.linalg.norm(found.points, axis=2)
    asked = {"by": by, "because": "Gronwall for ρ' = RA(s) − ρ, and Amos' bound of A", "clause": "ends"}
    on.estimated("||x_τ| − R| at τ = 4, 5", np.abs(length[-2:] - field.radius), bounds + uncertain, **asked)
    on.estimated(
        "|x_τ/|x_τ| − x₀/|x₀||, τ = 5: the end is that of OT-CFM",
        np.linalg.norm(found.points[-1] / length[-1][:, None] - np.eye(field.dim)[0], axis=1),
        uncertain,
        by=by,
        because="the field is radial",
        clause="ends",
    )
    rest = field.radius - bounds.max(axis=0)
    tau = np.linspace(4.0, 5.0, 101)[:, None]
    s = np.expm1(tau) * np.exp(tau) * field.radius * rest
    low = bracket(field.dim, s)[0]
    steepest = (field.radius / rest) * np.abs(s * (1 - low**2) - (field.dim - 1) * low).max(axis=0)
    on.estimated(
        "|normal exponent + 1|, |tangential exponent|: slopes from τ = 4 to 5",
        np.abs(rates + np.eye(field.dim)[0]),
        np.stack([steepest] + (field.dim - 1) * [bounds.sum(axis=0) / rest], axis=1) + 2 * uncertain,
        by=by,
        because="(R/ρ)sA' and log(ρ₅/ρ₄), ρ within its bound of R; Amos' bound of A'",
        clause="exponents",
    )
    on.estimated(
        "|dimension read off − (d − 1)|",
        np.abs(intrinsic_dimension(rates, 1.0) - (field.dim - 1)),
        0,
        by=by,
        because="integers agree or differ by 1",
        clause="dimension",
    )


def _optimal(remaining):
    """Eigenvalues of (1−t)Dv_t under OT-CFM from |x₀| = 1, where κ = 2 on T."""
    return path_eigenvalues(Linear(), [[0.0, 2.0]], remaining=remaining)[:, 0] * remaining[:, None]


def _independent(field, remaining, length):
    """The same under independent coupling at |x_t| = length, normal first."""
    pairs = [
        field.rescaled_eigenvalues(float(g), np.array([n])) for g, n in zip(remaining, length, strict=True)
    ]
    return np.array(pairs)[:, ::-1, 0]


def _compare(on, field, found, rates):
    """The table and the picture of what does and what does not tell the two couplings apart."""
    remaining, length = np.exp(-found.tau[1:]), found.points[1:, 1, 0]
    optimal, independent = _optimal(remaining), _independent(field, remaining, length)
    early = slice(0, 4)
    implied = [_implied(values[early, 1], remaining[early]) for values in (optimal, independent)]
    ends = remaining[-1] + 2 * (1 - remaining[-1]), length[-1]
    rows = [
        ("eigenvalues of (1−t)Dv_t, 1−t = e^−5", optimal[-1], independent[-1], "no: both tend to −1, 0"),
        ("exponents, slopes from τ = 4 to 5", [-1.0, 0.0], rates[1], "no: −1 and 0"),
        ("dimension read off", 1, intrinsic_dimension(rates[1], 1.0), "no"),
        ("|X_t(x₀)|, 1−t = e^−5", *ends, "no: both end at R x₀/|x₀|"),
        ("t of the rows below", 1 - remaining[early], 1 - remaining[early], ""),
        ("normal eigenvalue of (1−t)Dv_t", optimal[early, 0], independent[early, 0], "yes: −1 at every t"),
        ("κ that H1 reads from the tangential eigenvalue", *implied, "yes: one κ ≥ 0 at every t"),
    ]
    on.table(
        "What does and what does not distinguish OT-CFM from independent coupling: circle, R = 2, |x₀| = 1",
        ("what", "OT-CFM", "independent coupling", "distinguishes"),
        [(name, _listed(values), _listed(others), verdict) for name, values, others, verdict in rows],
    )
    _draw(on, field)


def _listed(values):
    return ", ".join(f"{v:.4g}" for v in np.atleast_1d(values))


def _draw(on, field):
    t = np.linspace(0.02, 0.99, 98)
    path = qr_growth(
        field.velocity,
        lambda remaining, x: _jacobians(field, remaining, x),
        [[1.0, 0.0]],
        -np.log(1 - t),
        tolerance=1e-7,
    )
    independent = _independent(field, 1 - t, path.points[1:, 0, 0])
    on.figure(
        "What does and what does not distinguish OT-CFM: one trajectory on the circle, |x₀| = 1",
        "Both normal eigenvalues end at −1 and both tangential ones at 0; OT-CFM's normal one is −1 "
        "throughout, and independent coupling's tangential one breaks the bound of P5",
        lambda figure: draw_paths(figure, t, _optimal(1 - t), independent, (1 - t) / t),
    )


@pytest.mark.control("H8")
@pytest.mark.parametrize("remaining", [0.5, 0.2, 0.05])
def test_finite_time_spectrum_tells_them_apart(evidence, remaining):
    """In R³ A = coth s − 1/s: the eigenvalues are RA/|x| − 1 and sA'R/|x| − 1, where H1 has others."""
    field, length = IndependentSphere(3, 2.0), np.array([2.5])
    s = (1 - remaining) * 2.0 * 2.5 / remaining**2
    mean, slope = 1 / np.tanh(s) - 1 / s, 1 / s**2 - 1 / np.sinh(min(s, 300.0)) ** 2
    kappa = 2.0 * remaining / (2.5 - (1 - remaining) * 2.0)
    exact = float(path_eigenvalues(Linear(), [[kappa]], remaining=remaining)[0, 0] * remaining)
    across, along = field.rescaled_eigenvalues(remaining, length)
    on = evidence.on("independent coupling, S²", remaining=remaining)
    on.control(
        "optimal coupling replaced by the independent one: tangential eigenvalue of (1−t)Dv_t at |x| = 2.5",
        predicted=-1 + 2.0 * mean / 2.5,
        measured=across,
        agreement=64 * EPS,
        because="coth s − 1/s against scaled Bessel functions of half-integer order",
        intact=exact,
    )
    on.control(
        "optimal coupling replaced by the independent one: normal eigenvalue of (1−t)Dv_t at |x| = 2.5",
        predicted=-1 + 2.0 * s * slope / 2.5,
        measured=along,
        agreement=64 * EPS * s**2,
        because="1/s² − 1/sinh²s against Bessel's differential equation, which loses eps·s² of it",
        intact=-1.0,
    )
