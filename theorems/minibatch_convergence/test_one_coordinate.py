r"""M2, M3, M6 in d ≥ 2: two atoms see one coordinate of the noise, ⟨x₀,e⟩, whatever the others are.

Derivation. With k data at y₀ a batch costs Σ|x₀|² + const − 2Σ⟨x₀,x₁⟩, and ⟨x₀,y₁−y₀⟩ = Δ⟨x₀,e⟩: the k noises
of least ⟨x₀,e⟩ go to y₀. So all that is known on the line holds in R^d: the excess, the plan, their limits.

Assumed: two atoms. Control: the coordinate across the atoms in place of that along them.
"""

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtri

from numerics.accuracy import Rounding
from numerics.potentials import FiniteAtoms
from numerics.transport.couplings import assignment
from numerics.transport.minibatch import expected_cost
from numerics.transport.two_atoms import TwoAtomLaw
from theorems.betting import mean_interval
from theorems.minibatch_convergence.test_line import measure_matched_law
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, for_all
from theorems.statistics import hoeffding

LEVEL = 1e-9
W, POINTS = 0.3, np.array([[0.5, -1.0, 0.25], [1.5, 1.0, 0.75]])


@for_all("M6", d=st.integers(2, 6), n=st.integers(1, 40), seed=SEEDS)
def test_least_coordinates_go_to_the_first_atom(evidence, d, n, seed):
    rng = generator(seed)
    points, x0 = rng.standard_normal((2, d)), rng.standard_normal((n, d))
    label = rng.random(n) < W
    x1 = np.where(label[:, None], points[0], points[1])
    way = points[1] - points[0]
    along = x0 @ way / np.linalg.norm(way)
    first = label[assignment(x0, x1)]
    # what noises are swapped beside the sorted order, and by how much
    least = np.sort(along)[: label.sum()]
    evidence.on("two atoms", d=d, n=n, seed=seed).bounded(
        "Σ⟨x₀,e⟩ over noises matched with y₀, above the sum of the least",
        max(float(along[first].sum() - least.sum()), 0.0),
        Rounding(
            np.linalg.norm(x0) * (1 + np.linalg.norm(points) / np.linalg.norm(way)), 16 * (n + d), "sums"
        ),
        because="the cost is const + 2Δ times this sum",
        points=n,
        clause="one coordinate",
    )


@pytest.mark.claim("M6")
@pytest.mark.parametrize("n", [1, 4, 30])
def test_law_of_a_pair_in_space(evidence, rng, n):
    """One pair of each batch: G_n(u, F(x₁)) is uniform with u = Φ(⟨x₀,e⟩), in R³."""
    batches = 2000
    z, label = _batches(rng, n, batches)
    on = evidence.on("two atoms in R³", n=n)
    measure_matched_law(
        on, stats.bernoulli(1 - W), n, z[:, 0], label[:, 0].astype(float), rng, clause="one coordinate"
    )


def _batches(rng, n, count, way=None):
    """⟨x₀,e⟩, or another coordinate, and whether the matched datum is y₁, of batches in R³."""
    x0, second = rng.standard_normal((count, n, 3)), rng.random((count, n)) >= W
    match = np.array([assignment(a, POINTS[b.astype(int)]) for a, b in zip(x0, second, strict=True)])
    along = POINTS[1] - POINTS[0] if way is None else way
    return x0 @ along / np.linalg.norm(along), np.take_along_axis(second, match, axis=1)


SIZES = {4: 3000, 16: 1500, 64: 800}


@pytest.mark.claim("M2")
def test_cost_tends_to_the_optimum_in_space(evidence, rng):
    """Batches in R³ beside the exact excess on the line, which tends to 0 as 1/n.

    The excess of a batch is at most 2Δ times the mean of |z − b|, which is (1/√n)-Lipschitz in the noise,
    with mean √(1+b²) at most: it is counted up to 2Δ(√(1+b²) + 8/√n); the rest has a mean below 2Δe^{−32}.
    """
    on, distance = evidence.on("two atoms in R³"), float(np.linalg.norm(POINTS[1] - POINTS[0]))
    b = float(ndtri(W))
    for n, count in SIZES.items():
        z, label = _batches(rng, n, count)
        gap = (2 * distance * np.abs(z - b) * (label != (z > b))).mean(axis=1)
        cap = 2 * distance * (np.hypot(1.0, b) + 8 / np.sqrt(n))
        values = np.minimum(gap, cap)
        low, high = mean_interval(values, 0.0, cap, LEVEL / 3)
        exact = expected_cost(FiniteAtoms.two([0.0], [distance], W), n)
        mean = float(values.mean())
        on.statistical(
            f"|mean excess of batches of {n} in R³ − the line's exact|",
            abs(mean - exact.excess),
            max(high - mean, mean - low) + 2 * distance * np.exp(-32) + exact.error,
            level=LEVEL / 3,
            because="betting on batches, counted up to a cap; Gaussian concentration beyond it",
            points=n * count,
            clause="optimum",
        )


@pytest.mark.claim("M3")
def test_plan_tends_to_the_optimal_one_in_space(evidence, rng):
    """E|x₁ − T(x₀)|² = Δ² times the misassigned mass bounds W₂²(π_n, π), in R³ as on the line."""
    on = evidence.on("two atoms in R³")
    for n, count in SIZES.items():
        z, label = _batches(rng, n, count)
        wrong = (label != (z > ndtri(W))).mean(axis=1)
        exact, (low, high) = (
            TwoAtomLaw(POINTS, W, n).misassigned_mass(),
            mean_interval(wrong, 0.0, 1.0, LEVEL / 3),
        )
        on.statistical(
            f"|share of noise at the wrong atom in batches of {n} in R³ − the exact one|",
            abs(wrong.mean() - exact.value),
            max(high - wrong.mean(), wrong.mean() - low) + exact.error,
            level=LEVEL / 3,
            because="betting on batches; the exact mass falls as n^(−½) (N8)",
            points=n * count,
            clause="limit",
        )


@pytest.mark.control("M6")
@pytest.mark.parametrize("n", [4, 64])
def test_another_coordinate_tells_nothing(evidence, rng, n):
    """U from the coordinate across e: label and rank are independent, so wrong labels are as of chance."""
    way = np.array([2.0, -1.0, 0.0])  # ⟨way, y₁ − y₀⟩ = 0
    assert way @ (POINTS[1] - POINTS[0]) == 0
    z, label = _batches(rng, n, 40_000 // n, way)
    wrong = (label[:, 0] != (z[:, 0] > ndtri(W))).mean()
    evidence.on("two atoms in R³", n=n).control(
        "the coordinate across the atoms: share of noise not at the atom that it tells",
        predicted=2 * W * (1 - W),
        measured=wrong,
        agreement=hoeffding(len(z), 1.0, LEVEL),
        because="either is below its threshold alone, with probability w; one pair of a batch; Hoeffding",
        intact=TwoAtomLaw(POINTS, W, n).misassigned_mass().value,
        level=LEVEL,
        points=len(z),
        clause="one coordinate",
    )
