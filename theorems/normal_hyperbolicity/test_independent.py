"""H8: independent coupling on spheres contracts normally, too, but by another path.

Assumed: uniform law on a sphere. Bounds on the ratio of Bessel functions are Amos'. Control: the straight-
line spectrum of H1, which independent coupling does not have.
"""

import numpy as np
import pytest

from numerics.flows.spectrum import jacobian, path_eigenvalues, qr_growth, slopes
from numerics.schedules import Linear
from theorems.normal_hyperbolicity.figures import draw_paths
from theorems.normal_hyperbolicity.independent import IndependentSphere, bracket, mean_length

EPS = np.finfo(float).eps
GAPS = 10.0 ** -np.arange(1, 6)


@pytest.mark.claim("H8")
@pytest.mark.parametrize("dim", [2, 3, 5])
@pytest.mark.parametrize("gap", GAPS)
def test_rescaled_jacobian_tends_to_the_normal_projector(evidence, dim, gap):
    """At |x| = R: the tangential eigenvalue is A − 1, the normal one sA' − 1; both by Amos' bounds."""
    field = IndependentSphere(dim, 2.0)
    s = (1 - gap) * 4 / gap**2
    low, high = bracket(dim, np.array([s]))
    across, along = field.rescaled_eigenvalues(gap, np.array([2.0]))
    on = evidence.on(f"independent coupling, S^{dim - 1}", remaining=gap)
    because = "Amos: A lies between two algebraic functions of s; A' = 1 − (d−1)A/s − A² falls with A"
    on.certified("|tangential eigenvalue of (1−t)Dv_t|", np.abs(across), 1 - low + 64 * EPS, because)
    steepest = s * (1 - low**2) - (dim - 1) * low
    rounding = 64 * EPS * s
    on.certified(
        "|normal eigenvalue of (1−t)Dv_t + 1|", np.abs(along + 1), np.abs(steepest) + rounding, because
    )
    inside = np.maximum(low - mean_length(dim, np.array([s])), mean_length(dim, np.array([s])) - high)
    on.certified("A(s) outside Amos' bracket", inside, 64 * EPS, "the inequality itself, and rounding")


@pytest.mark.claim("H8")
@pytest.mark.parametrize("dim", [2, 3])
def test_closed_form_by_differences(evidence, rng, dim):
    field, gap = IndependentSphere(dim, 2.0), 0.2
    length = rng.uniform(0.5, 3, 20)
    x = np.zeros((20, dim))
    x[:, 0] = length
    found = jacobian(field.velocity, gap, x, 0.04, levels=5)
    across, along = field.rescaled_eigenvalues(gap, length)
    exact = np.stack([along] + [across] * (dim - 1), axis=1)
    error = np.abs(gap * np.diagonal(found.jacobian, axis1=1, axis2=2) - exact).max(axis=1)
    evidence.on(f"independent coupling, S^{dim - 1}", remaining=gap).certified(
        "|(1−t)Dv_t by differences − closed form|",
        error,
        2 * found.error + 1e4 * EPS / gap**2,
        because="truncation estimated by two orders' difference; rounding of v over a half-step of 0.0025",
    )


@pytest.mark.claim("H8")
def test_exponents_by_integration(evidence):
    """Symmetry gives the tangential growth log(|x_τ|/|x₀|); two tolerances bound the integrator's error."""
    field = IndependentSphere(2, 2.0)
    x0 = np.array([[0.5, 0.0], [1.0, 0.0], [3.0, 0.0]])
    eye = np.eye(2)

    def derivative(gap, x):
        across, along = zip(
            *(
                field.rescaled_eigenvalues(float(g), np.array([n]))
                for g, n in zip(gap, np.linalg.norm(x, axis=1), strict=True)
            ),
            strict=True,
        )
        unit = x / np.linalg.norm(x, axis=1, keepdims=True)
        radial = unit[:, :, None] * unit[:, None, :]
        scaled = np.array(along)[:, :, None] * radial + np.array(across)[:, :, None] * (eye - radial)
        return scaled / gap[:, None, None]

    tight, loose = (
        qr_growth(field.velocity, derivative, x0, [2.0, 4.0, 5.0], tolerance=tol) for tol in (1e-9, 1e-7)
    )
    grown = np.log(np.linalg.norm(tight.points, axis=2) / np.linalg.norm(x0, axis=1))
    on = evidence.on("independent coupling, S^1")
    uncertain = 4 * np.abs(tight.log_growth - loose.log_growth).max()
    uncertain += 4 * np.abs(tight.points - loose.points).max() + 64 * EPS
    on.certified(
        "|tangential growth − log(|x_τ|/|x₀|)|",
        np.abs(tight.log_growth[:, :, 1] - grown),
        uncertain,
        because="X_t(x) = ρ_t(|x|)x/|x|; two tolerances bound the integrator's error",
    )
    rates = slopes(tight.log_growth, tight.tau)[-1]
    rows = [
        (float(n), *(float(v) for v in np.round(r, 4))) for n, r in zip([0.5, 1.0, 3.0], rates, strict=True)
    ]
    on.table(
        "Independent coupling on the circle: slopes from τ = 4 to 5", ("|x₀|", "normal", "tangential"), rows
    )
    gaps = 10.0 ** np.linspace(-0.05, -4, 80)
    independent = np.array([field.rescaled_eigenvalues(float(g), np.array([2.0]))[0][0] for g in gaps])
    optimal = path_eigenvalues(Linear(), [[2 / 1.1]], remaining=gaps)[:, 0, 0] * gaps
    on.figure(
        "What does and what does not distinguish OT-CFM: tangential eigenvalue of (1−t)Dv_t",
        "Both couplings tend to 0; OT-CFM at order 1−t, independent coupling on the circle at (1−t)²",
        lambda figure: draw_paths(figure, gaps, optimal, independent),
    )


@pytest.mark.control("H8")
@pytest.mark.parametrize("gap", [0.5, 0.2, 0.05])
def test_finite_time_spectrum_tells_them_apart(evidence, gap):
    """In R³ A = coth s − 1/s: the eigenvalue is RA/|x| − 1, where H1 has (1−t)(κ−1)/(1+t(κ−1))."""
    field, length = IndependentSphere(3, 2.0), np.array([2.5])
    s = (1 - gap) * 2.0 * 2.5 / gap**2
    mean = 1 / np.tanh(s) - 1 / s
    kappa = 2.0 * gap / (2.5 - (1 - gap) * 2.0)
    exact = float(path_eigenvalues(Linear(), [[kappa]], remaining=gap)[0, 0] * gap)
    evidence.on("independent coupling, S²", remaining=gap).control(
        "optimal coupling replaced by the independent one: tangential eigenvalue of (1−t)Dv_t at |x| = 2.5",
        predicted=-1 + 2.0 * mean / 2.5,
        measured=field.rescaled_eigenvalues(gap, length)[0],
        agreement=64 * EPS,
        because="coth s − 1/s against scaled Bessel functions of half-integer order",
        intact=exact,
    )
