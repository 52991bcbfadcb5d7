"""How long do spectra of Dv_t along 10⁴ trajectories at 50 times in R³ take, against a loop of Jacobians?"""

import time

import numpy as np

from benchmarks.record import Table, median_seconds, verdict
from numerics.flows.exact import ExactField
from numerics.flows.spectrum import complex_jacobian, jacobian, path_eigenvalues, path_jacobians, stretches
from numerics.potentials import NearestPoint, Potential, Sphere, Torus
from numerics.schedules import Linear

POINTS, TIMES, LOOPED = 10_000, 50, 200


def run() -> Table:
    table = Table(
        "spectrum", str(__doc__), ("target", "route", "s for 5·10⁵ spectra", "largest difference", "goal")
    )
    gaps = np.exp(-np.linspace(0.05, 6, TIMES))
    for target in (Sphere(3, 2.0), NearestPoint(Torus(2.0, 0.5), 1.0)):
        x0 = np.random.default_rng(0).standard_normal((POINTS, 3))
        stated = np.sort(path_eigenvalues(Linear(), stretches(target, x0), remaining=gaps), axis=-1)
        _fill(table, target, x0, gaps, stated)
    table.notes.append(
        f"The loop takes one automatic or difference Jacobian a point; {LOOPED} are timed and the time is "
        "multiplied up. Differences are relative to |Dv|."
    )
    return table


def _fill(table: Table, target: Potential, x0: np.ndarray, gaps: np.ndarray, stated: np.ndarray) -> None:
    field = ExactField(target, Linear())

    def from_k() -> np.ndarray:
        return np.sort(path_eigenvalues(Linear(), stretches(target, x0), remaining=gaps), axis=-1)

    def from_prox() -> np.ndarray:
        return np.linalg.eigvalsh(path_jacobians(field, x0, gaps))

    name, size = repr(target), np.abs(stated).max(axis=-1, keepdims=True)
    seconds = median_seconds(from_k, 3)
    table.rows.append((name, "κ, all at once", seconds, 0.0, verdict(seconds, 5, at_least=False)))
    seconds = median_seconds(from_prox, 1)
    far = float((np.abs(from_prox() - stated) / size).max())
    table.rows.append(
        (name, "prox Jacobian, all at once", seconds, far, verdict(seconds, 10, at_least=False))
    )
    start = time.perf_counter()
    worst = 0.0
    for i in range(LOOPED):
        k = i % TIMES
        at = gaps[k : k + 1]
        x = field.flow(None, x0[i : i + 1], remaining=at)
        found = jacobian(lambda r, y: field.velocity(None, y, remaining=r), at, x, 1e-3 * at[0])
        spectrum = np.linalg.eigvalsh((found.jacobian + found.jacobian.transpose(0, 2, 1)) / 2)
        worst = max(worst, float((np.abs(spectrum - stated[k, i]) / size[k, i]).max()))
    seconds = (time.perf_counter() - start) / LOOPED * len(x0) * len(gaps)
    table.rows.append((name, "differences, a point at a time", seconds, worst, ""))
    if isinstance(target, Sphere):
        _complex_steps(table, target, x0, gaps)


def _complex_steps(table: Table, target: Sphere, x0: np.ndarray, gaps: np.ndarray) -> None:
    """Automatic Jacobians of the same field, forward through complex numbers, a point at a time."""
    field = ExactField(target, Linear())

    def velocity(r: np.ndarray, x: np.ndarray) -> np.ndarray:
        return np.asarray((target.prox(x / (1 - r)[:, None], 1.0) - x) / r[:, None])

    start, worst = time.perf_counter(), 0.0
    for i in range(LOOPED):
        at = gaps[i % TIMES : i % TIMES + 1]
        x = field.flow(None, x0[i : i + 1], remaining=at)
        found = complex_jacobian(velocity, at, x)
        exact = field.jacobian(None, x, remaining=at)
        worst = max(worst, float(np.abs(found - exact).max() / np.abs(exact).max()))
    seconds = (time.perf_counter() - start) / LOOPED * len(x0) * len(gaps)
    table.rows.append((repr(target), "automatic, a point at a time", seconds, worst, ""))
