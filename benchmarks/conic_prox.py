"""How many certified conic prox evaluations a second: stacked and compiled, or a problem built a point?

Both by Clarabel at the same tolerances, on the same points x₁ + λx₀ with λ over six decades. The stacked rate
includes the certificate where the family's transport gives one; compilation is stated apart. The last column
is the whole warm time over Clarabel's own account of its time.
"""

import contextlib
import warnings

import cvxpy as cp
import numpy as np

from benchmarks.recording import Table, median_seconds, verdict
from numerics.potentials import Ellipsoid, FiniteAtoms, Potential, Sphere
from numerics.potentials.grassmannian import Grassmannian
from numerics.potentials.stiefel import Stiefel
from numerics.proximal import certificate
from numerics.proximal.conic import ConicProx, clarabel_settings


def cases() -> list[tuple[str, Potential, str, int, int, float]]:
    """Name, potential, route, block, points, and the goal for the ratio of rates."""
    rng = np.random.default_rng(0)

    def polytope(d: int) -> FiniteAtoms:
        return FiniteAtoms(rng.standard_normal((256, d)), rng.uniform(0, 0.3, 256))

    return [
        ("ball, d = 2", Sphere(2), "primal", 250, 1500, 30),
        ("ball, d = 3", Sphere(3), "primal", 250, 1500, 30),
        ("ellipsoid, d = 2", Ellipsoid([[2.0, 0.5], [0.5, 1.0]]), "primal", 250, 1500, 30),
        ("ellipsoid, d = 3", Ellipsoid(np.diag([1.0, 4.0, 9.0])), "primal", 250, 1500, 30),
        ("256 atoms, d = 2", polytope(2), "conjugate", 10, 300, 5),
        ("256 atoms, d = 16", polytope(16), "conjugate", 10, 300, 5),
        ("spectral ball, 2×2", Stiefel(2, 2), "primal", 50, 300, 5),
        ("spectral ball, 3×2", Stiefel(3, 2), "primal", 50, 300, 5),
        ("Fantope, n = 3, k = 1", Grassmannian(3, 1), "primal", 50, 300, 5),
    ]


def one_at_a_time(potential: Potential, route: str, z: np.ndarray, step: np.ndarray) -> None:
    """What a reader of cvxpy's documentation writes: a problem a point."""
    for point, lam in zip(z, step, strict=True):
        u = cp.Variable((1, potential.dim))
        # The conjugate's problem is minimised over y, then u = z − λy.
        value, constraints = potential.conic(u) if route == "primal" else potential.conic_conjugate(u)
        weight, target = (lam, point) if route == "primal" else (1 / lam, point / lam)
        objective = weight * cp.sum(value) + cp.sum_squares(u - target[None]) / 2
        problem = cp.Problem(cp.Minimize(objective), constraints)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cvxpy's remark on "almost solved"
            # Unscaled rows do fail at the extremes of λ; their time counts all the same.
            with contextlib.suppress(cp.SolverError):
                problem.solve(solver=cp.CLARABEL, **clarabel_settings(1e-12, True, True, 1.0))


def run() -> Table:
    columns = (
        "case",
        "block",
        "compile s",
        "a point: 1/s",
        "stacked: 1/s",
        "ratio",
        "goal",
        "over Clarabel",
        "goal ",
    )
    table = Table("conic_prox", str(__doc__).split("\n\n")[0], columns)
    table.notes = [str(__doc__).strip().split("\n\n")[1].replace("\n", " ")]
    table.notes.append(
        "What limits the ratio: Clarabel's own time stays. Without ours it would be the ratio times the "
        'column "over Clarabel".'
    )
    for name, potential, route, block, n, goal in cases():
        rng = np.random.default_rng(1)
        x0, x1 = potential.sample(n, rng)
        step = 10 ** rng.uniform(-3, 3, n)
        z = x1 + step[:, None] * x0
        prox = ConicProx(potential, route, block)
        prox(z, step)  # compiles
        compiled, prox.solve_seconds, prox.solver_seconds = prox.compile_seconds, 0.0, 0.0
        stacked = median_seconds(
            lambda p=prox, z=z, s=step: certificate.transport(p.potential, z, s, p(z, s)), 3
        )
        few = rng.choice(n, 24, replace=False)
        single = median_seconds(
            lambda p=potential, r=route, z=z[few], s=step[few]: one_at_a_time(p, r, z, s), 3
        )
        rates = 24 / single, n / stacked
        overhead = prox.solve_seconds / prox.solver_seconds
        gain = rates[1] / rates[0]
        found = (name, block, compiled, *rates, gain, verdict(gain, goal, at_least=True))
        table.rows.append((*found, overhead, verdict(overhead, 3, at_least=False)))
        print(*table.rows[-1], sep="  ", flush=True)
    return table
