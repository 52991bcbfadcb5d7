r"""N3 (4): to first order, an error of the field counts by K(αI + βK)⁻¹; its part in ker K gives nothing.

Proof. D_t, the derivative of the path in ε, solves D' = Dv_t(x_t)D + e with Dv = (α̇I + β̇K)(αI + βK)⁻¹
(N1), so D_t = ∫_s^t (α_tI + β_tK)(α_rI + β_rK)⁻¹e_r dr, and its u-part is K(αI+βK)⁻¹e integrated; (2)
bounds the tail. An impulse k at r gives K(α_rI + β_rK)⁻¹k.

Assumed: φ* has an Aleksandrov expansion at x₀ (almost every x₀). A remainder of order ε is estimated by
halving ε.
"""

import numpy as np
import pytest

from numerics.accuracy import Rounding
from numerics.flows.exact import ExactField
from numerics.flows.perturbed import kick_bound, kicked, response, solved_end
from numerics.geometry import norms
from numerics.potentials import (
    DegenerateGaussian,
    Sphere,
)
from numerics.schedules import Linear, Trigonometric, VariancePreserving
from theorems.setting.instances import chosen
from theorems.stability.tame_noise import CHOSEN, tame

BODY, LINE = chosen("second ellipsoid", "tilted line")
NOISE = np.array([[0.7, -0.4, 1.1]])
SMOOTH = chosen(
    "second ellipsoid",
    "sphere of radius 2",
    "tilted line",
    "exponential law",
    "orthonormal frames",
    "rotations",
    "ellipse as a curve",
    "cylinder",
    "circle in space",
)
"""Where T is smooth almost everywhere and not constant."""
NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)


def _error(t):
    return np.array([[np.cos(3 * t), 1.0, t]])


@pytest.mark.claim("N3")
@pytest.mark.parametrize("schedule", [Linear(), Trigonometric(), VariancePreserving()], ids=repr)
@pytest.mark.parametrize("target", SMOOTH, ids=lambda t: type(t).__name__)
def test_impulses_count_by_the_spread(evidence, rng, target, schedule):
    """On the path of x₀, five impulses of size ε, ε/2, ε/4: what is left is of order ε."""
    field, n, epsilon = ExactField(target, schedule), 12, 1e-5
    s, at = 0.2, [0.2, 0.35, 0.6, 0.8, 0.95]
    x0 = rng.standard_normal((n, target.dim))
    held = tame(target, x0)  # elsewhere 1e-5 of the data's size is no small impulse
    x0 = x0[held]
    spread = target.transport_jacobian(x0)
    kicks = target.scale * rng.standard_normal((len(at), len(x0), target.dim))
    predicted = response(spread, schedule, at, kicks, np.ones(len(at)))
    found, off = [], 0.0
    for share in (1.0, 0.5, 0.25):
        path = kicked(field, s, field.flow(s, x0), at, share * epsilon * kicks)
        found.append((path.data[-1] - path.data[0]) / (share * epsilon))
        slip = kick_bound(np.atleast_1d(schedule.beta(np.array(at))), path.slips)
        off = (path.of_data[0] + path.of_data[-1] + slip) / (share * epsilon)
    of_spread = target.roundings.transport_jacobian(x0).bound / np.atleast_1d(schedule.alpha(0.95))
    halved, again = norms(found[0] - found[1]), norms(found[1] - found[2])
    evidence.on(target, schedule=schedule).estimated(
        "|(u(Y) − x₁)/ε − Σ K(αI+βK)⁻¹e|",
        norms(found[0] - predicted),
        4 * (halved + again) + 2 * off + of_spread * norms(kicks).sum(axis=0) * 4,
        by="halving ε twice: a remainder of order ε is twice the first change",
        because="the derivative of u along the path; roundings over ε",
        clause="response",
        left_out=int((~held).sum()),
        chosen=CHOSEN,
    )


@pytest.mark.claim("N3")
def test_linear_transport_responds_exactly(evidence, rng):
    """Gaussian data, of rank 1 in the plane: impulses of any size, without remainder."""
    field, at = ExactField(LINE, Trigonometric()), [0.3, 0.5, 0.9]
    x0, kicks = rng.standard_normal((50, 2)), rng.standard_normal((3, 50, 2))
    path = kicked(field, 0.2, field.flow(0.2, x0), at, kicks)
    predicted = response(LINE.transport_jacobian(x0), field.schedule, at, kicks, np.ones(3))
    beta = np.atleast_1d(field.schedule.beta(np.array(at)))
    evidence.on(LINE, schedule=field.schedule).bounded(
        "|u(Y) − u(s, Y_s) − Σ K(αI+βK)⁻¹ kick|",
        norms(path.data[-1] - path.data[0] - predicted),
        Rounding.measured(
            path.of_data[0] + path.of_data[-1] + kick_bound(beta, path.slips),
            "prox at both ends and at impulses",
        )
        + Rounding(
            kick_bound(beta, norms(kicks)) + norms(predicted), 64, "eigenvectors of K, products, sums"
        ),
        because="T is affine, so the response has no remainder",
        clause="response",
    )


