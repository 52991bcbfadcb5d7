"""M1, M4, M8: what drawn batches are made into, against the assignment problem itself.

Pairs for training are matched in blocks; the field of a batch rests on what its noises lose if a datum is
kept for one more; a batch size is told from means over batches. Each is compared here with its definition:
other assignments, all data in turn, every size.
"""

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy.optimize import brentq, linear_sum_assignment
from scipy.stats import norm as norm_law

from numerics import flows
from numerics.accuracy import Rounding
from numerics.flows.batches import BatchField, losses
from numerics.transport.batch_sizes import BatchSize, BatchSizes, batch_sizes
from numerics.transport.couplings import BatchEstimate
from numerics.transport.semidiscrete import solve
from numerics.transport.two_atoms import TwoAtomLaw
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, for_all
from theorems.setting.vectors import norm
from theorems.statistics import hoeffding

LEVEL = 1e-10


# --- pairs for training ------------------------------------------------------------------------------------


@for_all("M1", d=st.integers(1, 4), block=st.integers(1, 9), n=st.integers(1, 30), seed=SEEDS)
def test_pairs_are_matched_in_blocks(evidence, d, block, n, seed):
    """What is kept of an optimal assignment is optimal for its points; labels go with their data."""
    rng = generator(seed)
    points, labels = rng.standard_normal((20, d)), rng.permutation(20)
    x0, x1, label = flows.matched(points, block, labels)(n, rng)
    on = evidence.on("cloud", d=d, block=block, n=n, seed=seed)
    on.exact("labels are those of the data", x1 == points[np.argsort(labels)[label]], "bitwise")
    on.exact("as many pairs as asked for", (len(x0), len(x1)) == (n, n), "every size")
    short, size = [], []
    for begin in range(0, n, block):
        gain = x0[begin : begin + block] @ x1[begin : begin + block].T
        rows, columns = linear_sum_assignment(gain, maximize=True)
        short.append(gain[rows, columns].sum() - np.trace(gain))
        size.append(np.abs(gain).sum())
    on.bounded(
        "by how much another matching of a block has more Σ⟨x₀, x₁⟩",
        np.maximum(short, 0.0),
        Rounding(np.array(size), 8 * (block + d), "sums of products, and of costs along paths"),
        because="every block is optimally matched",
        points=n,
    )


@pytest.mark.claim("M1")
@pytest.mark.parametrize("block", [1, 6])
def test_marginals_of_matched_pairs(evidence, rng, block):
    """Of a last block too, of which one pair in six is kept: halves of the cloud, and of the noise."""
    points, draws = rng.standard_normal((10, 2)), 1000
    draw = flows.matched(points, block)
    x0, x1 = (
        np.concatenate(part) for part in zip(*(draw(block + 1, rng) for _ in range(draws)), strict=True)
    )
    last = slice(block, None, block + 1)
    first_half = (x1[last][:, None] == points[:5]).all(axis=2).any(axis=1)
    evidence.on("cloud of ten points", block=block).statistical(
        "|share − ½| of the first half of the cloud, of noise to the right, in the pair kept of a last block",
        np.abs([first_half.mean() - 0.5, (x0[last, 0] > 0).mean() - 0.5]),
        hoeffding(draws, 1.0, LEVEL),
        level=2 * LEVEL,
        because="which pairs are kept depends on neither half; Hoeffding",
        points=draws,
        clause="marginals",
    )


# --- the field of drawn batches ----------------------------------------------------------------------------


@for_all("M4", n=st.integers(1, 9), seed=SEEDS)
def test_what_a_kept_datum_costs_is_told_by_the_assignment_without_it(evidence, n, seed):
    gain = generator(seed).integers(-9, 10, (n - 1, n)).astype(float)

    def best(part):
        return part[linear_sum_assignment(part, maximize=True)].sum()

    without = [best(np.delete(gain, j, axis=1)) for j in range(n)]
    evidence.on("integer gains", n=n, seed=seed).exact(
        "L_j is the best gain of n − 1 noises less that without datum j",
        losses(gain) == best(gain) - np.array(without),
        domain="integers within ±9, n ≤ 9",
    )


