"""Beyond space, how nearly does sampling meet weights, against POT with at least as much CPU time?"""

import time
from functools import partial

import numpy as np

from benchmarks.recording import Table
from benchmarks.transport_peers import pot, timed
from numerics.transport.sampled import Budget
from numerics.transport.semidiscrete import solve

COLUMNS = ("cloud", "n", "d", "solver", "CPU s", "true total variation, estimated", "what was drawn")
BUDGET = Budget(draws=1000, held_out=100)
FRESH = 500


def clouds() -> dict[str, np.ndarray]:
    from sklearn.datasets import load_digits

    rng = np.random.default_rng(0)
    images = load_digits().data / 16
    return {
        "normal": rng.normal(size=(500, 4)),
        "exponential": rng.exponential(size=(500, 10)),
        "handwritten digits": images - images.mean(axis=0),
    }


def total_variation(points: np.ndarray, heights: np.ndarray) -> float:
    """½Σ|P − w| for uniform w, without sampling noise: √χ²/2, χ² unbiased from two independent samples."""
    n, rng = len(points), np.random.default_rng(99)
    shares = []
    for _ in range(2):
        counts = np.zeros(n)
        for _ in range(FRESH * n // 256):
            noise = rng.normal(size=(256, points.shape[1]))
            counts += np.bincount((noise @ points.T - heights).argmax(axis=1), minlength=n)
        shares.append(counts / counts.sum() - 1 / n)
    return float(np.sqrt(max(n * (shares[0] @ shares[1]), 0.0)) / 2)


def run() -> Table:
    table = Table("sampled", str(__doc__), COLUMNS)
    for name, points in clouds().items():
        begin = time.process_time()
        solution = solve(points, budget=BUDGET)
        spent = time.process_time() - begin
        n, d = points.shape
        says = f"{BUDGET.draws} an atom, and {BUDGET.held_out} held out"
        table.rows.append((name, n, d, "ours", spent, total_variation(points, solution.heights), says))
        heights, _, seconds, says = timed(partial(pot, seconds=spent), points, twice=False)
        deviation = "failed" if heights is None else total_variation(points, heights)
        table.rows.append((name, n, d, "POT", seconds, deviation, says))
    table.notes.append(
        "Uniform weights. POT is given the CPU time of ours, our measurement of the masses included; its"
        " steps are timed in a short run before. √χ²/2 is at least the total variation; it is estimated from"
        f" two samples of {FRESH} draws an atom, 0 where noise hides it."
    )
    return table
