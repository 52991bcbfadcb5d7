"""The user's own point cloud (--target=FILE.npz): its potential is convex, with what follows, as audits.

Assumed: what the file holds. Convexity makes λ_f = ∞ (D1) and ρ = 0 (D2). Nothing here decides a verdict.
"""

import pytest

from theorems.setting.audits import ask, asked_in, potential


@pytest.mark.parametrize(("claim", "check"), asked_in(__package__))
def test_the_claims_on_this_target(evidence, user_target, claim, check):
    ask(evidence.auditing(user_target.name, claim), check, potential(user_target))
