"""How much faster are the batched matrix families than a Python loop over points, at 10⁴ points?"""

import numpy as np

from benchmarks.recording import Table, median_seconds, verdict
from numerics.potentials import Grassmannian, SpecialOrthogonal, Stiefel

POINTS, LOOPED = 10_000, 300


def _limit() -> str:
    """What LAPACK alone takes where a family uses it for matrices beyond order 4."""
    matrices = np.random.default_rng(1).standard_normal((POINTS, 5, 5))
    alone = 1e6 * median_seconds(lambda: np.linalg.eigh(matrices + matrices.transpose(0, 2, 1))) / POINTS
    return (
        "what limits Grassmannian(5, 3): eigenvectors of its symmetric matrices of order 5 take LAPACK "
        f"{alone:.2g} µs a point by themselves; up to order 4 our batched Jacobi method stands for LAPACK"
    )


def run() -> Table:
    table = Table(
        "matrix_prox", str(__doc__), ("target", "map", "batch µs a point", "loop µs", "ratio", "goal")
    )
    table.notes.append(_limit())
    rng = np.random.default_rng(0)
    for target in (
        Stiefel(3, 2),
        Stiefel(3, 3),
        Stiefel(4, 3),
        Stiefel(6, 4),
        Grassmannian(3, 1),
        Grassmannian(4, 2),
        Grassmannian(5, 3),
        SpecialOrthogonal(),
    ):
        x = 2 * rng.standard_normal((POINTS, target.dim))
        for name, work in (("transport", target.transport), ("prox", lambda z, p=target: p.prox(z, 0.5))):
            batch = median_seconds(lambda f=work, z=x: f(z)) / POINTS
            loop = median_seconds(lambda f=work, z=x: [f(row[None]) for row in z[:LOOPED]]) / LOOPED
            ratio = loop / batch
            table.rows.append(
                (repr(target), name, 1e6 * batch, 1e6 * loop, ratio, verdict(ratio, 20, at_least=True))
            )
    table.notes.append(f"the loop is timed on {LOOPED} of the {POINTS} points")
    return table
