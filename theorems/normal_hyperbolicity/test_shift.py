"""H2: tilting the potential by the noise shifts its prox.

Assumed: x₀ ∈ ∂φ(x₁). The algebra is exact; that x₁ minimises the tilted potential, and that what prox
returns minimises the tilted proximal objective, is compared with the values at other data, and with the
optimality condition. Control: the tilt forgotten.
"""

import numpy as np
import pytest

from numerics.accuracy import EPS, Rounding
from numerics.potentials import DegenerateGaussian
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, TARGETS, TIMES, for_all
from theorems.setting.roundings import gap_rounding
from theorems.setting.vectors import dot, norm


@pytest.mark.claim("H2")
def test_objectives_differ_by_a_constant(evidence):
    """φ cancels: what is left of the two proximal objectives does not contain u."""
    import sympy as sp

    step = sp.Symbol("lambda", positive=True)
    u, x0, x1, w = (sp.Matrix(sp.symbols(f"{name}_1:4", real=True)) for name in ("u", "a", "b", "w"))
    ours = (u - x1 - step * x0 - w).dot(u - x1 - step * x0 - w) / (2 * step)
    tilted = -x0.dot(u) + (u - x1 - w).dot(u - x1 - w) / (2 * step)
    gradient = [sp.expand(sp.diff(ours - tilted, v)) for v in u]
    evidence.exact(
        "∇_u of the difference of the two proximal objectives is 0",
        [g == 0 for g in gradient],
        "all u, x₀, x₁, w in R³ and λ > 0, whatever φ is",
        clause="shift",
    )


@for_all("H2", target=TARGETS, seed=SEEDS)
def test_data_minimise_the_tilted_potential(evidence, target, seed):
    rng = generator(seed)
    x0, x1 = target.sample(100, rng)
    other = rng.permutation(x1)
    excess = target.value(other) - target.value(x1) - dot(x0, other - x1)
    of_data = target.roundings.transport(x0).amplified(2 * norm(x0), "an error of x₁")
    evidence.on(target, seed=seed).bounded(
        "φ̃(x₁) above φ̃(v), v other data",
        np.maximum(-excess, 0.0),
        gap_rounding(target, x1, x0) + gap_rounding(target, other, x0) + of_data,
        because="x₁ minimises the tilted potential",
        clause="minimum",
    )


@for_all("H2", target=TARGETS, t=TIMES, seed=SEEDS)
def test_prox_minimises_the_tilted_objective(evidence, target, t, seed):
    """Strong convexity: the tilted objective at any v exceeds that at its minimiser by |v−u|²/(2λ)."""
    rng, step = generator(seed), (1 - t) / t
    x0, x1 = target.sample(100, rng)
    w = target.scale * rng.uniform(0, 1, (len(x0), 1)) * rng.standard_normal(x0.shape)
    z = x1 + step * x0 + w
    found = target.proximal_point(z, step)
    u, y = found.point, found.dual

    def tilted(v):
        return target.value(v) - dot(x0, v) + dot(v - x1 - w, v - x1 - w) / (2 * step)

    # φ(u) is replaced by its value on the optimality condition, which is finite on chords of the hull, too.
    least = dot(u, y) - target.conjugate(y)
    least = least - dot(x0, u) + dot(u - x1 - w, u - x1 - w) / (2 * step)
    other = rng.permutation(x1)
    moves = [norm(v - x1 - w) for v in (u, other)]
    terms = dot(y, y) * step + norm(x0) * (norm(u) + norm(other)) + (moves[0] ** 2 + moves[1] ** 2) / step
    sums = Rounding(terms + np.abs(target.value(other)), target.dim + 10, "sums of d products")
    # z = x₁ + λx₀ + w is formed: the objectives' difference in u and v is linear in z, with slope (v−u)/λ;
    # and so are v − x₁ − w and u − x₁ − w. Where w cancels x₁ all three round as x₁ does.
    size = norm(x1) + norm(w)
    formed = Rounding((size + step * norm(x0)) * norm(other - u) / step, 4, "z is formed")
    for v, move in zip((u, other), moves, strict=True):
        formed = formed + Rounding((size + norm(v)) * move / step, 2, "differences are formed")
    off = found.rounding.point.amplified(2 * norm(y) + 2 * norm(other - u) / step, "u is off")
    off = off + found.rounding.dual.amplified(2 * norm(u) + found.rounding.dual.bound * step, "y is off")
    evidence.on(target, t=t, seed=seed).bounded(
        "objective(prox) + |v − prox|²/(2λ) above objective(v)",
        np.maximum(least + dot(other - u, other - u) / (2 * step) - tilted(other), 0.0),
        gap_rounding(target, other, y) + target.roundings.conjugate(y) + sums + formed + off,
        because="the exact excess is ≤ 0",
        clause="shift",
    )


