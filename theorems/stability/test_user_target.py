"""The user's own point cloud (--target=FILE.npz): what errors of its field do to samples, as audits.

Assumed: what the file holds. Nothing here decides a verdict.
"""

import pytest

from theorems.setting.audits import ask, asked_in, potential


@pytest.mark.parametrize(("claim", "check"), asked_in(__package__))
def test_the_claims_on_this_target(evidence, user_target, claim, check):
    ask(evidence.auditing(user_target.name, claim), check, potential(user_target))
