"""What is stated of T, D T and D prox where the argument is off: no less than the change, and attained.

Assumed: the contract. Every check that compares at a rounded argument judges by ``moved``: by how much the
answer changes where the argument does by r, to first order. Here the argument is moved, and the change held
against the mean of what is stated at both ends: the trapezoid rule, off by O(r³). A statement that is too
large is told where no direction reaches a quarter of it at any point, or a sixty-fourth at one.
"""

import numpy as np
import pytest

from numerics.potentials import Sphere
from theorems.setting.draws import generator
from theorems.setting.instances import REPRESENTATIVES
from theorems.setting.moved_arguments import (
    REMAINDER,
    SHORT,
    MisstatedSphere,
    of_its_jacobian,
    of_prox_jacobian,
    of_transport,
)

REACHED, WIDE = 4.0, 64.0
ON_THE_LINE = Sphere(1, 2.0)  # the only one whose T is constant, though a formula in d is not


def _measure(on, what, changes):
    on.estimated(
        f"change of {what} with its argument",
        changes.change,
        changes.mean * (1 + REMAINDER) + changes.off / 2,
        by="the trapezoid rule, whose remainder is of third order",
        because="the mean of what is stated at both ends, and what the answers err by themselves",
        chosen=f"{REMAINDER:g} of the statement for the remainder, the square of {SHORT:g} times 10⁴",
    )
    shares = changes.reached()
    over = 1 / np.maximum(shares, np.finfo(float).tiny)
    rest = changes.change.shape[1] - len(shares)
    for found, where, most in (
        (over.min(initial=np.inf), "best", REACHED),
        (over.max(initial=0), "worst", WIDE),
    ):
        on.estimated(
            f"what is stated of a change of {what}, over the largest change met, at the {where} point",
            found if len(shares) else 0.0,
            most,
            by="a few directions at the drawn points",
            because="some direction reaches the norm of a derivative, or its share by the axes",
            left_out=rest,
            chosen=f"{most:g} times that; left out where no change is told from rounding",
        )


@pytest.mark.claim("P1", "P2")
def test_statements_of_the_transport_follow_its_argument(evidence):
    for target in REPRESENTATIVES:
        _measure(evidence.on(target), "T", of_transport(target, generator(5)))


@pytest.mark.claim("P5")
def test_statements_of_jacobians_follow_their_argument(evidence):
    for target in (*REPRESENTATIVES, ON_THE_LINE):
        on = evidence.on(target)
        _measure(on, "D T", of_its_jacobian(target, generator(5)))
        _measure(on, "D prox", of_prox_jacobian(target, generator(5)))


# --- control --------------------------------------------------------------------------------------------


@pytest.mark.control("P1", "P2", "P5")
@pytest.mark.parametrize("factor", [0.5, 20.0])
def test_a_misstated_change_is_told(evidence, factor):
    """Half of the change is exceeded along the steepest way, twenty times it reached by no direction."""
    for what, changes in (("T", of_transport), ("D T", of_its_jacobian), ("D prox", of_prox_jacobian)):
        right, wrong = (changes(MisstatedSphere(f), generator(5)).reached() for f in (1.0, factor))
        evidence.on("a sphere", factor=factor).control(
            f"a statement of the change of {what} multiplied: the share of it that is reached",
            predicted=right.max(initial=0.0) / factor,
            measured=wrong.max(initial=0.0),
            agreement=0.05 * right.max(initial=0.0) / factor,
            because="a statement is linear in it, but for the rounding beside it, 1/64 at most",
            intact=right.max(initial=0.0),
            chosen="a twentieth, beyond that rounding",
        )
        assert wrong.max(initial=0.0) > 1 + REMAINDER + 1 / 64 or wrong.max(initial=0.0) < 1 / REACHED
