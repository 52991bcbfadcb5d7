"""H5 on two moons, figure 4 of the paper: the eigenvalue curves beside the exact field's.

Assumed: A1–A5 and SC; A3, A5 and the discretisation are measured at every trajectory. φ comes from the exact
semidiscrete solution, lifted to the curves: eigenvalues are found by differences of the field through its
prox, the curve from H = f'' − ⟨x₀, γ''⟩. Trajectories next to the moons' ends, where φ is not smooth, are
left out and counted.
"""

import numpy as np
import pytest

from numerics.accuracy import EPS
from numerics.flows.spectrum import jacobian, path_eigenvalues
from numerics.schedules import Linear
from theorems.normal_hyperbolicity.figures import draw_spectrum
from theorems.normal_hyperbolicity.lifted_moons import Moons

ATOMS = 1024
KNOWN = 1e-3
"""How well H must be known, relatively, for a trajectory to be kept."""


@pytest.fixture(scope="module")
def moons():
    return Moons(ATOMS)


def _eigenvalues(moons, landing, interior, t):
    """Eigenvalues (n,2) of (1−t)Dv_t by differences of the prox, and how far they may be off."""
    n, remaining = len(landing.x0), 1 - t
    xt = remaining * landing.x0 + t * moons.point(landing.moon, landing.place)
    steps = np.full(n, remaining / t)
    half = 1e-2 * remaining * np.minimum(interior, 1.0)

    def velocity(_, x):
        rows = np.arange(len(x)) % n
        data = moons.prox(landing.chosen(rows), x / t, steps[rows])
        return (data - x) / remaining

    found, coarse = jacobian(velocity, t, xt, half), jacobian(velocity, t, xt, half, widths=3)
    # f has a knot at every atom, so that one order is as far off as the next, and two may agree by chance.
    truncation = np.maximum(found.error, coarse.error / 4)
    symmetric = remaining * (found.jacobian + found.jacobian.transpose(0, 2, 1)) / 2
    rounding = 64 * 2 * EPS * (np.linalg.norm(xt, axis=1) + 2) / t / (half / 8)
    return np.linalg.eigvalsh(symmetric), 4 * remaining * truncation + rounding


def _show_what_is_known(evidence, place, bend):
    evidence.table(
        "Two moons: trajectories whose H is known",
        (
            "atoms",
            "noises",
            "kept: H known to 0.1 %",
            "landed at arc length, of π",
            "least H",
            "16 %, 50 %, 84 % of κ",
        ),
        [
            (
                ATOMS,
                4000,
                len(bend),
                f"{place.min():.2f} to {place.max():.2f}",
                f"{bend.min():.3f}",
                ", ".join(f"{q:.3f}" for q in np.quantile(1 / bend, [0.16, 0.5, 0.84])),
            )
        ],
    )


@pytest.mark.claim("H5")
def test_curves_on_two_moons(evidence, rng, moons):
    everything = moons.land(rng.standard_normal((4000, 2)))
    bend, doubt = moons.hessian(everything), moons.hessian_error(everything)
    known = doubt <= KNOWN * bend
    _show_what_is_known(evidence, everything.place[known], bend[known])
    first = np.flatnonzero(known)[:100]
    interior = moons.interior(everything.chosen(first))
    # 0 is less than 1e-3, to which the distance is found: no room is known for a difference.
    inside, interior = first[interior > 0], interior[interior > 0]
    landing, kappa, relative = everything.chosen(inside), 1 / bend[inside], (doubt / bend)[inside]
    t = np.linspace(0.025, 0.999, 40)
    found, error = (
        np.array(part)
        for part in zip(*(_eigenvalues(moons, landing, interior, now) for now in t), strict=True)
    )
    exact = path_eigenvalues(Linear(), np.stack([0 * kappa, kappa], axis=1), remaining=1 - t)
    exact = exact * (1 - t)[:, None, None]
    on = evidence.on(
        f"two moons, {ATOMS} atoms",
        A3_distance=interior,
        A5_least_H=1 / kappa,
        doubt_of_H=relative,
    )
    on.estimated(
        "|eigenvalues of (1−t)Dv_t by differences − curve|",
        np.abs(found - exact).max(axis=2).T,
        error.T,
        by="the larger of the last difference between orders of extrapolation, and a quarter of that before",
        because="they are equal; prox's rounding over the least half-step",
        chosen=f"left out where H is known no better than to {KNOWN:g} of it, or no room for a step is",
        clause="curve",
        left_out=len(t) * (int(first[-1]) + 1 - len(inside)),
    )
    law = path_eigenvalues(Linear(), 1 / bend[known][:, None], remaining=1 - t)[..., 0] * (1 - t)[:, None]
    on.figure(
        "Eigenvalues of (1−t)Dv_t on two moons, beside the exact curve",
        "The normal eigenvalue is −1 throughout, the tangential one tends to 0 along the exact curve",
        lambda figure: draw_spectrum(figure, t, found[..., 1], found[..., 0], law),
    )
