"""Products with Jacobians and densities of eigenvalues, held against dense matrices and SciPy's eigsh."""

import numpy as np
import pytest
import torch
from scipy.sparse.linalg import LinearOperator, eigsh

from numerics.flows.automatic import automatic_jacobian, automatic_products
from numerics.flows.products import spectral_density


def network(d):
    torch.manual_seed(1)
    layers = torch.nn.Sequential(torch.nn.Linear(d, 32), torch.nn.SiLU(), torch.nn.Linear(32, d)).double()
    return lambda t, x: layers(x) * (1 + t) - x


def test_products_are_those_of_the_jacobian(rng):
    field, x, z = network(5), rng.standard_normal((7, 5)), rng.standard_normal((7, 5))
    pushed, pulled = automatic_products(field, 0.3, torch.tensor(x), torch.tensor(z))
    dense = automatic_jacobian(field, 0.3, x)
    np.testing.assert_allclose(pushed.numpy(), np.einsum("nij,nj->ni", dense, z), atol=1e-12)
    np.testing.assert_allclose(pulled.numpy(), np.einsum("nji,nj->ni", dense, z), atol=1e-12)
    assert np.abs(pushed.numpy() - pulled.numpy()).max() > 0.01


def test_a_constant_field_and_a_wrong_shape():
    x = torch.ones((2, 3), dtype=torch.float64)
    pushed, pulled = automatic_products(lambda _, x: torch.ones_like(x), 0.0, x, x)
    assert not pushed.any()
    assert not pulled.any()
    with pytest.raises(ValueError, match=r"got shape \(2,\)"):
        automatic_products(lambda _, x: x[:, 0], 0.0, x, x)


def test_all_eigenvalues_of_small_matrices(rng):
    matrices = rng.standard_normal((4, 6, 6))
    matrices = matrices + matrices.swapaxes(1, 2)
    start = rng.standard_normal((4, 6))
    found = spectral_density(lambda z: np.einsum("nij,nj->ni", matrices, z), start, 20)
    values, vectors = np.linalg.eigh(matrices)
    np.testing.assert_allclose(found.nodes, values, atol=1e-9)
    shares = np.einsum("nij,ni->nj", vectors, start) ** 2 / (start**2).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.weights, shares, atol=1e-9)
    np.testing.assert_allclose(found.mean(lambda v: v**2), (shares * values**2).sum(axis=1), rtol=1e-9)


def test_extremes_and_counts_of_a_large_matrix(rng):
    """d = 600, 7 eigenvalues at 0, the others near −1: ends as by eigsh, the count of 7 is estimated."""
    d, m = 600, 7
    frame = np.linalg.qr(rng.standard_normal((d, d)))[0]
    values = np.concatenate([np.linspace(-0.1, 0.1, m), rng.uniform(-1.1, -0.9, d - m)])
    matrix = (frame * values) @ frame.T
    found = spectral_density(lambda z: z @ matrix, rng.standard_normal((64, d)), 40)
    ends = [eigsh(LinearOperator((d, d), lambda z: matrix @ z), 1, which=w)[0][0] for w in ("SA", "LA")]
    assert (found.least >= ends[0] - 1e-9).all()
    assert (found.largest <= ends[1] + 1e-9).all()
    np.testing.assert_allclose(found.least.min(), ends[0], atol=2e-2)
    np.testing.assert_allclose(found.largest.max(), ends[1], atol=1e-6)
    near = np.abs(found.nodes[:, :, None] - values).min(axis=2)
    assert (near <= found.residuals + 1e-9).all()
    counts = d * found.share_above(-0.5)
    assert counts.mean() == pytest.approx(m, abs=6 * np.sqrt(2 * m / 64) + 1e-9)  # Var of a χ²_m-like count
    assert counts.std() > 0


def test_a_space_that_is_used_up():
    """An eigenvector as a start: one node has all the weight, and nothing else counts."""
    found = spectral_density(lambda z: z * np.array([3.0, -1.0, 2.0, 0.5]), [[0.0, 1.0, 0.0, 0.0]], 4)
    assert found.least.tolist() == found.largest.tolist() == [-1.0]
    assert found.share_above(0.0).tolist() == [0.0]
    with pytest.raises(ValueError, match="steps"):
        spectral_density(lambda z: z, np.ones((1, 2)), 0)


def test_residuals_are_those_of_ritz_vectors(rng):
    """|Ay − θy| for the vectors y = Qs of the Krylov space, made here by an orthonormal basis of it."""
    matrix = rng.standard_normal((8, 8))
    matrix, start = matrix + matrix.T, rng.standard_normal((1, 8))
    found = spectral_density(lambda z: z @ matrix, start, 4)
    basis = np.linalg.qr(np.stack([np.linalg.matrix_power(matrix, k) @ start[0] for k in range(4)], axis=1))[
        0
    ]
    nodes, vectors = np.linalg.eigh(basis.T @ matrix @ basis)
    ritz = basis @ vectors
    np.testing.assert_allclose(found.nodes[0], nodes, atol=1e-9)
    residuals = np.linalg.norm(matrix @ ritz - nodes * ritz, axis=0)
    np.testing.assert_allclose(found.residuals[0], residuals, atol=1e-8)
