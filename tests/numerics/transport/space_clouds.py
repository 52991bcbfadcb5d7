"""Hostile clouds in space: what the solver must bear there (Hypothesis strategy and a fixed list)."""

import numpy as np
from hypothesis import strategies as st

from tests.numerics.transport.clouds import spread_weights

KINDS = (
    "normal", "outlier", "student", "clusters", "four clusters", "small", "large", "shifted", "grid",
    "turned grid", "cospherical", "cospherical, random", "sphere and centre", "cylinder", "near pair", "flat",
    "three rays", "two planes", "cube", "octahedron",
)  # fmt: skip


def cloud(kind: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """About n distinct atoms that span space, n ≥ 5."""
    makers = {
        "student": lambda: rng.standard_t(1, size=(n, 3)),
        "grid": lambda: grid(n),
        "turned grid": lambda: grid(n) @ turn(rng).T,
        "cospherical": lambda: sphere(n, 3.0 * np.arange(n)),
        "cospherical, random": lambda: unit(rng.normal(size=(n, 3))),
        "sphere and centre": lambda: np.vstack([unit(rng.normal(size=(n, 3))), np.zeros(3)]),
        "cylinder": lambda: cylinder(n),
        "three rays": lambda: (np.arange(3, n + 6) // 3 / n)[:, None] * np.eye(3)[np.arange(3, n + 6) % 3],
        "cube": lambda: np.stack(np.meshgrid(*[[-1.0, 1.0]] * 3), axis=-1).reshape(-1, 3),
        "octahedron": lambda: np.vstack([np.eye(3), -np.eye(3)]),
    }
    if kind in makers:
        return makers[kind]()
    normal = rng.normal(size=(n, 3))
    if kind == "outlier":
        normal[0] = [1e4, 0.0, 0.0]
    elif kind == "clusters":
        return 1e-3 * normal + np.where(np.arange(n) % 2, 5.0, -5.0)[:, None]
    elif kind == "four clusters":
        return 1e-3 * normal + np.vstack([5 * np.eye(3), [-5.0, 0, 0]])[np.arange(n) % 4]
    elif kind == "near pair":
        normal[1] = normal[0] + [1e-9, 0.0, 0.0]
    elif kind == "two planes":
        normal[:, 2] = np.arange(n) % 2
    sizes = {"small": 1e-3, "large": 1e3, "flat": np.array([1.0, 1.0, 1e-3])}
    return normal * sizes.get(kind, 1.0) + (1e3 if kind == "shifted" else 0.0)


def grid(n: int) -> np.ndarray:
    """A cubic grid of about n atoms, at least 8."""
    side = max(2, round(n ** (1 / 3)))
    return np.stack(np.meshgrid(*[np.arange(side) / 2.0] * 3), axis=-1).reshape(-1, 3)


def turn(rng: np.random.Generator) -> np.ndarray:
    """A random orthogonal matrix."""
    return np.linalg.qr(rng.normal(size=(3, 3)))[0]


def sphere(n: int, angle: np.ndarray) -> np.ndarray:
    """Points of the unit sphere on circles of latitude, three a circle."""
    height = 1 - 2 * (np.arange(n) // 3 + 0.5) / (-(-n // 3))
    around = 2 * np.pi * angle / 9
    flat = np.sqrt(1 - height**2)
    return np.column_stack([flat * np.cos(around), flat * np.sin(around), height])


def cylinder(n: int) -> np.ndarray:
    """Two regular polygons above each other: cocircular atoms on both and on every side."""
    angle = 2 * np.pi * np.arange(n // 2) / (n // 2)
    ring = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(n // 2)])
    return np.vstack([ring, ring + np.array([0.0, 0.0, 1.0])])


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of length 1."""
    return vectors / np.linalg.norm(vectors, axis=1)[:, None]


@st.composite
def hostile(draw, most=40):
    """(kind, points, weights)."""
    kind = draw(st.sampled_from(KINDS))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    points = cloud(kind, draw(st.integers(6, most)), rng)
    return kind, points, spread_weights(len(points), draw(st.sampled_from([0.0, 2.0, 8.0])), rng)
