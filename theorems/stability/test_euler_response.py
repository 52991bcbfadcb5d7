r"""N3 (5), to first order: which errors of Euler's steps matter.

An error at step k < n−1 counts by K(αI+βK)⁻¹/n at t_{k+1}: not at all along ker K. The last one counts
whole, 1/n.

Assumed: the derivative K at x₀, linear schedule. Controls: the sum without its last term; Euler's steps
with the field of independent coupling on the circle, which neither end on it nor forget errors. (In
continuous time that field forgets normal errors too, and would be no control.)
"""

import numpy as np
import pytest

from numerics.accuracy import EPS
from numerics.flows.exact import ExactField
from numerics.flows.independent import IndependentField
from numerics.flows.perturbed import euler_bound, euler_response, euler_steps
from numerics.geometry import norms
from numerics.potentials import (
    FiniteAtoms,
    Sphere,
)
from theorems.setting.instances import chosen, named
from theorems.stability.euler_steps import Steps
from theorems.stability.figures import draw_gains
from theorems.stability.posterior import radial_steps
from theorems.stability.tame_noise import CHOSEN, tame

BODY = named("second ellipsoid")
NOISE = np.array([[0.7, -0.4, 1.1]])
TARGETS = chosen(
    "second ellipsoid",
    "sphere of radius 2",
    "tilted line",
    "orthonormal frames",
    "rotations",
    "ellipse as a curve",
    "two circles",
)


def _errors(n):
    return np.array([[[np.cos(3 * k / 8), 1.0, k / 8]] for k in range(n)])


@pytest.mark.claim("N3")
@pytest.mark.parametrize("target", TARGETS, ids=lambda t: type(t).__name__)
@pytest.mark.parametrize("steps", [1, 2, 3, 5, 8])
def test_errors_count_as_predicted(evidence, rng, target, steps):
    n, epsilon = 10, 1e-5
    x0 = rng.standard_normal((n, target.dim))
    held = tame(target, x0)  # elsewhere 1e-5 of the data's size is no small error; a tie of two atoms too
    x0 = x0[held]
    spread = target.transport_jacobian(x0)
    errors = target.scale * rng.standard_normal((steps, len(x0), target.dim))
    predicted = euler_response(spread, errors)
    runs = [Steps(target, x0, share * epsilon * errors) for share in (1.0, 0.5, 0.25)]
    found = [
        (r.path[-1] - r.image) / e for r, e in zip(runs, epsilon * np.array([1.0, 0.5, 0.25]), strict=True)
    ]
    halved, again = norms(found[0] - found[1]), norms(found[1] - found[2])
    of_spread = steps * target.roundings.transport_jacobian(x0).bound * norms(errors).sum(axis=0)
    evidence.on(target, steps=steps).estimated(
        "|(Y_n − T(x₀))/ε − first-order response|",
        norms(found[0] - predicted),
        4 * (halved + again) + 8 * runs[2].of_end.bound / epsilon + of_spread,
        by="halving ε twice: a remainder of order ε is twice the first change",
        because="N3 (5) to first order; roundings over ε",
        clause="Euler's response",
        left_out=int((~held).sum()),
        chosen=CHOSEN,
    )


@pytest.mark.claim("N3")
def test_which_errors_matter_on_the_circle(evidence):
    """Four steps, an error ε at one of them: tangential κ/(n(α+βκ)), normal 0 but 1/n at the last."""
    target, n, epsilon, x0 = Sphere(2, 2.0), 4, 1e-6, np.array([[0.5, 0.0]])
    kappa, t = 4.0, np.arange(1, n) / n
    gains = {
        "tangential": np.append(kappa / (1 - t + t * kappa), 1.0) / n,
        "normal": np.append(np.zeros(n - 1), 1.0) / n,
    }
    found = {"tangential": np.zeros(n), "normal": np.zeros(n)}
    for name, direction in (("tangential", [0.0, 1.0]), ("normal", [1.0, 0.0])):
        for k in range(n):
            errors = np.zeros((n, 1, 2))
            errors[k, 0] = epsilon * np.array(direction)
            run = Steps(target, x0, errors)
            found[name][k] = (run.path[-1] - run.image)[0] @ direction / epsilon
            evidence.on(target, k=k, direction=name).estimated(
                "|gain of one error − predicted|",
                abs(found[name][k] - gains[name][k]),
                kappa**2 * epsilon + 2 * float(run.of_end.bound[0]) / epsilon,
                by="the second derivative of T on the circle, κ²/R, at most twice over all steps",
                because="first-order response of Euler's steps",
                clause="Euler's response",
            )
    independent = IndependentField(FiniteAtoms.regular_polygon(256).points, np.full(256, 1 / 256))
    gains["normal, independent coupling"] = np.zeros(n)
    found["normal, independent coupling"] = np.zeros(n)
    for k in range(n):
        errors = np.zeros((n, 1, 2))
        ends = []
        for size in (1e-5, -1e-5):
            errors[k, 0, 0] = size
            ends.append(euler_steps(independent.velocity, [[1.0, 0.0]], errors)[-1][0, 0])
        slope = (ends[0] - ends[1]) / 2e-5
        gains["normal, independent coupling"][k] = found["normal, independent coupling"][k] = slope
    evidence.on(target).figure(
        "Which errors of four Euler steps move the sample, on the circle (κ = 4)",
        "Tangential errors count at every step, less and less; normal errors count at the last step alone, "
        "where they count whole; with independent coupling earlier normal errors leave a trace",
        lambda figure: draw_gains(figure, gains, found),
    )


