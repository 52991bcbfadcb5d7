"""What kind of potential a family is: properties that statements suppose and that decide how it is asked."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Traits:
    """Properties of a potential, declared by its family and forwarded by every rule of the calculus.

    A test holds each of them against behaviour (tests/numerics/test_traits.py).

    Attributes:
        analytic: Complex steps pass through φ*, T and prox: not through singular values, quantiles and
            projections on curves, which refuse a complex argument.
        manifold: The support is a C² manifold near almost every point, so that A1 can hold.
        batched: prox of many points is found at once: Python's work does not grow with their number.
    """

    analytic: bool = False
    manifold: bool = True
    batched: bool = True

    def __and__(self, other: "Traits") -> "Traits":
        """Those of a potential made of two: what both have.

        Example:
            >>> Traits(analytic=True) & Traits(manifold=False)
            Traits(analytic=False, manifold=False, batched=True)
        """
        return Traits(
            self.analytic and other.analytic, self.manifold and other.manifold, self.batched and other.batched
        )
