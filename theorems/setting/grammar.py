"""The grammar of random targets: families wrapped in rules of the calculus; schedules, times and noise."""

import numpy as np
from hypothesis import strategies as st

from numerics.potentials import Potential, embed, product, rotate, scale, translate
from numerics.schedules import (
    Linear,
    Logarithmic,
    Polynomial,
    Schedule,
    Trigonometric,
    VariancePreserving,
)
from theorems.setting.families import FAMILIES, VARYING, quarters

MOST_DIMENSIONS = 24

seeds = st.integers(0, 2**32 - 1)


# --- schedules and times ----------------------------------------------------------------------------


def schedules() -> st.SearchStrategy[Schedule]:
    """Every schedule of the library; powers from 1/4 to 4."""
    powers = st.integers(1, 16).map(lambda k: Polynomial(k / 4))
    others = st.sampled_from([Linear(), Trigonometric(), VariancePreserving(), Logarithmic()])
    return st.one_of(others, powers)


def times() -> st.SearchStrategy[float]:
    """Times from 1e-6 to 1 − 1e-6: hundredths, and steps of 1/100 of a decade towards either end."""
    decades = st.integers(1, 600).map(lambda k: 10.0 ** (-k / 100))
    return st.one_of(st.integers(1, 99).map(lambda k: k / 100), decades, decades.map(lambda r: 1 - r))


# --- targets ----------------------------------------------------------------------------------------


def varying() -> st.SearchStrategy[Potential]:
    """Families whose φ is not constant on its domain: the ones that can see a wrong step."""
    return st.one_of([strategy for _, strategy in VARYING])


def families() -> st.SearchStrategy[Potential]:
    """Every closed-form family."""
    return st.one_of([strategy for _, strategy in FAMILIES])


def orthogonal(d: int) -> st.SearchStrategy[np.ndarray]:
    """Rotations by Cayley's transform (I − S)⁻¹(I + S) of a skew matrix; shrinks to the identity."""
    entries = d * (d - 1) // 2
    return st.lists(quarters, min_size=entries, max_size=entries).map(lambda s: _cayley(d, s))


def _cayley(d: int, entries: list[float]) -> np.ndarray:
    skew = np.zeros((d, d))
    skew[np.triu_indices(d, 1)] = entries
    skew -= skew.T
    return np.linalg.solve(np.eye(d) - skew, np.eye(d) + skew)


@st.composite
def _derived(draw: st.DrawFn, base: st.SearchStrategy[Potential]) -> Potential:
    """One operation of the calculus on a drawn target."""
    target = draw(base)
    d = target.dim
    rule = draw(st.sampled_from(["translate", "scale", "rotate", "embed", "product"]))
    if rule == "translate":
        return translate(target, draw(st.lists(quarters, min_size=d, max_size=d)))
    if rule == "scale":
        return scale(target, draw(st.integers(-4, 4).map(lambda k: 2.0**k)))
    if rule == "product":
        return product(target, draw(families()))
    higher = d if rule == "rotate" else d + draw(st.integers(1, 2))
    matrix = draw(orthogonal(higher))
    return rotate(target, matrix) if rule == "rotate" else embed(target, matrix[:, :d])


def targets(depth: int = 3) -> st.SearchStrategy[Potential]:
    """The grammar: a family, wrapped in up to ``depth`` operations of the calculus, d ≤ 24."""
    wrapped = families()
    for _ in range(depth):
        wrapped = st.one_of(wrapped, _derived(wrapped))
    return wrapped.filter(lambda target: target.dim <= MOST_DIMENSIONS)
