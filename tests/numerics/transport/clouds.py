"""Hostile clouds: what the semidiscrete solver must bear (Hypothesis strategies and a fixed list)."""

import numpy as np
from hypothesis import strategies as st

KINDS = (
    "normal", "outlier", "student", "clusters", "three clusters", "small", "large", "shifted", "grid",
    "cocircular", "circle and centre", "near pair", "flat", "two rays",
)  # fmt: skip


def cloud(kind: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """About n distinct atoms in the plane, not all on a line, n ≥ 4."""
    normal = rng.normal(size=(n, 2))
    if kind == "outlier":
        normal[0] = [1e4, 0.0]
    elif kind == "student":
        return rng.standard_t(1, size=(n, 2))
    elif kind == "clusters":
        return 1e-3 * normal + np.where(np.arange(n) % 2, 5.0, -5.0)[:, None]
    elif kind == "three clusters":
        return 1e-3 * normal + np.array([[5.0, 0.0], [-5.0, 0.0], [0.0, 5.0]])[np.arange(n) % 3]
    elif kind == "grid":
        side = max(2, int(np.sqrt(n)))
        return np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2).astype(float)
    elif kind in ("cocircular", "circle and centre"):
        angle = 2 * np.pi * np.arange(n) / n
        circle = np.column_stack([np.cos(angle), np.sin(angle)])
        return circle if kind == "cocircular" else np.vstack([circle, [0.0, 0.0]])
    elif kind == "near pair":
        normal[1] = normal[0] + [1e-9, 0.0]
    elif kind == "two rays":
        t = np.arange(1, n + 1) / n
        return np.column_stack([np.where(np.arange(n) % 2, t, 0.0), np.where(np.arange(n) % 2, 0.0, t)])
    return normal * {"small": 1e-3, "large": 1e3, "flat": np.array([1.0, 1e-3])}.get(kind, 1.0) + (
        1e3 if kind == "shifted" else 0.0
    )


def spread_weights(n: int, decades: float, rng: np.random.Generator) -> np.ndarray:
    """n weights over so many decades; uniform for 0."""
    w = 10.0 ** rng.uniform(-decades, 0.0, n)
    return w / w.sum()


@st.composite
def hostile(draw, most=40):
    """(kind, points, weights)."""
    kind = draw(st.sampled_from(KINDS))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    points = cloud(kind, draw(st.integers(4, most)), rng)
    return kind, points, spread_weights(len(points), draw(st.sampled_from([0.0, 2.0, 8.0])), rng)
