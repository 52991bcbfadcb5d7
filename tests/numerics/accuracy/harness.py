"""Statements of accuracy, judged from both sides: too small is refuted by an error, too large says nothing.

A case is (error, bound): what a family errs by against an oracle of many digits, and what it states. Twins
that state 100 times more, or a quarter, must be rejected by the same judgement.
"""

import numpy as np
import pytest

SHARE = 1 / 64  # of its statement, that the worst error over all cases must reach


def judge(error, bound, *, floor=SHARE):
    """Assert error ≤ bound everywhere, and error ≥ floor·bound somewhere.

    Args:
        error: (n,) |computed − exact|, by an oracle.
        bound: (n,) what is stated; finite.
        floor: What the worst share must reach; less than 1/64 only where the family's docstring says why.
    """
    error, bound = np.broadcast_arrays(np.asarray(error, dtype=float), np.asarray(bound, dtype=float))
    assert np.isfinite(error).all(), f"an error is {error[~np.isfinite(error)].flat[0]}"
    assert np.isfinite(bound).all(), "a statement that is not finite says nothing"
    share = np.where(error > 0, error / np.where(bound > 0, bound, np.finfo(float).tiny), 0.0)
    worst = int(share.argmax())
    seen = f"case {worst}: error {error.flat[worst]:.3g}, stated {bound.flat[worst]:.3g}"
    assert share.flat[worst] <= 1, f"beyond the statement, {seen}"
    assert share.flat[worst] >= floor, f"too generous, worst {seen}"


def judge_with_twins(error, bound, *, floor=SHARE):
    """`judge`, and see it reject the statement inflated 100 times and deflated 4 times."""
    judge(error, bound, floor=floor)
    for wrong in (100.0, 0.25):
        with pytest.raises(AssertionError):
            judge(error, wrong * np.asarray(bound), floor=floor)