@for_all(
    "M4",
    n=st.integers(1, 6),
    batches=st.sampled_from([1, 40]),
    t=st.integers(1, 15).map(lambda k: k / 16),
    seed=SEEDS,
)
def test_field_of_drawn_batches_datum_by_datum(evidence, n, batches, t, seed):
    """For each batch and each of its data the one noise x₀ with x = (1−t)x₀ + ty, if it is sent to that y."""
    rng = generator(seed)
    points, x = 2 * rng.standard_normal((5, 2)), 2 * rng.standard_normal((12, 2))
    field = BatchField(points, np.full(5, 0.2), n, batches=batches, rng=rng)
    data, lead, weight = _datum_by_datum(field, points, t, x)
    total = weight.sum(axis=(1, 2))
    # score and loss are sums of products: 5 roundings of a product, and of the gains along 2n edges
    reach = (norm(x) + norm(points).max()) / (1 - t) * norm(points).max() + np.abs(field.loss).max()
    tie = Rounding(reach, 16 * (n + 2), "scores, and losses by an assignment").bound[:, None, None]
    clear = (np.abs(lead) > tie).all(axis=(1, 2)) & (total > 1e-250)
    mean = np.einsum("xbj,bjd->xd", weight, data)[clear] / total[clear, None]
    found = field.velocity(t, x)
    on = evidence.on("five atoms", n=n, batches=batches, t=t, seed=seed)
    nowhere = (lead > tie).all(axis=(1, 2))
    if nowhere.any():
        on.certified(
            "places with a value though no batch reaches them",
            float(np.isfinite(found[nowhere]).any(axis=1).sum()),
            0.0,
            because="no datum keeps its noise, in any batch, by more than scores and losses round",
            points=int(nowhere.sum()),
            left_out=int((~nowhere & ~clear).sum()),
            kind="count",
        )
    if clear.any():
        exponents = 1 + (norm(x)[clear] + norm(points).max()) ** 2 / (1 - t) ** 2
        on.bounded(
            "|v of batches − its sum over batches and data|",
            norm(found[clear] - (mean - x[clear]) / (1 - t)),
            Rounding(
                exponents * (norm(points).max() + norm(x)[clear]) / (1 - t), 64, "exponents of the weights"
            ),
            because="each batch sends at most one noise through x",
            chosen="weights above 1e−250 together",
            kind="error",
            left_out=int((~clear).sum()),
            points=int(clear.sum()),
        )


def _datum_by_datum(field, points, t, x):
    """For place, batch and datum: the datum, another's lead at its noise, its weight; equal data once."""
    data = points[field.index]
    x0 = (x[:, None, None] - t * data) / (1 - t)
    score = np.einsum("xbjd,bkd->xbjk", x0, data) - field.loss[:, None, :]
    own = np.einsum("xbjj->xbj", score)
    lead = np.where((data[:, :, None] == data[:, None]).all(axis=3), -np.inf, score).max(axis=3) - own
    weight = np.exp(-(x0**2).sum(axis=3) / 2) * (lead < 0)
    for batch, index in enumerate(field.index):
        again = np.setdiff1d(np.arange(len(index)), np.unique(index, return_index=True)[1])
        weight[:, batch, again] = 0.0
    return data, lead, weight


# --- batch sizes -------------------------------------------------------------------------------------------


@pytest.mark.claim("M8")
def test_limits_of_the_excess_hold_and_are_near(evidence, rng):
    """Two atoms in the plane, whose e_n are integrals; what is added to a mean is of its deviation."""
    points, weight, level = np.array([[0.0, 0.0], [1.2, 1.6]]), 0.3, LEVEL
    solution = solve(points, [weight, 1 - weight])
    rows = [batch_sizes(solution, [n], rng=rng, pool=2**11, level=level / 3).rows[0] for n in (1, 4, 16)]
    exact = [TwoAtomLaw(points, weight, row.n).cost_excess() for row in rows]
    on = evidence.on("two atoms in the plane", pool=2**11)
    on.statistical(
        "e_n over its upper limit",
        [(e.value - e.error) / row.limit for e, row in zip(exact, rows, strict=True)],
        1.0,
        level=level,
        because="Maurer and Pontil below a cap, Gaussian concentration above it",
        clause="bound",
    )
    added = np.array([row.limit - row.excess.mean for row in rows])
    _measure_added(on, solution, rows, added, level / 3)
    on.statistical(
        "|mean of batches − e_n| over their limits' distance",
        [abs(e.value - row.excess.mean) / a for e, row, a in zip(exact, rows, added, strict=True)],
        1.0,
        level=2 * level,
        because="as the limits, on both sides",
        clause="bound",
    )


