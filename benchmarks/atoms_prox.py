"""How long does one exact prox of N atoms take, against QP solvers on the conjugate form?

Ours solves all points together by active sets, to rounding; the peers solve a quadratic program a point, set
up once and updated where they allow it: minimise λ|y|²/2 − ⟨z,y⟩ + s with s ≥ ⟨y,y_i⟩ − g_i, then u = z − λy.
"""

from collections.abc import Callable
from functools import partial
from typing import Any
from unittest import mock

import numpy as np
import scipy.sparse as sp

from benchmarks.recording import Table, median_seconds
from numerics.potentials import FiniteAtoms
from numerics.solvers import active_set

POINTS, FEW = 2000, 40
LIMITS = (
    "What limits ours at 256 atoms: every pivot of a point compares all atoms, and the "
    "certificate comes on top; the first atom is the best single one already. Errors are roundings, those "
    "of DAQP are in the seventh digit."
)


def with_daqp(atoms: FiniteAtoms, z: np.ndarray, step: np.ndarray) -> np.ndarray:
    import daqp

    d = atoms.dim
    constraints = np.hstack([atoms.points, -np.ones((len(atoms.points), 1))])
    lower = np.full(len(constraints), -1e30)
    sense = np.zeros(len(constraints), dtype=np.int32)
    u = np.empty_like(z)
    for i, (point, lam) in enumerate(zip(z, step, strict=True)):
        hessian = np.diag(np.append(np.full(d, lam), 0.0))
        linear = np.append(-point, 1.0)
        x, _, flag, _ = daqp.solve(hessian, linear, constraints, atoms.heights, lower, sense)
        u[i] = point - lam * x[:d] if flag > 0 else np.nan
    return u


def with_osqp(atoms: FiniteAtoms, z: np.ndarray, step: np.ndarray) -> np.ndarray:
    import osqp

    d = atoms.dim
    constraints = sp.csc_matrix(np.hstack([atoms.points, -np.ones((len(atoms.points), 1))]))
    solver = osqp.OSQP()
    diagonal = sp.diags(np.append(np.full(d, step[0]), 0.0), format="csc")
    # An explicit zero keeps its place in the pattern, so that the values may be updated.
    lower = np.full(len(atoms.points), -np.inf)
    accuracy = {"eps_abs": 1e-9, "eps_rel": 1e-9, "max_iter": 20000, "polishing": True}
    linear = np.append(-z[0], 1.0)
    solver.setup(diagonal, linear, constraints, lower, atoms.heights, verbose=False, **accuracy)
    u = np.empty_like(z)
    for i, (point, lam) in enumerate(zip(z, step, strict=True)):
        solver.update(Px=np.append(np.full(d, lam), 0.0)[: diagonal.nnz], q=np.append(-point, 1.0))
        u[i] = point - lam * solver.solve(raise_error=False).x[:d]
    return u


def with_clarabel(atoms: FiniteAtoms, z: np.ndarray, step: np.ndarray) -> np.ndarray:
    import clarabel

    d, n = atoms.dim, len(atoms.points)
    constraints = sp.csc_matrix(np.hstack([atoms.points, -np.ones((n, 1))]))
    settings = clarabel.DefaultSettings()
    settings.verbose, settings.max_threads = False, 1
    u = np.empty_like(z)
    for i, (point, lam) in enumerate(zip(z, step, strict=True)):
        hessian = sp.csc_matrix(np.diag(np.append(np.full(d, lam), 0.0)))
        cones = [clarabel.NonnegativeConeT(n)]
        solver = clarabel.DefaultSolver(
            hessian, np.append(-point, 1.0), constraints, atoms.heights, cones, settings
        )
        u[i] = point - lam * np.array(solver.solve().x[:d])
    return u


def pivots(solve: Callable[[], object]) -> float:
    """How many pivots a point takes, on average over `POINTS`."""
    counted = 0
    pivot = active_set._pivot

    def counting(*arguments: Any) -> Any:
        nonlocal counted
        counted += len(arguments[2])
        return pivot(*arguments)

    with mock.patch.object(active_set, "_pivot", counting):
        solve()
    return counted / POINTS


PEERS = {"DAQP": with_daqp, "OSQP": with_osqp, "Clarabel": with_clarabel}


def run() -> Table:
    table = Table(
        "atoms_prox",
        str(__doc__).split("\n\n")[0],
        ("N", "d", "ours µs a point", "of which active set", "pivots"),
    )
    table.notes = [str(__doc__).strip().split("\n\n")[1].replace("\n", " ")]
    table.notes.append(LIMITS)
    peers = {}
    for name, solve in PEERS.items():
        try:
            __import__(name.lower())
            peers[name] = solve
        except ImportError:
            table.notes.append(f"{name} is not installed: its columns are left out")
    table.columns += tuple(f"{name} {what}" for name in peers for what in ("µs", "largest difference"))
    for n in (16, 64, 256):
        for d in (2, 8, 64):
            rng = np.random.default_rng(n + d)
            atoms = FiniteAtoms(rng.standard_normal((n, d)) / np.sqrt(d), rng.uniform(0, 0.1, n))
            # Half of the points on the support, half anywhere: there the prox lies inside faces.
            x0, x1 = atoms.sample(POINTS, rng)
            x1[::2] = rng.standard_normal((POINTS // 2, d)) / np.sqrt(d)
            step = 10 ** rng.uniform(-1, 1, POINTS)
            z = x1 + step[:, None] * x0 / np.where(np.arange(POINTS) % 2, 1, 10)[:, None]
            ours = median_seconds(lambda a=atoms, z=z, s=step: a.prox(z, s), 3) / POINTS
            exact, row = atoms.prox(z[:FEW], step[:FEW]), [n, d, 1e6 * ours]
            bare = partial(active_set.solve, atoms.points, atoms.heights, z, step)
            row += [1e6 * median_seconds(bare, 3) / POINTS, pivots(bare)]
            for solve in peers.values():
                work = lambda f=solve, a=atoms, z=z[:FEW], s=step[:FEW]: f(a, z, s)  # noqa: E731
                row += [1e6 * median_seconds(work, 3) / FEW, float(np.nanmax(np.abs(work() - exact)))]
            table.rows.append(tuple(row))
            print(*row, sep="  ", flush=True)
    return table