@pytest.mark.claim("N3")
def test_solved_paths_on_an_ellipsoid(evidence):
    """x₀ = (.7, −.4, 1.1), e = (cos 3t, 1, t) from s = .05: prediction by quadrature, paths by DOP853."""
    s, field = 0.05, ExactField(BODY)
    t = s + (1 - s) * (NODES + 1) / 2
    errors, weights = np.array([_error(r) for r in t]), WEIGHTS * (1 - s) / 2
    predicted = response(BODY.transport_jacobian(NOISE), Linear(), t, errors, weights)[0]
    normal, image = NOISE[0] / norms(NOISE), BODY.transport(NOISE)[0]
    start, rows = field.flow(s, NOISE), []
    on = evidence.on(BODY, s=s)
    for epsilon in (1e-3, 1e-4):
        found = []
        for share, tol in ((1.0, 1e-11), (1.0, 1e-9), (0.5, 1e-11)):
            end = solved_end(field, s, start, lambda r, _, e=share * epsilon: e * _error(r), tolerance=tol)
            found.append((end[0] - image) / (share * epsilon))
        remainder, solver = norms(found[0] - found[2]), norms(found[0] - found[1])
        on.estimated(
            "|(Y₁ − x₁)/ε − ∫K(αI+βK)⁻¹e| of a solved path",
            float(norms(found[0] - predicted)),
            float(3 * remainder + 4 * solver),
            by="halving ε, and two tolerances of the integrator",
            because="a remainder of order ε is twice the change; the rest is the integrator's",
            clause="response",
        )
        on.estimated(
            "|normal part of the response| of a solved path",
            abs(float(found[0] @ normal)),
            3 * abs(float((found[0] - found[2]) @ normal)) + float(4 * solver),
            by="halving ε, and two tolerances of the integrator",
            because="x₀ spans ker K: to first order an error in it gives nothing",
            clause="response",
        )
        rows.append([epsilon, *found[0], float(found[0] @ normal)])
    rows.append(["predicted", *predicted, 0.0])
    on.table("ellipsoid: response of the end to e = (cos 3t, 1, t)", ["ε", "x", "y", "z", "along x₀"], rows)


@pytest.mark.claim("N3")
@pytest.mark.parametrize("kappa", [0.25, 2.0, 8.0])
def test_constant_tangential_error_on_the_circle(evidence, kappa):
    """From s → 0: ∫₀¹κ/(1−t+κt)dt = κ log κ/(κ−1), κ = R/|x₀|."""
    target, x0 = Sphere(2, 2.0), np.array([[2.0 / kappa, 0.0]])
    t, w = (NODES + 1) / 2, WEIGHTS / 2
    errors = np.broadcast_to([[0.0, 1.0]], (len(t), 1, 2))
    spread = target.transport_jacobian(x0)
    found = response(spread, Linear(), t, errors, w)[0, 1]
    few, weights = np.polynomial.legendre.leggauss(32)
    again = response(spread, Linear(), (few + 1) / 2, errors[:32], weights / 2)[0, 1]
    of_spread = target.roundings.transport_jacobian(x0)[0] + Rounding(kappa, 32, "eigenvectors of K")
    own = of_spread.amplified(found / kappa, "κ/(α + βκ)") + Rounding(found, len(t) + 16, "a sum; log κ")
    evidence.on(target, kappa=kappa).estimated(
        "|response − κ log κ/(κ−1)|",
        abs(found - kappa * np.log(kappa) / (kappa - 1)),
        2 * abs(found - again) + float(own.bound),
        by="quadratures of two orders",
        because="K = κ along the circle",
        clause="response",
    )


# --- control --------------------------------------------------------------------------------------------


@pytest.mark.control("N3")
def test_the_spread_alone_is_the_wrong_weight(evidence, rng):
    """K in place of K(αI+βK)⁻¹, Gaussian data of deviation σ: wrong by α + βσ."""
    sigma, at = 1.5, [0.4]
    target = DegenerateGaussian([0.0], [[sigma**2]])
    field, x0 = ExactField(target), rng.standard_normal((20, 1))
    path = kicked(field, 0.4, field.flow(0.4, x0), at, np.ones((1, 20, 1)))
    off = path.of_data[0] + path.of_data[-1] + kick_bound(at, path.slips)
    evidence.on(target).control(
        "response by K alone, over what is found",
        predicted=0.6 + 0.4 * sigma,
        measured=sigma / norms(path.data[-1] - path.data[0]),
        agreement=8 * off,
        because="u moves by σ/(α+βσ) for an impulse 1; rounding",
        intact=1.0,
    )
