"""What do validation and the general contract cost the simplest prox, a ball's, on 10⁶ × 2 points?"""

import numpy as np

from benchmarks.recording import Table, median_seconds, verdict
from numerics.potentials import Sphere


def run() -> Table:
    z = 2 * np.random.default_rng(0).standard_normal((10**6, 2))
    steps = np.full(len(z), 0.5)
    sphere = Sphere(2)
    bare = median_seconds(lambda: z * np.minimum(1, 1 / np.sqrt((z * z).sum(axis=1)))[:, None])
    table = Table("sphere_prox", str(__doc__), ("what", "ms", "times bare", "goal"))
    table.rows.append(("bare NumPy: z·min(1, 1/√Σz²)", 1e3 * bare, 1.0, ""))
    for what, work in [
        ("Sphere(2).prox(z, 0.5)", lambda: sphere.prox(z, 0.5)),
        ("Sphere(2).prox(z, steps), a step a point", lambda: sphere.prox(z, steps)),
    ]:
        seconds = median_seconds(work)
        table.rows.append((what, 1e3 * seconds, seconds / bare, verdict(seconds / bare, 3, at_least=False)))
    return table
