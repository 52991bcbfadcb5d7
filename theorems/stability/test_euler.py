r"""N3 (5): Euler's steps of the linear schedule are exact but for their errors.

Proof. Characteristics of the linear schedule are straight, so x + v_t(x)/n is the exact flow from t to t +
1/n, from t = 0 too. So u moves by at most |e_k|/n over β_{k+1} = (k+1)/n a step, and the last step lands at
u(t_{n−1}, Y_{n−1}) + e_{n−1}/n: u is in the hull, and the last error counts whole. Between two atoms, from
the tie, u moves by e_k/(k+1) exactly: the constant is the best.

Assumed: linear schedule. In rational arithmetic for two atoms; with stated roundings over the grammar.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st

from numerics.accuracy import EPS, Rounding
from numerics.flows.perturbed import euler_bound, kick_bound, pair_of
from numerics.geometry import norms
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, TARGETS, for_all
from theorems.setting.values import Values
from theorems.stability.euler_steps import Steps
from theorems.stability.rational_steps import TwoAtoms

COUNTS = Values(st.integers(1, 8), 4, (1, 4))
MORE = Values(st.integers(2, 8), 4, (2, 7))
POWERS = Values(st.integers(-4, 1), -1, (-3, 0))
sixteenths = st.integers(-64, 64).map(lambda k: Fraction(k, 16))
positive = st.integers(1, 64).map(lambda k: Fraction(k, 16))


@for_all("N3", target=TARGETS, steps=COUNTS, power=POWERS, seed=SEEDS)
def test_ends_are_no_further_off_than_the_sum(evidence, target, steps, power, seed):
    rng, n = generator(seed), 15
    x0 = rng.standard_normal((n, target.dim))
    run = Steps(target, x0, 10.0**power * target.scale * rng.standard_normal((steps, n, target.dim)))
    on = evidence.on(target, steps=steps, seed=seed)
    off = norms(run.path[-1] - run.image)
    on.bounded(
        "|Y_n − T(x₀)|",
        off,
        run.of_end + Rounding(off, target.dim + 4, "a length"),
        because="Σ|e_k|/(k+1) + |e_{n−1}|/n; what rounds in a step is an error too",
        main=euler_bound(run.sizes * (1 + 16 * EPS)),
        clause="Euler's bound",
    )
    before, t = run.path[-2], (steps - 1) / steps
    hull, of_hull = run.image, target.roundings.transport(x0).bound
    if steps > 1:
        _, hull, _, of_hull = pair_of(run.field, t, before)
    away = norms(run.path[-1] - hull)
    on.bounded(
        "|Y_n − u(t_{n−1}, Y_{n−1})|, no less than the distance to the hull",
        away,
        Rounding.measured(of_hull + run.slips[-1] / steps, "the last step and u before it")
        + Rounding(away, 4, "a length"),
        because="the last step lands on u, which is in the hull, but for its error",
        main=run.sizes[-1] * (1 + 16 * EPS) / steps,
        clause="Euler's bound",
    )


@for_all("N3", target=TARGETS, steps=MORE, seed=SEEDS)
def test_a_step_is_the_exact_flow(evidence, target, steps, seed):
    """From points anywhere: Euler's step by the field, against Minty's pair of the same point."""
    rng, n = generator(seed), 15
    k = int(rng.integers(1, steps))
    s, t = k / steps, (k + 1) / steps
    x = ((1 - s) * np.sqrt(target.dim) + s * target.scale) * rng.standard_normal((n, target.dim))
    run = Steps(target, x, np.zeros((1, n, target.dim)))
    v = run.field.velocity(s, x)
    y, u, of_y, of_u = pair_of(run.field, s, x)
    there = (1 - t) * y + t * u
    size = norms(v) + norms(x) + norms(there)
    evidence.on(target, steps=steps, k=k, seed=seed).bounded(
        "|x + v_t(x)/n − X_{t→t+1/n}(x)|",
        norms(x + v / steps - there),
        run.field.roundings.velocity(s, x).amplified(1 / steps)
        + Rounding.measured((1 - t) * of_y + t * of_u, "the pair")
        + Rounding(size, 8, "sums, and k/n"),
        because="characteristics are straight; what field and pair round",
        clause="Euler's bound",
    )


# --- rational arithmetic --------------------------------------------------------------------------------


@for_all(
    "N3",
    distance=positive,
    tie=sixteenths,
    x0=sixteenths,
    errors=st.lists(sixteenths, min_size=1, max_size=12),
)
def test_two_atoms_in_fractions(evidence, distance, tie, x0, errors):
    law, n = TwoAtoms(distance, tie), len(errors)
    path = law.euler_steps(x0, errors)
    on, domain = (
        evidence.on("TwoAtoms", distance=distance, tie=tie, x0=x0, errors=errors),
        "two atoms in ℤ/16, n ≤ 12",
    )
    exact_steps = []
    for k in range(1, n):
        u, y = law.pair(Fraction(k, n), path[k])
        exact_steps.append(
            path[k + 1] == (1 - Fraction(k + 1, n)) * y + Fraction(k + 1, n) * u + errors[k] / n
        )
    on.exact(
        "Y_{k+1} = X_{k/n→(k+1)/n}(Y_k) + e_k/n",
        all(exact_steps),
        domain,
        clause="Euler's bound",
        points=max(n - 1, 1),
    )
    bound = sum((abs(e) / (k + 1) for k, e in enumerate(errors[:-1])), abs(errors[-1]) / n)
    on.exact(
        "|Y_n − T(x₀)| ≤ Σ|e_k|/(k+1) + |e_{n−1}|/n",
        abs(path[-1] - law.transport(x0)) <= bound,
        domain,
        clause="Euler's bound",
    )
    away = max(-path[-1], path[-1] - distance, Fraction(0))
    on.exact("dist(Y_n, hull) ≤ |e_{n−1}|/n", away <= abs(errors[-1]) / n, domain, clause="Euler's bound")


@for_all("N3", distance=positive, tie=sixteenths, shares=st.lists(st.integers(1, 9), min_size=2, max_size=12))
def test_two_atoms_attain_the_constant(evidence, distance, tie, shares):
    """From the tie, with errors that take u to the other atom: equality, whatever the number of steps."""
    law, n = TwoAtoms(distance, tie), len(shares)
    pieces = [Fraction(share, sum(shares)) * distance for share in shares]
    errors = [piece * (k + 1) for k, piece in enumerate(pieces[:-1])] + [pieces[-1] * n]
    end = law.euler_steps(tie, errors)[-1]
    bound = sum((e / (k + 1) for k, e in enumerate(errors[:-1])), errors[-1] / n)
    evidence.on("TwoAtoms", distance=distance, tie=tie, errors=errors).exact(
        "|Y_n − T(x₀)| = Σ|e_k|/(k+1) + |e_{n−1}|/n",
        end - law.transport(tie) == bound,
        "two atoms in ℤ/16, from the tie, n ≤ 12",
        clause="attained",
    )


@pytest.mark.claim("N3")
@pytest.mark.parametrize("steps", [1, 2, 5, 12])
def test_bounds_of_the_library_are_these_sums(evidence, rng, steps):
    """Σ|e_k|/(k+1) + |e_{n−1}|/n, and Σ|k_j|/β_j for impulses: in fractions."""
    sizes = rng.integers(0, 1000, (steps, 3)) / 64
    betas = np.sort(rng.integers(1, 64, steps)) / 64
    euler, kicks = euler_bound(sizes), kick_bound(betas, sizes)
    on = evidence.on("the bounds of N3", steps=steps)
    for name, clause, found, weights in (
        (
            "Euler's bound",
            "Euler's bound",
            euler,
            [Fraction(1, k + 1) for k in range(steps - 1)] + [Fraction(1, steps)],
        ),
        ("that of impulses", "bound", kicks, [1 / Fraction(beta) for beta in betas]),
    ):
        exact = [sum(w * Fraction(e) for w, e in zip(weights, row, strict=True)) for row in sizes.T]
        on.bounded(
            f"|{name} − its sum in fractions|",
            [float(abs(Fraction(value) - whole)) for value, whole in zip(found, exact, strict=True)],
            Rounding(np.abs(found), steps + 1, "quotients and their sum"),
            because="sums of positive terms round once a term",
            clause=clause,
        )


# --- control --------------------------------------------------------------------------------------------


@pytest.mark.control("N3")
@pytest.mark.parametrize("steps", [4, 8])
def test_half_the_bound_is_too_little(evidence, steps):
    """The same errors from the tie: the end is twice as far off as half the bound."""
    law, distance = TwoAtoms(Fraction(2), Fraction(-1, 2)), Fraction(2)
    pieces = [distance / steps] * steps
    errors = [piece * (k + 1) for k, piece in enumerate(pieces[:-1])] + [pieces[-1] * steps]
    bound = float(sum((e / (k + 1) for k, e in enumerate(errors[:-1])), errors[-1] / steps)) / 2
    evidence.on("TwoAtoms", steps=steps).control(
        "half of Σ|e_k|/(k+1) + |e_{n−1}|/n: |Y_n − T(x₀)| over it",
        predicted=2.0,
        measured=float(law.euler_steps(law.tie, errors)[-1]) / bound,
        agreement=4 * EPS,
        because="equality from the tie, in fractions",
        intact=1.0,
    )
