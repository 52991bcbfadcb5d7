"""The shapes in the signatures of `numerics` are checked while these tests run."""

import jaxtyping
import numpy as np
import pytest

from numerics.geometry import tangent_basis
from numerics.potentials import Sphere


def test_a_wrong_number_of_axes_is_noticed():
    with pytest.raises(jaxtyping.TypeCheckError, match="tangent_basis"):
        tangent_basis(np.array([1.0, 0.0]))


def test_a_wrong_dtype_is_noticed():
    with pytest.raises(jaxtyping.TypeCheckError, match="tangent_basis"):
        tangent_basis(np.array([[1, 0]]))


def test_two_sizes_that_disagree_are_noticed():
    with pytest.raises(jaxtyping.TypeCheckError, match="_prox"):
        Sphere(2)._prox_jacobian(np.zeros((3, 2)), np.ones(4))


def test_every_public_module_is_checked():
    import numerics.solvers.active_set
    import numerics.transport.semidiscrete

    for function in (numerics.solvers.active_set.solve, numerics.transport.semidiscrete.solve):
        assert hasattr(function, "__wrapped__"), f"{function.__module__} was imported without the hook"
