"""Spectra and growth along learned trajectories, beside the exact curves of H1 and H5."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from numerics.flows.sampling import integrate
from theorems.learned_flows.conclusions import size_limit

if TYPE_CHECKING:
    from numerics.flows import LearnedField

Array = NDArray[np.float64]
TOLERANCE = 1e-5
"""Of the integrators: far below what networks err by."""
WINDOW = np.array([0.5, 0.6, 0.7, 0.8, 0.9])
"""Times at which learned spectra are compared with the exact ones."""
SHOWN = np.concatenate([[0.02], np.linspace(0.1, 0.9, 9), [0.95, 0.98, 0.99]])
"""Times of figures 3 and 4."""
KEPT = [9, 10, 12]
"""Those of them, t = 0.9, 0.95 and 0.99, that the tables keep."""
MARGIN = 0.25
CLIP = 2.0
"""Up to where learned eigenvalues and exponents are counted: exact ones are in [−1, 1] from t = 1/2 on."""
CHOSEN = "margin ¼: half of γ/2, the distance at which H7 tells N from T"
SPANS = ("normal within 1/4 of exact from t =", "until t =")


def span(found: Array, exact: Array) -> tuple[float | str, float | str]:
    """The first and last of `SHOWN` at which the means (k,n) over trajectories are within `MARGIN`."""
    near = SHOWN[np.abs((found - exact).mean(axis=1)) < MARGIN]
    return (float(near[0]), float(near[-1])) if len(near) else ("never", "never")


def spectra(learned: "LearnedField", x0: Array, times: Array) -> Array:
    """Eigenvalues (k,n,d), ascending, of (1−t)·½(Dv + Dvᵀ) along the learned trajectories of x0 (n,d)."""
    path = integrate(learned.velocity, x0, times, tolerance=TOLERANCE)
    found = []
    for t, points in zip(times, path, strict=True):
        jacobian = learned.jacobian(t, points)
        found.append(np.linalg.eigvalsh((1 - t) * (jacobian + jacobian.transpose(0, 2, 1)) / 2))
    return np.stack(found)


def off_limit(found: Array, exact: Array, level: float) -> Array:
    """Limits of |E(found clipped to ±`CLIP`, less exact)|, found and exact (n,…), together at ``level``."""
    off = np.clip(found, -CLIP, CLIP) - exact
    return size_limit(off, CLIP + 1, level / off[0].size)


def log_growth(learned: "LearnedField", x0: Array, times: Array) -> Array:
    """Logarithms (k,n,d), descending, of the singular values of DX_t along learned trajectories.

    By the variational equation d/dt DX_t = Dv_t(X_t)·DX_t, integrated with the trajectories.
    """
    n, d = x0.shape

    def right(t: float, state: Array) -> Array:
        points, matrices = state[:, :d], state[:, d:].reshape(n, d, d)
        turned = learned.jacobian(t, points) @ matrices
        return np.concatenate([learned.velocity(t, points), turned.reshape(n, d * d)], axis=1)

    start = np.concatenate([x0, np.tile(np.eye(d).ravel(), (n, 1))], axis=1)
    path = integrate(right, start, times, tolerance=TOLERANCE)[:, :, d:].reshape(-1, n, d, d)
    return np.log(np.linalg.svd(path, compute_uv=False))


def lipschitz(learned: "LearnedField") -> float:
    """A number that |Dv_θ(t, x)| exceeds nowhere: the product of the layers' norms, and sup|SiLU'| < 1.1."""
    weights = [p.detach().cpu().numpy() for p in learned.module.parameters() if p.ndim == 2]
    weights[0] = weights[0][:, 1 : 1 + learned.dim]  # the columns of x
    norms = [float(np.linalg.norm(weight, 2)) for weight in weights]
    return float(np.prod(norms) * 1.1 ** (len(norms) - 1))
