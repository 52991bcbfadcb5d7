"""The user's own point cloud (--target=FILE.npz): what holds batch by batch and for every n, as audits.

Assumed: what the file holds. Batches are drawn from the law that the found heights induce. The rates of M4 to
M7 are those of named laws and are not asked. M8 is asked which batch size is enough for these data, drawn
with the weights of the file. Nothing here decides a verdict.
"""

import pytest

from numerics.transport.batch_sizes import batch_sizes
from theorems.minibatch_convergence import user_batches
from theorems.minibatch_convergence.practice import PROBES, probed_rounding
from theorems.setting.audits import ask, asked_in, potential, solved


@pytest.mark.parametrize(("claim", "check"), asked_in(__package__))
def test_the_claims_on_this_target(evidence, user_target, claim, check):
    ask(evidence.auditing(user_target.name, claim), check, potential(user_target))


@pytest.mark.asks("M8")
def test_which_batch_size_is_enough(evidence, user_target, rng):
    """|ẋ − v|² ≤ G/(t(1−t)) pair by pair, so E|v⁽ⁿ⁾ − v|² ≤ e_n/(2t(1−t)): errors against n, and times."""
    solution, name = solved(user_target), user_target.name
    n = len(solution.points)
    sizes, pool, level = user_batches.sizes_for(n), user_batches.POOL, user_batches.LEVEL
    found = batch_sizes(solution, sizes, rng=rng, pool=pool, level=level)
    auditor, of_prox = evidence.auditing(name, "M8"), probed_rounding(solution.potential, 0.5, rng)
    for row in found.rows:
        batches = len(row.loss.values)
        auditor.on(solution.potential, n=row.n).estimated(
            "mean of |ẋ − v|² in a batch, t = 0.5",
            row.loss.values,
            2 * row.excess.values[:batches] + of_prox + user_batches.rounding(solution).bound,
            by=f"the prox's largest statement at {PROBES} other pairs",
            because="the batch's gaps over t(1−t), pair by pair; inner products of d terms, and their sums",
            points=batches * row.n,
        )
    for by, words in user_batches.WAYS.items():
        evidence.audit(
            f"M8: which n is enough for E|v⁽ⁿ⁾ − v|² ≤ 10, 5, 1 % of E|v|², t = 0.5? By {words}",
            "informs",
            expected="the least n that was tried and is enough",
            measured=user_batches.answer(found, by, n),
            because="E|v⁽ⁿ⁾ − v|² ≤ E|ẋ − v|² ≤ e_n/(2t(1−t)), e_n the plan's excess, never growing with n",
            subject=name,
            kind="data",
        )
    _show_sizes(evidence, user_target, found, n)


def _show_sizes(evidence, user_target, found, n):
    """Errors and costs of every batch size that was tried, of data of n points."""
    name = user_target.name
    evidence.table(
        f"{name}: E|v⁽ⁿ⁾ − v|² in % of E|v|² = W₂² = {found.w2_squared:.6g} ± {found.w2_error:.2g},"
        f" t = 0.5; pairs as drawn: at most {100 * found.independent:.4g}; n beyond {n // 4} is about these"
        f" {n} points, not about a law that they were drawn from",
        user_batches.SHARE_COLUMNS,
        user_batches.shares(found),
    )
    evidence.table(
        f"{name}: what pairs cost on this machine, in this run",
        user_batches.COST_COLUMNS,
        user_batches.costs(found, user_target.seconds),
    )
    evidence.figure(
        f"{name}: error of the field against the batch size",
        "On log–log axes the measured loss falls with n below M8's bound, that below its upper limit",
        lambda figure: user_batches.draw_shares(figure, found, n),
        size=(6.4, 4.2),
    )
