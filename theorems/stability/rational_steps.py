r"""Two atoms on the line in fractions: the pair (u, y) of any point, Euler's steps, with no rounding.

Atoms 0 and Δ, noise beyond b is sent to Δ: φ is linear of slope b on [0, Δ], and prox_{λφ}(z) = z − λb
there, cut off at the ends. Every quantity is a quotient of integers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class TwoAtoms:
    """φ of two atoms.

    Attributes:
        distance: Δ > 0.
        tie: b, where noise changes from one to the other.
    """

    distance: Fraction
    tie: Fraction

    def pair(self, t: Fraction, x: Fraction) -> tuple[Fraction, Fraction]:
        """(u, y) with x = (1−t)y + tu and y ∈ ∂φ(u), 0 < t < 1."""
        u = min(max((x - (1 - t) * self.tie) / t, Fraction(0)), self.distance)
        return u, (x - t * u) / (1 - t)

    def transport(self, x0: Fraction) -> Fraction:
        """T(x₀); 0 at the tie."""
        return self.distance if x0 > self.tie else Fraction(0)

    def velocity(self, t: Fraction, x: Fraction) -> Fraction:
        """v_t(x) = (u − x)/(1−t), by the formula of the field; T − Id at t = 0."""
        return (self.transport(x) if t == 0 else self.pair(t, x)[0]) / (1 - t) - x / (1 - t)

    def euler_steps(self, x0: Fraction, errors: Sequence[Fraction]) -> list[Fraction]:
        """All positions of len(errors) Euler steps with errors e_k of the velocity."""
        n, path = len(errors), [x0]
        for k, e in enumerate(errors):
            path.append(path[-1] + (self.velocity(Fraction(k, n), path[-1]) + e) / n)
        return path
