"""How near the dimension of a cloud do our neighbours' ratios come, beside scikit-dimension's estimators?"""

import time
import warnings
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.recording import Table
from numerics.transport.dimensions import neighbour_dimensions

POINTS = 2000
OURS = (1, 8)
"""Neighbours k; 1 is the two-neighbour estimator."""
PEERS = ("TwoNN", "MLE", "MOM", "TLE", "lPCA", "CorrInt", "FisherS")
"""Some of scikit-dimension's, with its own defaults."""
Clouds = dict[str, tuple[int, np.ndarray]]


def clouds(n: int = POINTS, seed: int = 0) -> Clouds:
    """Clouds of known dimension m, by name: m and points (n,d)."""
    rng = np.random.default_rng(seed)
    angle, ball = 2 * np.pi * rng.random((n, 2)), rng.standard_normal((n, 6))
    sphere = ball[:, :3] / np.linalg.norm(ball[:, :3], axis=1, keepdims=True)
    torus = np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
    roll = 1.5 * np.pi * (1 + 2 * rng.random(n))
    flat = np.linalg.qr(rng.standard_normal((64, 5)))[0]
    return {
        "circle in R²": (1, torus[:, [0, 2]]),
        "sphere in R³": (2, sphere),
        "Swiss roll in R³": (
            2,
            np.column_stack([roll * np.cos(roll), 20 * rng.random(n), roll * np.sin(roll)]),
        ),
        "flat torus in R⁴": (2, torus),
        "normal law on a plane of dimension 5 in R⁶⁴": (5, ball[:, :5] @ flat.T),
        "cube in R¹⁰": (10, rng.random((n, 10))),
    }


def run(n: int = POINTS, peers: tuple[str, ...] = PEERS) -> Table:
    """Each estimator on each cloud; fewer points and peers show that it works."""
    columns = ("cloud", "m", "by", "dimension found", "off by", "s")
    table = Table("dimension_peers", str(__doc__), columns)
    for name, (m, points) in clouds(n).items():
        for k in OURS:
            start = time.perf_counter()
            found = neighbour_dimensions(points, [k])[0].dimension
            _row(table, name, m, f"ours, neighbours {k} and {2 * k}", found, start)
        for peer in peers if find_spec("skdim") else ():
            start = time.perf_counter()
            _row(table, name, m, f"scikit-dimension, {peer}", _by_peer(peer, points), start)
    table.notes.append(
        f"{n} points each, drawn once; every estimator with its defaults, none was fitted to these;"
        " a peer's first call compiles"
    )
    table.notes.append(_peer_note())
    return table


def _by_peer(name: str, points: np.ndarray) -> float:
    import skdim

    estimator: Any = getattr(skdim.id, name)()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(estimator.fit(points).dimension_)


def _row(table: Table, name: str, m: int, by: str, found: float, start: float) -> None:
    table.rows.append((name, m, by, float(found), abs(float(found) - m), time.perf_counter() - start))


def _peer_note() -> str:
    try:
        return f"scikit-dimension {version('scikit-dimension')}"
    except PackageNotFoundError:
        return "scikit-dimension is not installed (pip install scikit-dimension): left out"
