"""The user's own point cloud (--target=FILE.npz): what holds batch by batch and for every n, as audits.

Assumed: what the file holds. Batches are drawn from the law that the found heights induce. The rates of M4 to
M7 are those of named laws and are not asked. Nothing here decides a verdict.
"""

import pytest

from theorems.setting.audits import ask, asked_in, solved


@pytest.mark.parametrize(("claim", "check"), asked_in(__package__))
def test_the_claims_on_this_target(evidence, user_target, claim, check):
    ask(evidence.auditing(user_target.name, claim), check, solved(user_target).potential)
