"""The user's own point cloud (--target=FILE.npz): what holds batch by batch and for every n, as audits.

Assumed: what the file holds. Batches are drawn from the law that the found heights induce. The rates of M4 to
M7 are those of named laws and are not asked. Nothing here decides a verdict.
"""

import pytest

from theorems.minibatch_convergence import test_cost, test_marginals
from theorems.user_targets import ask, named, solved

CHECKS = named(
    {
        "M1": (test_marginals.test_every_datum_of_a_batch_is_used_once,),
        "M2": (test_cost.test_halves_cost_no_less_than_the_whole,),
    }
)


@pytest.mark.parametrize(("claim", "check"), CHECKS)
def test_the_claims_on_this_target(evidence, user_target, claim, check):
    ask(evidence.auditing(user_target.name, claim), check, solved(user_target).potential)
