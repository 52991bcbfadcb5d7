"""The margin of A3 is sharp: within it the data stay, beyond it they leave, by the transport alone."""

import numpy as np
import pytest

from numerics.potentials import Arc, FiniteAtoms, NearestPoint, Sphere, product
from theorems.normal_hyperbolicity.margins import DIRECTIONS, TURNS, nearest_exit
from theorems.setting.draws import generator
from theorems.setting.instances import REPRESENTATIVES

SHARP = 0.01
BLOCKS = product(Sphere(2, 1.0), FiniteAtoms.two([0.0], [1.0], 0.2))
TARGETS = [
    *(target for target in REPRESENTATIVES if target.traits.manifold),
    product(NearestPoint(Arc(1.0, 0.25, 2.5), 0.75), Sphere(3, 0.5)),
]
SEARCH = {
    "by": f"{2 * DIRECTIONS} directions in N, each turned {TURNS} times to where T goes",
    "because": "T(x₀ + h) = x₁ for h ∈ N exactly while x₀ + h ∈ ∂φ(x₁)",
    "chosen": "one in a hundred",
}


def _stated(target, x0):
    return np.array([target.subdifferential(target.transport(x)[0]).boundary_distance(x)[0] for x in x0])


def _found(target, x0, stated, seed):
    rng = generator(seed)
    return np.array([nearest_exit(target, x, s, rng) for x, s in zip(x0, stated, strict=True)])


def _excess(larger, smaller):
    """larger/smaller − 1, not below 0; 0 where both are infinite."""
    both = np.isinf(larger) & np.isinf(smaller)
    ratio = np.divide(larger, smaller, out=np.ones(len(larger)), where=~both)
    return np.maximum(ratio - 1, 0.0)


@pytest.mark.claim("H4")
def test_distance_to_the_boundary_is_where_the_transport_leaves(evidence):
    for target in TARGETS:
        x0, _ = target.sample(4, generator(3))
        stated = _stated(target, x0)
        found = _found(target, x0, stated, 4)
        on = evidence.on(target, x0=x0)
        on.estimated("A3's distance beyond the nearest exit of T", _excess(stated, found), SHARP, **SEARCH)
        on.estimated("nearest exit of T beyond A3's distance", _excess(found, stated), SHARP, **SEARCH)


@pytest.mark.control("H4")
@pytest.mark.parametrize("factor", [2.0, np.sqrt(2.0), 0.5])
def test_a_distance_of_another_size_is_told(evidence, factor):
    x0, _ = BLOCKS.sample(4, generator(3))
    wrong = factor * _stated(BLOCKS, x0)
    found = _found(BLOCKS, x0, wrong, 4)
    evidence.on(BLOCKS, factor=factor).control(
        "A3's distance multiplied: its ratio to the nearest exit",
        predicted=factor,
        measured=wrong / found,
        agreement=SHARP * factor,
        because="the exit does not depend on what is stated",
        intact=1.0,
    )


@pytest.mark.control("H4")
def test_the_larger_distance_of_two_blocks_is_told(evidence):
    """A cell of a product ends where the first of its factors' cells ends."""
    x0, _ = BLOCKS.sample(4, generator(3))
    ball, atoms = Sphere(2, 1.0), FiniteAtoms.two([0.0], [1.0], 0.2)
    first, second = _stated(ball, x0[:, :2]), _stated(atoms, x0[:, 2:])
    largest = np.maximum(first, second)
    found = _found(BLOCKS, x0, largest, 4)
    evidence.on(BLOCKS).control(
        "the larger of two blocks' distances: its ratio to the nearest exit",
        predicted=largest / np.minimum(first, second),
        measured=largest / found,
        agreement=SHARP * largest / np.minimum(first, second),
        because="the distance of a product is the least of its blocks'",
        intact=1.0,
    )
