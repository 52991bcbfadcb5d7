"""What does prox on a face of a curved set cost, for many points together and for one at a time?"""

import numpy as np

from benchmarks.recording import Table, median_seconds, verdict
from numerics.potentials import Arc, Curve, NearestPoint, PointCloud
from numerics.potentials.closed_sets import Union
from numerics.potentials.solved_faces import SolvedFaces

TOGETHER, ALONE, STEP = 1000, 10, 1.0
BEFORE = 20.0
"""Milliseconds a point when faces were polished one at a time."""
SETS = (
    Union(Arc(1.0, 0.25, 2.5), PointCloud([[0.0, -1.0], [2.0, 0.0]])),
    Curve.spiral(1.0),
    Curve.trefoil(),
)


def run() -> Table:
    """Points whose prox is on a face: drawn about the set, those on the set left out."""
    columns = ("set", "faces", "ms a face", "ms a face, one at a time", f"{BEFORE:.0f} ms over it", "goal")
    table = Table("curved_faces", str(__doc__), columns)
    for closed_set in SETS:
        target = NearestPoint(closed_set, 1.0)
        z = 0.7 * target.scale * np.random.default_rng(0).standard_normal((4 * TOGETHER, target.dim))
        z = z[SolvedFaces(target._lifted, z, np.full(len(z), STEP)).on_face][:TOGETHER]
        together = 1e3 * median_seconds(lambda p=target, z=z: _solve(p, z)) / len(z)
        alone = (
            1e3 * median_seconds(lambda p=target, z=z: [_solve(p, one[None]) for one in z[:ALONE]]) / ALONE
        )
        gain = BEFORE / together
        table.rows.append((repr(closed_set), len(z), together, alone, gain, verdict(gain, 20, at_least=True)))
    table.notes.append(f"{BEFORE:.0f} ms a point is what was measured before faces were solved together")
    return table


def _solve(target: NearestPoint, z: np.ndarray) -> None:
    SolvedFaces(target._lifted, z, np.full(len(z), STEP))
