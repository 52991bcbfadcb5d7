"""Words for what is concluded from trained networks, and the limits it rests on.

There are no limits for unbounded values, whatever their number: a rare one that was not drawn may be as large
as it likes. So errors are counted up to a cap, and statements are about those.
"""

from theorems.betting import mean_limit, ratio_limit, share_limit, size_limit

__all__ = ["BY_BETTING", "DEMONSTRATED", "mean_limit", "ratio_limit", "share_limit", "size_limit"]
DEMONSTRATED = (
    "a demonstration at confidence 1 − level: if the statement is false, this passes with probability at "
    "most the level"
)
BY_BETTING = f"{DEMONSTRATED}; limits by betting, proved for values that are bounded above"
