"""How does evaluating a prox compare with libraries that offer the same function, on the same points?"""

from importlib.util import find_spec

import numpy as np

from benchmarks.recording import Table, median_seconds
from numerics.potentials import FiniteAtoms, Potential, Sphere
from numerics.proximal.conic import ConicProx

POINTS, STEP = 10_000, 0.5
CASES: tuple[tuple[str, Potential, str, tuple[object, ...]], ...] = (
    ("ball in R³", Sphere(3), "EuclideanBall", (np.zeros(3), 1.0)),
    ("box in R⁴ (the cube's envelope)", FiniteAtoms.hypercube(4), "Box", (-1.0, 1.0)),
    ("ℓ₁ ball in R⁴ (the cross-polytope's envelope)", FiniteAtoms.cross_polytope(4), "L1Ball", (4, 1.0)),
)


def run() -> Table:
    columns = ("function", "library", "µs a point", "largest difference from ours")
    table = Table("peer_prox", str(__doc__), columns)
    rng = np.random.default_rng(0)
    for what, target, name, arguments in CASES:
        z = 2 * rng.standard_normal((POINTS, target.dim))
        ours = target.prox(z, STEP)
        seconds = median_seconds(lambda p=target, z=z: p.prox(z, STEP))
        table.rows.append((what, "ours", 1e6 * seconds / POINTS, 0.0))
        _conic(table, what, target, z[:500], ours[:500])
        _pyproximal(table, what, name, arguments, z[:500], ours[:500])
    if find_spec("pyproximal") is None:
        table.notes.append("pyproximal is not installed (pip install pyproximal): left out")
    if find_spec("fastprox") is None:
        table.notes.append("fastprox needs Python 3.12 or newer and is not installed: left out")
    table.notes.append("our box and ℓ₁ ball are general envelopes of atoms; peers use their special form")
    return table


def _conic(table: Table, what: str, target: Potential, z: np.ndarray, ours: np.ndarray) -> None:
    solver = ConicProx(target, block=50)
    solver(z, STEP)
    seconds = median_seconds(lambda: solver(z, STEP))
    difference = float(np.abs(solver(z, STEP) - ours).max())
    table.rows.append((what, "cvxpy with Clarabel, stacked", 1e6 * seconds / len(z), difference))


def _pyproximal(
    table: Table, what: str, name: str, arguments: tuple[object, ...], z: np.ndarray, ours: np.ndarray
) -> None:
    if find_spec("pyproximal") is None:
        return
    import pyproximal

    operator = getattr(pyproximal, name)(*arguments)
    seconds = median_seconds(lambda: [operator.prox(row, STEP) for row in z])
    difference = float(np.abs(np.array([operator.prox(row, STEP) for row in z]) - ours).max())
    table.rows.append((what, "pyproximal, a point at a time", 1e6 * seconds / len(z), difference))