@for_all("H2", target=TARGETS, t=TIMES, seed=SEEDS)
def test_prox_is_stationary_for_the_tilted_objective(evidence, target, t, seed):
    """The prox u at x₁+λx₀+w belongs to ∂φ*(y), y = x₀ + (x₁+w−u)/λ: sharp in u, also where φ is infinite."""
    rng, step = generator(seed), (1 - t) / t
    x0, x1 = target.sample(100, rng)
    w = target.scale * rng.uniform(0, 1, (len(x0), 1)) * rng.standard_normal(x0.shape)
    z = x1 + step * x0 + w
    found = target.proximal_point(z, step)
    u, y = found.point, x0 + (x1 + w - found.point) / step
    formed = Rounding(norm(x0) + (norm(x1) + norm(w) + norm(u)) / step, 4, "y is formed of x₀, x₁, w and u")
    of_prox, of_dual = found.rounding.point, found.rounding.dual + formed
    conjugate, of_conjugate = target.conjugate(y), target.roundings.conjugate(y)
    on = evidence.on(target, t=t, seed=seed)
    for aim in (y, -y, u - x1, rng.standard_normal(y.shape)):
        unit = aim / np.maximum(norm(aim), 1e-300)[:, None]
        for length in (1e-6, 1e-3, 1.0):
            ahead = y + length * (1 + norm(y))[:, None] * unit
            h, moved = ahead - y, target.conjugate(ahead)
            # u is a subgradient of φ* at the exact y; at the computed one it is some u' beside, and twice
            # the data's size is as far as a jump may reach.
            slope = 2 * (norm(u) + target.scale)
            sums = Rounding(np.abs(conjugate) + np.abs(moved) + norm(u) * norm(h), target.dim + 4, "sums")
            stated = of_conjugate + target.roundings.conjugate(ahead)
            on.bounded(
                "⟨u,h⟩ above φ*(y+h) − φ*(y): u is not the prox of φ̃ at x₁+w",
                np.maximum(dot(u, h) - (moved - conjugate), 0.0),
                stated + sums + of_prox.amplified(norm(h)) + of_dual.amplified(slope, "y is off"),
                because="the exact excess is ≤ 0",
                clause="shift",
            )


@pytest.mark.control("H2")
@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_forgetting_the_tilt(evidence, rng, t):
    """prox_{λφ}(x₁) instead of prox_{λφ̃}(x₁): a Gaussian's coordinate σx₀ shrinks by σ/(σ+λ)."""
    sigma, step = np.array([2.0, 0.5]), (1 - t) / t
    target = DegenerateGaussian([1.0, -1.0], np.diag(sigma**2))
    x0, x1 = target.sample(200, rng)
    predicted = sigma * np.abs(x0) * step / (sigma + step)
    evidence.on(target, t=t).control(
        "the tilt forgotten: |prox_{λφ}(x₁) − x₁|, coordinate by coordinate",
        predicted=predicted,
        measured=np.abs(target.prox(x1, step) - x1),
        agreement=np.minimum(
            (target.roundings.prox(x1, step).bound + target.roundings.transport(x0).bound)[:, None]
            + 8 * EPS * np.abs(x1),
            predicted / 2,
        ),
        because="prox of σ⁻¹u²/2 is σz/(σ+λ); rounding of coordinates of this size",
    )
