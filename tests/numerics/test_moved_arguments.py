"""What a statement adds where its argument is off: ``moved`` of T, D T and D prox, from both sides.

The theorems ask it of the representatives (`theorems.setting.moved_arguments`); here it is asked of every
instance. A statement that is too large is seen where no direction reaches a quarter of it at any point.
"""

import numpy as np
import pytest

from tests.numerics.registry import INSTANCES, SINGULAR, label
from theorems.setting.moved_arguments import MisstatedSphere, of_its_jacobian, of_prox_jacobian, of_transport

FLOOR = 0.25
"""Of a statement, which some direction must reach: Frobenius norm and axes cost up to √d."""
every_law = pytest.mark.parametrize(
    "changes", [of_transport, of_its_jacobian, of_prox_jacobian], ids=lambda changes: changes.__name__
)


def _follows(found):
    """Nowhere exceeded, and reached; a map that is constant has nothing to reach."""
    beyond = found.beyond()
    assert (beyond <= 0).all(), f"{found.change.flat[beyond.argmax()]:.3g} is {beyond.max():.3g} beyond"
    assert found.reached().max(initial=0.0) >= FLOOR or not found.reached().size


@every_law
@pytest.mark.parametrize("potential", INSTANCES, ids=label)
def test_a_statement_follows_its_argument(potential, changes):
    _follows(changes(potential, np.random.default_rng(11)))


@pytest.mark.parametrize("potential", INSTANCES, ids=label)
def test_kinks_leave_room_where_there_is_a_manifold(potential):
    """Else the law of D prox would move nothing."""
    x0, x1 = potential.sample(10, np.random.default_rng(11))
    assert (potential.proximal_point(x1 + x0, 1.0).kink > 0).any() or potential in SINGULAR


@every_law
@pytest.mark.parametrize("factor", [0.0, 0.9, 5.0])
def test_a_misstated_change_is_rejected(changes, factor):
    _follows(changes(MisstatedSphere(1.0), np.random.default_rng(11)))
    with pytest.raises(AssertionError):
        _follows(changes(MisstatedSphere(factor), np.random.default_rng(11)))
