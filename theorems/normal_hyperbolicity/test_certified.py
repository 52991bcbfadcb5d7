"""H1 in ball arithmetic, from exact input to the answer, for one target of every family that has a manifold.

K = DT(x₀) and J = D prox(x₁+λx₀) are enclosed by different roads: closed forms or power series of Q∘Φ for K;
implicit differentiation of the optimality condition, the density, or the principal curvatures for J; of
frames and projectors the same map at two places. H1 says J(αI + βK) = βK. The library's Jacobians then lie as
near to the enclosures as the library states.
Control: α and β exchanged, refuted by the number predicted.
"""

import numpy as np
import pytest
from flint import arb, ctx

from numerics.accuracy import EPS
from numerics.intervals.balls import PRECISION, above, below, distance, exact, identity, norm
from theorems.exact_twins import TWINS, has_a_tangent, pair, without_atoms
from theorems.extreme_twins import EXTREME, beside, decided, noise_of_many_sizes, steps_of_many_sizes

POINTS = 4
RESOLUTION = 2.0**-100  # chosen: what an enclosure may be wide, far below every double's rounding
SMOOTH = [t for t in TWINS if t.target.traits.manifold and not t.misfit]


@pytest.fixture(autouse=True)
def _precision():
    with ctx.workprec(PRECISION):
        yield


def _jacobians(twins, p):
    """K(x₀) and J(x₁+λx₀) in balls, with α = λ/(1+λ) and β = 1/(1+λ)."""
    step = arb(p.step)
    k, j = twins.exact.transport_jacobian(p.x0), twins.exact.prox_jacobian(p.z, step)
    return k, j, step / (1 + step), 1 / (1 + step)


def _size(matrix):
    return norm(matrix.entries())


@pytest.mark.claim("H1")
def test_jacobian_of_the_prox_is_that_of_k(evidence, rng):
    for twins in SMOOTH:
        measure_identity(evidence, rng, twins)


def measure_identity(evidence, rng, twins):
    residuals, sizes, pairs = [], [], [pair(twins, rng) for _ in range(POINTS)]
    for p in pairs:
        k, j, alpha, beta = _jacobians(twins, p)
        mixed = identity(twins.target.dim) * alpha + k * beta
        residuals.append(above(_size(j * mixed - k * beta)))
        sizes.append(1 + above(_size(k)))
    evidence.on(twins.target, x0=np.array([p.noise for p in pairs])).certified(
        "|J(αI+βK) − βK|, enclosed in balls",
        residuals,
        bound=RESOLUTION * np.array(sizes),
        because="K and J are proved by different formulas, in balls narrower than the resolution",
        chosen="the resolution, 2⁻¹⁰⁰ of 1 + ‖K‖",
        clause="Jacobian",
    )


@pytest.mark.claim("H1")
def test_jacobians_in_doubles_are_those_in_balls(evidence, rng):
    for twins in SMOOTH:
        measure_jacobians(evidence, rng, twins)


def measure_jacobians(evidence, rng, twins):
    target, pairs = twins.target, [pair(twins, rng) for _ in range(POINTS)]
    on = evidence.on(target, x0=np.array([p.noise for p in pairs]), step=np.array([p.step for p in pairs]))
    noise = np.stack([p.noise for p in pairs])
    exactly = [twins.exact.transport_jacobian(p.x0).entries() for p in pairs]
    found = target.transport_jacobian(noise)
    on.certified(
        "|K in doubles − K|, by an enclosure of K(x₀)",
        [distance(k, matrix) for k, matrix in zip(exactly, found, strict=True)],
        np.broadcast_to(target.roundings.transport_jacobian(noise).bound, POINTS),
        because="the family's stated rounding",
    )
    measured, bound = [], []
    for p in pairs:
        j = twins.exact.prox_jacobian(exact(p.near), arb(p.step)).entries()
        solved = target.proximal_point(p.near[None], p.step)
        alone = target.prox_jacobian(p.near[None], p.step)
        measured.append(max(distance(j, solved.jacobian[0]), distance(j, alone[0])))
        bound.append(float(solved.rounding.jacobian.largest().bound))
    on.certified(
        "|D prox in doubles − D prox|, by an enclosure at the same z",
        measured,
        bound,
        because="the family's stated rounding",
    )


