r"""Euler's steps of the linear schedule with errors, and what they round, counted as errors of the field too.

What a step rounds is like an error of the velocity, n times as large; so the bound of N3 (5) bounds what
all roundings together make of the end as well.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from numerics.accuracy import Rounding
from numerics.flows.exact import ExactField
from numerics.flows.perturbed import euler_bound, euler_steps
from numerics.geometry import norms
from numerics.potentials import Potential

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Steps:
    """n Euler steps from noise x₀ with errors e.

    Attributes:
        target: φ.
        x0: (k,d).
        errors: (n,k,d).
        given: (n+1,k,d), the positions, where they are not to be computed: of somebody else's steps.
    """

    target: Potential
    x0: Array
    errors: Array
    given: Array | None = None

    @property
    def count(self) -> int:
        """How many steps n there are."""
        return len(self.errors)

    @cached_property
    def field(self) -> ExactField:
        """The exact field, linear schedule."""
        return ExactField(self.target)

    @cached_property
    def path(self) -> Array:
        """(n+1,k,d), all positions."""
        if self.given is not None:
            return self.given
        return np.asarray(euler_steps(self.field.velocity, self.x0, self.errors))

    @cached_property
    def image(self) -> Array:
        """T(x₀)."""
        return np.asarray(self.target.transport(self.x0))

    @cached_property
    def sizes(self) -> Array:
        """(n,k), |e_k|."""
        return np.asarray(norms(self.errors))

    @cached_property
    def slips(self) -> Array:
        """(n,k), n times what each step rounds.

        The field's own; of the time, which is off by u·t, as v is constant along characteristics:
        |∂_t v| ≤ |Dv||v| ≤ max(1/t, 1/(1−t))|v|; of the step, three operations.
        """
        found = []
        for k, (x, e) in enumerate(zip(self.path[:-1], self.errors, strict=True)):
            t, n = k / self.count, self.count
            v = self.field.velocity(t, x)
            of_start = (
                self.target.roundings.transport(x) + Rounding(norms(v), 2, "T − Id") if k == 0 else None
            )
            of_field = of_start or self.field.roundings.velocity(t, x)
            of_time = Rounding(norms(v) * max(1.0, t / (1 - t)), 2, "k/n")
            of_step = Rounding(n * norms(x) + norms(v) + norms(e), 4, "Euler's step")
            found.append((of_field + of_time + of_step).bound)
        return np.array(found)

    @cached_property
    def of_end(self) -> Rounding:
        """Of |Y_n − T(x₀)|: N3 (5) for the slips, and T's own."""
        slips = Rounding.measured(euler_bound(self.slips), "every step's rounding, as an error of the field")
        return slips + self.target.roundings.transport(self.x0) + Rounding(norms(self.image), 4, "a length")
