"""The condition number of a face, by its own name and by the older one."""

import numpy as np
import pytest

from numerics.solvers.active_set import on_face


def test_a_thin_face_is_ill_conditioned():
    """A right triangle with legs 1 and 1e-3: R is diagonal, so the ratio is the condition number."""
    atoms = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1e-3]])
    found = on_face(atoms, np.zeros(3), np.array([[0, 1, 2]]), np.array([[0.2, 1e-4]]), np.ones(1))
    edges = (atoms[1:] - atoms[0]).T
    assert found.condition_number == pytest.approx(np.linalg.cond(edges), rel=1e-12)
    assert found.point == pytest.approx(np.array([[0.2, 1e-4]]), abs=1e-15)


def test_the_older_name_still_answers():
    found = on_face(np.eye(2), np.zeros(2), np.array([[0, 1]]), np.zeros((1, 2)), np.ones(1))
    with pytest.warns(DeprecationWarning, match="use condition_number"):
        assert found.condition is found.condition_number