@pytest.mark.claim("H1")
def test_jacobians_at_numbers_of_any_size_are_those_in_balls(evidence, rng):
    for twins in [t for t in EXTREME if t.target.traits.manifold and without_atoms(t)]:
        measure_extremes(evidence, rng, twins)


def measure_extremes(evidence, rng, twins):
    """Noise and steps over decades, independently, where other terms of a statement lead."""
    target, on = twins.target, evidence.on(twins.target)
    drawn, steps = noise_of_many_sizes(twins, POINTS, rng), steps_of_many_sizes(POINTS, rng)
    found, undecided = decided(drawn, lambda x0: twins.exact.transport_jacobian(exact(x0)).entries())
    noise = np.stack([x0 for x0, _ in found])
    on.certified(
        "|K in doubles − K| at noise of many sizes, by an enclosure of K(x₀)",
        [distance(k, at) for (_, k), at in zip(found, target.transport_jacobian(noise), strict=True)],
        np.broadcast_to(target.roundings.transport_jacobian(noise).bound, len(noise)),
        because="the family's stated rounding",
        left_out=undecided,
    )
    places, lost = decided(zip(drawn, steps, strict=True), lambda pair: beside(twins.exact, *pair))
    asked = [(z, step) for (_, step), z in places]
    proved, unproved = decided(asked, lambda p: twins.exact.prox_jacobian(exact(p[0]), arb(p[1])).entries())
    z, step = np.stack([p[0] for p, _ in proved]), np.array([p[1] for p, _ in proved])
    solved = target.proximal_point(z, step)
    on.certified(
        "|D prox in doubles − D prox| at steps of many sizes, by an enclosure at the same z",
        [distance(j, at) for (_, j), at in zip(proved, solved.jacobian, strict=True)],
        np.broadcast_to(solved.rounding.jacobian.bound, len(z)),
        because="the family's stated rounding",
        left_out=lost + unproved,
    )


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("H1")
def test_exchanged_weights_are_refuted(evidence, rng):
    for twins in [t for t in SMOOTH if has_a_tangent(t)]:
        measure_exchanged_weights(evidence, rng, twins)


def measure_exchanged_weights(evidence, rng, twins):
    """J(βI + αK) − αK = (β²−α²)K(αI+βK)⁻¹ by H1: not 0 on the tangent space, unless α = β."""
    target, predicted, proved, blur, alike = twins.target, [], [], [], 0
    for _ in range(200):
        p = pair(twins, rng)
        k, j, alpha, beta = _jacobians(twins, p)
        if p.step == 1 or not _size(k) > RESOLUTION:
            alike += 1  # α = β, or a stratum of dimension 0
            continue
        residual = j * (identity(target.dim) * beta + k * alpha) - k * alpha
        proved.append(below(_size(residual)))
        a, b = p.step / (1 + p.step), 1 / (1 + p.step)
        matrix = target.transport_jacobian(p.noise[None])[0]
        stretched = matrix @ np.linalg.inv(a * np.eye(target.dim) + b * matrix)
        predicted.append(abs(b**2 - a**2) * np.linalg.norm(stretched))
        stated = float(target.roundings.transport_jacobian(p.noise[None]).largest().bound)
        condition_number = 1 + b * np.linalg.norm(matrix) / a
        blur.append(
            abs(b**2 - a**2) * stated / a + 16 * target.dim**2 * EPS * condition_number * predicted[-1]
        )
        if len(predicted) == POINTS:
            break
    evidence.on(target).control(
        "α and β exchanged: |J(βI+αK) − αK|, proved from below",
        predicted,
        proved,
        agreement=blur,
        because="κ/(α+βκ) has the slope 1/α at most, times the stated rounding of K; one inverse of d rows",
        left_out=alike,
    )
