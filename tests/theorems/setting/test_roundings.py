"""What an inverse errs by when its matrix does: to all orders, against exact inverses of 2×2 matrices."""

from fractions import Fraction

import numpy as np

from numerics.accuracy import Rounding
from tests.numerics.accuracy.harness import judge
from theorems.setting.roundings import hessian_rounding, inverse_rounding

GRID = 2.0**-20  # entries on a grid, so that sums of matrices are exact


def _inverse(matrix):
    (a, b), (c, d) = [[Fraction(float(v)) for v in row] for row in matrix]
    determinant = a * d - b * c
    return [[d / determinant, -b / determinant], [-c / determinant, a / determinant]]


def _apart(found, exact):
    off = [Fraction(float(found[i][j])) - exact[i][j] for i in range(2) for j in range(2)]
    return float(np.sqrt(float(sum(v * v for v in off))))


def _cases(n):
    """(K, K + E, bound of |E|), E up to the least eigenvalue of K + E, along its eigenvector or not."""
    rng = np.random.default_rng(0)
    for _ in range(n):
        turn = np.linalg.qr(rng.standard_normal((2, 2)))[0]
        least = 10.0 ** rng.uniform(-1, 0)
        found = GRID * np.round(turn @ np.diag([least, rng.choice([1.0, 1e3, 1e4])]) @ turn.T / GRID)
        weak = np.linalg.eigh(found)[1][:, 0]
        size = least * rng.choice([rng.uniform(0, 1), 10.0 ** rng.uniform(-4, 0)])
        pushed = np.outer(weak, weak) if rng.random() < 0.5 else rng.standard_normal((2, 2))
        error = GRID * np.round(size * pushed / np.linalg.norm(pushed) / GRID)
        yield found - error, found, float(np.linalg.norm(error) * (1 + 1e-12))


class _Stated:
    """A potential of which K is off by so much."""

    def __init__(self, rho):
        self._rho, self.roundings = rho, self

    def transport_jacobian(self, x0):
        return Rounding.measured(np.full(len(x0), self._rho), "given")


def test_inverses_to_all_orders():
    errors, stated, of_hessian, shares = [], [], [], []
    for exact, found, rho in _cases(400):
        inverse = np.linalg.inv(found)
        bound = float(inverse_rounding(inverse[None], Rounding.measured(rho, "given")).bound[0])
        share = np.linalg.norm(inverse) * rho
        if not np.isfinite(bound):
            assert share > 1 - 1e-12
            continue
        own = 1e-11 * np.linalg.norm(inverse)  # of np.linalg.inv at condition numbers of 1e5
        errors.append(max(_apart(inverse, _inverse(exact)) - own, 0.0))
        stated.append(bound)
        of_hessian.append(float(hessian_rounding(_Stated(rho), np.zeros((1, 2)), inverse[None]).bound[0]))
        shares.append(share)
    errors, stated, shares = np.array(errors), np.array(stated), np.array(shares)
    judge(errors, stated, floor=0.9)
    judge(errors, of_hessian, floor=0.9)
    assert (errors > stated * (1 - shares)).sum() > 20, "the first order alone is refuted"


def test_what_may_be_singular_has_no_bound():
    assert np.isinf(inverse_rounding(np.array([[[10.0]]]), Rounding.measured(0.1, "given")).bound).all()
