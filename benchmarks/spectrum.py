"""How long do spectra of Dv_t along 10⁴ trajectories at 50 times in R³ take, against automatic Jacobians?"""

import time
from collections.abc import Callable

import numpy as np
import torch

from benchmarks.recording import Table, median_seconds, verdict
from numerics.flows.automatic import automatic_jacobian
from numerics.flows.exact import ExactField
from numerics.flows.spectrum import jacobian, path_eigenvalues, path_jacobians, stretches
from numerics.potentials import NearestPoint, Potential, Sphere, Torus
from numerics.schedules import Linear

POINTS, TIMES, LOOPED = 10_000, 50, 500
REMAINING = np.exp(-np.linspace(0.05, 6, TIMES))
"""1 − t of the times."""
TorchField = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Route = Callable[[], np.ndarray]


def sphere(t: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The field of `Sphere(3, 2.0)` on its trajectories: v = (R z/|z| − x)/(1−t), z = x/t."""
    return (2.0 * x / x.norm(dim=-1, keepdim=True) - x) / (1 - t[..., None])


def torus(t: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The nearest point of the torus with R = 2, r = ½, a = 1: proj(z/(1+λ)) is proj(x), as λ = (1−t)/t."""
    around = x[..., :2].norm(dim=-1, keepdim=True)
    core = torch.cat([2.0 * x[..., :2] / around, torch.zeros_like(around)], dim=-1)
    off = x - core
    return (core + 0.5 * off / off.norm(dim=-1, keepdim=True) - x) / (1 - t[..., None])


def run() -> Table:
    columns = ("target", "route", "s for 5·10⁵ spectra", "times as long as κ", "largest difference", "goal")
    table = Table("spectrum", str(__doc__), columns)
    x0 = np.random.default_rng(0).standard_normal((POINTS, 3))
    for target, field in ((Sphere(3, 2.0), sphere), (NearestPoint(Torus(2.0, 0.5), 1.0), torus)):
        _fill(table, target, field, x0)
    table.notes += [
        f"A loop takes one Jacobian a point; {LOOPED} are timed and the time is multiplied up. Differences "
        "are relative to |Dv|. All routes in float64.",
        f"torch {torch.__version__}, {torch.get_num_threads()} threads; eager, forward and reverse mode.",
    ]
    return table


def _fill(table: Table, target: Potential, field: TorchField, x0: np.ndarray) -> None:
    exact = ExactField(target, Linear())

    def from_k() -> np.ndarray:
        return np.sort(path_eigenvalues(Linear(), stretches(target, x0), remaining=REMAINING), axis=-1)

    stated = from_k()
    size = np.abs(stated).max(axis=-1, keepdims=True)
    base = median_seconds(from_k, 3)

    def add(route: str, seconds: float, found: np.ndarray, rows: slice, goal: float | None = None) -> None:
        far = np.abs(found - stated.reshape(-1, 3)[rows]) / size.reshape(-1, 1)[rows]
        aim = "" if goal is None else verdict(seconds, goal, at_least=False)
        table.rows.append((repr(target), route, seconds, seconds / base, float(far.max()), aim))

    everything = slice(None)
    add("ours: κ, all at once", base, stated.reshape(-1, 3), everything, 5)
    through_prox, seconds = _timed(lambda: np.linalg.eigvalsh(path_jacobians(exact, x0, REMAINING)))
    add("ours: prox Jacobian, all at once", seconds, through_prox.reshape(-1, 3), everything, 10)

    times = np.repeat(1 - REMAINING, len(x0))
    data = target.transport(x0)
    points = (REMAINING[:, None, None] * x0 + (1 - REMAINING)[:, None, None] * data).reshape(-1, 3)
    for route, work in _automatic(field, times, points).items():
        found, seconds = _timed(work)
        add(route, seconds, found, everything)

    sparse = slice(0, None, len(points) // LOOPED)
    factor = len(points) / LOOPED
    for route, work in _looped(field, exact, times[sparse], points[sparse]).items():
        found, seconds = _timed(work)
        add(route, seconds * factor, found, sparse)


def _automatic(field: TorchField, times: np.ndarray, points: np.ndarray) -> dict[str, Route]:
    """Automatic Jacobians of all points (n,d) at their times (n,) at once: ours and torch's own."""
    at, x = torch.as_tensor(times), torch.as_tensor(points)
    per_point = torch.func.vmap(torch.func.jacfwd(field, argnums=1))
    return {
        "ours: automatic_jacobian of a torch field": lambda: _spectra(
            automatic_jacobian(field, times, points)
        ),
        "torch.func: vmap of jacfwd, all at once": lambda: _spectra(per_point(at, x).numpy()),
    }


def _looped(field: TorchField, exact: ExactField, times: np.ndarray, points: np.ndarray) -> dict[str, Route]:
    """Jacobians of one point after the other: torch's own, and differences of the exact field."""
    pairs = list(zip(torch.as_tensor(times), torch.as_tensor(points), strict=True))

    def by_torch() -> np.ndarray:
        found = [torch.autograd.functional.jacobian(lambda y, s=s: field(s, y), y) for s, y in pairs]
        return _spectra(np.array(found))

    def by_differences() -> np.ndarray:
        found = [
            jacobian(lambda r, y: exact.velocity(None, y, remaining=r), g, y, 1e-3 * g).jacobian[0]
            for g, y in zip(1 - times, points, strict=True)
        ]
        return _spectra(np.array(found))

    return {
        "torch.autograd, a point at a time": by_torch,
        "differences, a point at a time": by_differences,
    }


def _spectra(matrices: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.eigvalsh((matrices + matrices.transpose(0, 2, 1)) / 2))


def _timed(work: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    start = time.perf_counter()
    found = work()
    return found, time.perf_counter() - start
