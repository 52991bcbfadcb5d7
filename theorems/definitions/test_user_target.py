"""The user's own point cloud (--target=FILE.npz): its potential is convex, with what follows, as audits.

Assumed: what the file holds. Convexity makes λ_f = ∞ (D1) and ρ = 0 (D2). Nothing here decides a verdict.
"""

import pytest

from theorems.definitions import test_prox_boundedness, test_prox_regularity
from theorems.user_targets import ask, named, solved

CHECKS = named(
    {
        "D1": (
            test_prox_boundedness.test_convex_potentials_are_bounded_at_every_step,
            test_prox_boundedness.test_the_minorant_is_attained,
        ),
        "D2": (
            test_prox_regularity.test_convex_potentials_have_modulus_zero,
            test_prox_regularity.test_prox_is_single_valued_and_lipschitz_below_the_threshold,
        ),
    }
)


@pytest.mark.parametrize(("claim", "check"), CHECKS)
def test_the_claims_on_this_target(evidence, user_target, claim, check):
    ask(evidence.auditing(user_target.name, claim), check, solved(user_target).potential)