def _measure_added(on, solution, rows, added, level):
    """What is added to a mean, beside the least that two theorems allow."""
    distance, tie = 2.0, float(np.diff(solution.heights)[0]) / 2.0
    mean = (
        distance * (norm_law.pdf(tie) - tie * norm_law.sf(tie)) - solution.heights[0] + solution.heights.max()
    )
    cap = 2 * mean + 12 * distance / np.sqrt([row.n for row in rows])
    needed = [_bennett(row.excess.values, m, level) for row, m in zip(rows, cap, strict=True)]
    by = "a root to 1e−12; the diameter, rounded up by 1e−6, and the mean beyond the cap, below 1e−8"
    on.estimated(
        "the reach that Bennett's inequality needs over what is added to the mean",
        needed / added,
        1.0,
        by=by,
        because="two theorems at half of a size's level each, for variance and mean, solved for the reach;"
        " cap M = 2(E φ* + max g) + 12Δ/√n, E φ* of two atoms in closed form",
        clause="bound",
    )
    on.estimated(
        "what is added to the mean over the reach that Bennett's inequality needs",
        added / needed,
        1.05,
        by=by,
        because="Maurer and Pontil's √(2VL/m) + 7ML/3(m−1) bounds that root",
        chosen="one part in twenty",
        clause="bound",
    )


def _bennett(values, cap, level):
    """The reach s of the mean of m values in [0, M], solved for, not in closed form.

    √V ≤ √V_m + M√(2L/(m−1)) but for level/2 [@maurer2009empirical, theorem 10], L = log(2/level), and
    P(mean < E − s) ≤ exp(−(mV/M²)h(Ms/V)), h(x) = (1+x)log(1+x) − x (Bennett), which is set to level/2.
    """
    m, log = len(values), np.log(2 / level)
    spread = (np.sqrt(values.var(ddof=1)) + cap * np.sqrt(2 * log / (m - 1))) ** 2

    def missing(s):
        x = cap * s / spread
        return m * spread / cap**2 * ((1 + x) * np.log1p(x) - x) - log

    return brentq(missing, 0.0, 10 * cap, xtol=1e-12)


@for_all("M8", seed=SEEDS)
def test_the_smallest_size_is_enough_and_so_are_all_larger_ones(evidence, seed):
    """Shares by their definition, where they need not fall with n; W₂² as small as it may be is the worst."""
    rng = generator(seed)
    rows = tuple(
        BatchSize(
            2**k, BatchEstimate(2**k, e), None, float(e.mean() + rng.random()), BatchEstimate(2**k, loss), 0.0
        )
        for k in range(6)
        for e, loss in [rng.exponential(size=(2, 3)) / 2**k]
    )
    w2, off = float(rng.uniform(0.5, 2.0)), 0.25
    found = BatchSizes(rows, w2, off, independent=1.0, level=0.0, pair_seconds=0.0)
    on = evidence.on("drawn tables", seed=seed)
    holds = []
    for by, numerator, divisor in (
        ("guaranteed", [2 * row.limit for row in rows], w2 - off),
        ("bound", [2 * row.excess.mean for row in rows], w2),
        ("loss", [row.loss.mean for row in rows], w2),
    ):
        shares = np.array(numerator) / divisor
        on.bounded(
            "|share of the field's energy at t = ½ − e_n/(2t(1−t)) over W₂²|",
            np.abs([found.share(row, by) for row in rows] - shares),
            Rounding(shares, 8, "sums and a quotient"),
            because="at t = ½ the excess counts twice, the loss once (M8)",
            clause="bound",
        )
        for tolerance in (shares.min() / 2, *(shares * (1 + 1e-9))):
            enough = [row.n for k, row in enumerate(rows) if (shares[k:] <= tolerance).all()]
            holds.append(found.smallest(tolerance, by) == (enough[0] if enough else None))
    on.exact("the least n from which on all shares are within the tolerance", holds, "six sizes, any order")
