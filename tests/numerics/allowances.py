"""What members may be off by where arguments were formed in floating point, from their statements."""

import numpy as np

from numerics.accuracy import EPS


def of_transport(p, x0, roundings=1):
    """T's statement, x0 being rounded so many times."""
    return p.roundings.transport(x0, moved=roundings * EPS * np.linalg.norm(x0, axis=1)).bound


def of_prox(p, z, step, roundings=2):
    """The prox's statement, z being a sum of terms of its size and the data's, rounded so many times."""
    return p.roundings.prox(z, step, moved=roundings * EPS * (np.linalg.norm(z, axis=1) + p.scale)).bound


def of_interpolant(p, x0, step):
    """|prox(x1 + step·x0) − x1| with x1 as computed: T's error enters z and the answer."""
    image = p.roundings.transport(x0).bound
    z = p.transport(x0) + np.reshape(step, (-1, 1)) * x0
    size = np.linalg.norm(z, axis=1) + step * np.linalg.norm(x0, axis=1)
    return image + p.roundings.prox(z, step, moved=image + EPS * size).bound
