"""What POT's `emd` does with a batch: an audit, which decides nothing (M1; batches as proximal: P9)."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from numerics.accuracy import EPS


@pytest.mark.asks("M1")
def test_network_simplex_returns_an_optimal_permutation(evidence, rng):
    import ot  # it imports torch: a second for every run that asks something else

    n = 128
    on = evidence.on("batches of 128, d = 2")
    x0 = rng.standard_normal((n, 2))
    x1 = np.sign(rng.standard_normal((n, 2))) + rng.standard_normal((n, 2)) / 4
    cost = ot.dist(x0, x1)
    plan = ot.emd([], [], cost)
    pairs = int((plan > 0).sum())
    on.audit(
        "Is the plan of two uniform batches a permutation?",
        "agrees" if pairs == n and np.abs(plan.max(axis=1) - 1 / n).max() <= 4 * EPS else "deviates",
        n,
        pairs,
        because="vertices of the polytope of doubly stochastic matrices are permutations; n pairs carry mass",
        subject=f"POT {ot.__version__} emd",
    )
    best = float(cost[linear_sum_assignment(cost)].mean())
    found = float((plan * cost).sum())
    on.audit(
        "Is its cost that of the optimal assignment?",
        "agrees" if abs(found - best) <= 4 * n * EPS * best else "deviates",
        best,
        found,
        because="the optimum by SciPy's shortest augmenting paths; sums of n terms",
        subject=f"POT {ot.__version__} emd",
    )
    drawn = rng.choice(n * n, size=n, p=plan.ravel() / plan.sum())
    used = len(np.unique(drawn % n))
    expected = n * (1 - (1 - 1 / n) ** n)
    on.audit(
        "Data of a batch in use when n pairs are drawn from the plan with replacement",
        "deviates" if used < n else "agrees",
        n,
        used,
        because=f"each datum once; with replacement {expected:.1f} are expected (control of M1)",
        subject="sampling pairs from the plan",
    )
