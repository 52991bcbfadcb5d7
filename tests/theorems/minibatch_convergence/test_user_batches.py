"""What exact pairs of a user's cloud cost beside batches, where the solve was timed and where it was not."""

from dataclasses import replace

import numpy as np
import pytest

from numerics.transport import batch_sizes, solve
from theorems.minibatch_convergence.user_batches import COST_COLUMNS, costs


def test_exact_pairs_cost_less_after_as_many_as_the_solve_took() -> None:
    found = batch_sizes(solve([[0.0], [1.0], [3.0]]), [4, 16], rng=np.random.default_rng(0), pool=64)
    rows = [
        replace(row, seconds=row.n * seconds) for row, seconds in zip(found.rows, (0.25, 1e-9), strict=True)
    ]
    timed = replace(found, rows=tuple(rows), pair_seconds=0.05)
    table = costs(timed, 10.0)
    assert [len(row) for row in table] == [len(COST_COLUMNS)] * 3
    assert [row[3] for row in table] == ["50", "never: batches are cheaper", "after solving for 10 s"]
    before = ["not known: the file holds its solution", "never: batches are cheaper", "solved before"]
    assert [row[3] for row in costs(timed, np.nan)] == before
    assert table[0][2] == pytest.approx(0.25)