@pytest.mark.claim("N3")
def test_eight_steps_on_an_ellipsoid(evidence):
    """x₀ = (.7, −.4, 1.1), e_k = (cos 3k/8, 1, k/8): the numbers, at three sizes of the error."""
    errors = _errors(8)
    predicted = euler_response(BODY.transport_jacobian(NOISE), errors)[0]
    normal, rows = NOISE[0] / norms(NOISE), []
    on = evidence.on(BODY)
    for epsilon in (1e-3, 1e-4, 1e-5):
        found, half = (
            (run.path[-1] - run.image)[0] / size
            for size in (epsilon, epsilon / 2)
            for run in [Steps(BODY, NOISE, size * errors)]
        )
        run = Steps(BODY, NOISE, epsilon * errors)
        off = float(run.of_end.bound[0]) / epsilon
        on.estimated(
            "|(Y_8 − T(x₀))/ε − first-order response|",
            float(norms(found - predicted)),
            float(3 * norms(found - half)) + 4 * off,
            by="halving ε",
            because="a remainder of order ε is twice the change",
            clause="Euler's response",
        )
        on.estimated(
            "|normal part/ε − n·e_7/8|",
            abs(float((found - predicted) @ normal)),
            3 * abs(float((found - half) @ normal)) + 4 * off,
            by="halving ε",
            because="only the last error has a normal part that counts",
            clause="Euler's response",
        )
        rows.append([epsilon, *found, float(found @ normal)])
    rows.append(["predicted", *predicted, float(normal @ errors[-1, 0]) / 8])
    rows.append(["bound", float(euler_bound(norms(errors))[0]), "", "", ""])
    on.table("ellipsoid, eight Euler steps: response of the end", ["ε", "x", "y", "z", "along x₀"], rows)


# --- controls -------------------------------------------------------------------------------------------


@pytest.mark.control("N3")
@pytest.mark.parametrize("steps", [2, 8])
def test_without_its_last_term_the_sum_has_no_normal_part(evidence, steps):
    """Forgetting e_{n−1}/n: it predicts 0 along x₀, and n·e_{n−1}/n is found."""
    epsilon, errors, normal = 1e-5, _errors(steps), NOISE[0] / norms(NOISE)
    forgotten = euler_response(BODY.transport_jacobian(NOISE), errors)[0] - errors[-1, 0] / steps
    run, half = (Steps(BODY, NOISE, size * errors) for size in (epsilon, epsilon / 2))
    found, again = ((r.path[-1] - r.image)[0] / e for r, e in ((run, epsilon), (half, epsilon / 2)))
    evidence.on(BODY, steps=steps).control(
        "the first-order sum without its last term: normal part that it misses",
        predicted=float(normal @ errors[-1, 0]) / steps,
        measured=float((found - forgotten) @ normal),
        agreement=3 * abs(float((found - again) @ normal)) + 4 * float(run.of_end.bound[0]) / epsilon,
        because="earlier errors have no normal part that counts; remainder by halving ε",
    )


@pytest.mark.control("N3")
@pytest.mark.parametrize("steps", [4, 8])
def test_posterior_means_remember_normal_errors(evidence, steps):
    """Euler with the field of independent coupling on the unit circle from |x| = 1, radial errors 1."""
    field = IndependentField(FiniteAtoms.regular_polygon(256).points, np.full(256, 1 / 256))
    end, predicted = radial_steps(1.0, 1.0, steps)
    sizes = (1e-4, -1e-4, 0.5e-4, -0.5e-4)
    ends = []
    for size in sizes:
        errors = np.zeros((steps, 1, 2))
        errors[:, 0, 0] = size
        ends.append(float(euler_steps(field.velocity, [[1.0, 0.0]], errors)[-1][0, 0]))
    slope, again = (ends[0] - ends[1]) / 2e-4, (ends[2] - ends[3]) / 1e-4
    exact = ExactField(Sphere(2))
    on = evidence.on("independent coupling on the unit circle", steps=steps)
    on.control(
        "Euler with the posterior mean: response of the end to radial errors 1",
        predicted=predicted,
        measured=slope,
        agreement=2 * abs(slope - again) + 1e3 * EPS / 1e-4,
        because="the recursion differentiated, in Bessel functions; 256 atoms are the circle to rounding",
        intact=1 / steps,
    )
    on.control(
        "Euler with the posterior mean, no errors: radius where it ends",
        predicted=end,
        measured=(ends[0] + ends[1]) / 2,
        agreement=1e-7,
        because="the recursion, with Bessel functions; the second derivative times 1e−8",
        intact=1.0,
    )
    path = euler_steps(exact.velocity, [[1.0, 0.0]], np.zeros((steps, 1, 2)))
    on.table(
        f"circle R = 1, from |x| = 1, {steps} steps",
        ["field", "radius at the end", "response to radial errors 1"],
        [["exact", float(path[-1][0, 0]), 1 / steps], ["posterior mean", (ends[0] + ends[1]) / 2, slope]],
    )
