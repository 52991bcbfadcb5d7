"""Batched Jacobi decompositions against their definitions, over sizes, ranks and scales."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.accuracy import EPS
from numerics.solvers import jacobi

BATCH = jacobi.SMALLEST_BATCH


def _graded(seed, n, p, decades):
    rng = np.random.default_rng(seed)
    scales = 10.0 ** rng.uniform(-decades, decades, (BATCH, 1, p))
    return rng.standard_normal((BATCH, n, p)) * scales


def _off(frames):
    gram = frames.transpose(0, 2, 1) @ frames
    return np.abs(gram - np.eye(gram.shape[1])).max()


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(0, 3), st.sampled_from([0, 3, 100]))
def test_singular_values(seed, p, extra, decades):
    x = _graded(seed, p + extra, p, decades)
    u, s, v = jacobi.svd(x)
    size = np.linalg.norm(x, axis=(1, 2))
    assert _off(u) <= 64 * EPS
    assert _off(v) <= 64 * EPS
    assert (np.diff(s, axis=1) <= 0).all()
    missed = np.linalg.norm((u * s[:, None]) @ v.transpose(0, 2, 1) - x, axis=(1, 2))
    assert (missed <= 64 * EPS * size).all()
    assert (np.abs(s - np.linalg.svd(x, compute_uv=False)).max(axis=1) <= 64 * EPS * size).all()


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.floats(-150, 150))
def test_eigenvalues(seed, n, exponent):
    x = _graded(seed, n, n, 0) * 10.0**exponent
    x = x + x.transpose(0, 2, 1)
    values, vectors = jacobi.eigh(x)
    size = np.linalg.norm(x, axis=(1, 2))
    assert _off(vectors) <= 64 * EPS
    assert (np.diff(values, axis=1) <= 0).all()
    missed = np.linalg.norm((vectors * values[:, None]) @ vectors.transpose(0, 2, 1) - x, axis=(1, 2))
    assert (missed <= 64 * EPS * size).all()


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_rank_deficient_matrices_have_orthonormal_frames(rank):
    rng = np.random.default_rng(5)
    x = rng.standard_normal((BATCH, 4, rank)) @ rng.standard_normal((BATCH, rank, 3))
    u, s, v = jacobi.svd(x)
    assert _off(u) <= 64 * EPS
    assert _off(v) <= 64 * EPS
    assert (s[:, rank:] <= 64 * EPS * np.maximum(s[:, :1], 1e-300)).all()


def test_repeated_eigenvalues():
    q = np.linalg.qr(np.random.default_rng(0).standard_normal((BATCH, 3, 3)))[0]
    x = (q * [2.0, 2.0, -1.0]) @ q.transpose(0, 2, 1)
    values, vectors = jacobi.eigh((x + x.transpose(0, 2, 1)) / 2)
    assert np.abs(values - [2.0, 2.0, -1.0]).max() <= 64 * EPS
    assert _off(vectors) <= 64 * EPS
    assert np.abs(jacobi.eigh(np.zeros((BATCH, 3, 3)))[0]).max() == 0


@pytest.mark.parametrize("count", [1, BATCH - 1])
def test_small_batches_agree_with_large_ones(count):
    x = np.random.default_rng(2).standard_normal((BATCH, 4, 3))
    large, small = jacobi.svd(x)[1][:count], jacobi.svd(x[:count])[1]
    assert np.abs(large - small).max() <= 64 * EPS * np.abs(large).max()
