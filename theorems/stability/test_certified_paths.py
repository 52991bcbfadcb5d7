r"""N3 (2) and (5) in ball arithmetic, for one target of every family and every rule.

Any points Y_0, …, Y_n are a path of the exact field with some errors: with u, y enclosed at each, the
impulse that leads from Y_j to Y_{j+1} is Y_{j+1} − α_{j+1}y_j − β_{j+1}u_j, and Euler's error n(Y_{k+1} −
Y_k) − v(Y_k). So a path of doubles is taken as it stands, whoever made it, and both sides of each bound are
proved enclosures.
"""

import numpy as np
import pytest
from flint import arb, ctx

from numerics.flows.exact import ExactField
from numerics.flows.perturbed import euler_steps
from numerics.intervals.balls import PRECISION, Vector, above, add, below, exact, norm, subtract, times
from theorems.exact_twins import TWINS

STEPS = 4
TIMES = (2, 3, 5, 7)
"""In eighths: exact in balls."""
RESOLUTION = 2.0**-100  # chosen: what two enclosures may be wide together, far below every double's rounding


@pytest.fixture(autouse=True)
def _precision():
    with ctx.workprec(PRECISION):
        yield


def _data(twins, t: arb, x: Vector) -> Vector:
    """u(t, x) in balls, widened by the proved radius."""
    found = twins.exact.enclose(times(1 / t, x), (1 - t) / t)
    return [c + arb(0, found.radius.upper()) for c in found.centre]


@pytest.mark.claim("N3")
def test_euler_in_balls(evidence, rng):
    """Four steps with errors of the size of the data, from noise."""
    for twins in TWINS:
        target = twins.target
        x0 = rng.standard_normal((1, target.dim))
        errors = target.scale * 10.0 ** rng.integers(-3, 1) * rng.standard_normal((STEPS, 1, target.dim))
        path = [exact(x[0]) for x in euler_steps(ExactField(target).velocity, x0, errors)]
        image = twins.exact.transport(path[0]).point
        bound = arb(0)
        for k in range(STEPS):
            t = arb(k) / STEPS
            u = image if k == 0 else _data(twins, t, path[k])
            velocity = times(1 / (1 - t), subtract(u, path[k]))
            error = subtract(times(STEPS, subtract(path[k + 1], path[k])), velocity)
            bound += norm(error) / (k + 1 if k < STEPS - 1 else STEPS)
        evidence.on(target, x0=x0).certified(
            "|Y_4 − T(x₀)| less Σ|e_k|/(k+1) + |e_{n−1}|/n, enclosed",
            above(norm(subtract(path[-1], image)) - bound),
            RESOLUTION * (1 + above(bound)),
            because="at most 0; both sides are enclosed more narrowly than the resolution chosen, 2⁻¹⁰⁰",
            clause="Euler's bound",
        )


@pytest.mark.claim("N3")
def test_impulses_in_balls(evidence, rng):
    """Points anywhere at t = 2/8, 3/8, 5/8 and 7/8, as a path with impulses."""
    for twins in TWINS:
        target = twins.target
        places = [twins.anywhere(target, rng)]
        places += [places[0] + 0.3 * target.scale * rng.standard_normal(target.dim) for _ in TIMES[1:]]
        path, times_ = [exact(x) for x in places], [arb(k) / 8 for k in TIMES]
        data = [_data(twins, t, x) for t, x in zip(times_, path, strict=True)]
        noise = [
            times(1 / (1 - t), subtract(x, times(t, u))) for t, x, u in zip(times_, path, data, strict=True)
        ]
        of_data, of_noise = arb(0), arb(0)
        for j in range(1, len(path)):
            t = times_[j]
            kick = norm(subtract(path[j], add(times(1 - t, noise[j - 1]), times(t, data[j - 1]))))
            of_data, of_noise = of_data + kick / t, of_noise + kick / (1 - t)
        on = evidence.on(target, start=places[0])
        for name, ends, bound in (
            ("|u(Y) − u(s, Y_s)| less Σ|kick|/β, enclosed", data, of_data),
            ("|y(Y) − y(s, Y_s)| less Σ|kick|/α, enclosed", noise, of_noise),
        ):
            on.certified(
                name,
                above(norm(subtract(ends[-1], ends[0])) - bound),
                RESOLUTION * (1 + above(bound)),
                because="at most 0, and 0 within a cell; enclosed more narrowly than the resolution chosen",
                clause="bound",
            )


# --- control --------------------------------------------------------------------------------------------


@pytest.mark.control("N3")
def test_a_bound_without_the_first_error_is_refuted_in_balls(evidence):
    """Euler on the sphere of radius 2, a tangential error ε at the first step: without it, the bound is 0."""
    (twins,) = (t for t in TWINS if repr(t) == "Sphere(3, 2.0)")
    x0, epsilon = np.array([[0.5, 0.0, 0.0]]), 2.0**-20
    errors = np.zeros((STEPS, 1, 3))
    errors[0, 0, 1] = epsilon
    path = euler_steps(ExactField(twins.target).velocity, x0, errors)
    image = twins.exact.transport(exact(x0[0])).point
    kappa, t = 4.0, 1 / STEPS
    predicted = epsilon / STEPS * kappa / (1 - t + t * kappa)
    evidence.on(twins.target).control(
        "the bound without its first term: |Y_4 − T(x₀)|, enclosed, where it says 0",
        predicted=predicted,
        measured=below(norm(subtract(exact(path[-1][0]), image))),
        agreement=kappa**2 * epsilon**2 + 1e-15,
        because="the first-order response; the second derivative of T times ε², and the path's rounding",
    )
