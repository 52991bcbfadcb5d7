"""Eigenvalues of symmetric doubles to one rounding, and kernels as kernels."""

import mpmath as mp
import numpy as np
import pytest
from flint import arb, arb_mat, ctx

from numerics import symmetric
from numerics.accuracy import UNIT
from numerics.symmetric import symmetric_frame


def _dense(d, condition, rng):
    axes = np.linalg.qr(rng.standard_normal((d, d)))[0]
    matrix = axes * np.geomspace(1, 1 / condition, d) @ axes.T
    return (matrix + matrix.T) / 2


@pytest.mark.parametrize("d", [2, 3, 4, 6])
def test_eigenvalues_are_rounded_once(d):
    rng = np.random.default_rng(d)
    for condition in (1.0, 1e3, 1e8, 1e14, 1e15):
        matrix = _dense(d, condition, rng)
        with mp.workdps(60):
            exact = sorted(mp.eigsy(mp.matrix(matrix.tolist()), eigvals_only=True))
            found = symmetric_frame(matrix).values
            assert all(abs(mp.mpf(float(f)) / e - 1) <= UNIT for f, e in zip(found, exact, strict=True))


@pytest.mark.parametrize("rank", range(6))
def test_a_kernel_is_found(rank):
    factor = np.random.default_rng(rank).integers(-8, 9, (6, rank)) / 4
    values = symmetric_frame(factor @ factor.T).values
    assert (np.abs(values[: 6 - rank]) <= 2.0**-230 * np.abs(values[-1])).all()
    assert (values[6 - rank :] > 0.01).all()


@pytest.mark.parametrize("matrix", [np.ones((5, 5)), np.eye(3) + 1e-30, [[1.0, 1e-60], [1e-60, 1.0]]])
def test_equal_and_nearly_equal_eigenvalues(matrix):
    matrix = np.asarray(matrix)
    frame = symmetric_frame(matrix)
    rebuilt = frame.axes * frame.values @ frame.axes.T
    assert np.abs(rebuilt - matrix).max() <= 16 * len(matrix) * UNIT * np.abs(matrix).max()
    assert np.abs(frame.axes.T @ frame.axes - np.eye(len(matrix))).max() <= 16 * len(matrix) * UNIT


def test_diagonal_matrices_are_exact():
    frame = symmetric_frame(np.diag([3.0, 0.0, 1e-300]))
    assert frame.exact
    assert frame.values.tolist() == [0.0, 1e-300, 3.0]


@pytest.mark.parametrize("wrong", ["value", "axis"])
def test_a_wrong_frame_misses_its_certificate(wrong):
    with ctx.workprec(320):
        values, axes = [arb(1), arb(2)], arb_mat([[1, 0], [0, 1]])
        matrix = arb_mat([[1, 0], [0, 2]])
        symmetric._certify(matrix, values, axes)
        slip = arb(10) ** -60
        if wrong == "value":
            values[1] += slip
        else:
            axes[0, 1] = slip
        with pytest.raises(RuntimeError, match="certificate"):
            symmetric._certify(matrix, values, axes)
