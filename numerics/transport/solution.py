"""What the semidiscrete solver returns."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from numerics.deprecated import goes
from numerics.fingerprint import fingerprint
from numerics.potentials import FiniteAtoms

Method = Literal["collinear", "newton", "space", "sampled"]


@dataclass(frozen=True)
class SemidiscreteSolution:
    """Heights whose cells have the wanted Gaussian masses, and how nearly they do (docs/theory.md §4.3).

    Attributes:
        points: (n, d), the atoms.
        weights: (n,), the weights w that were asked for, summing to 1.
        heights: (n,), g; the cell of atom i is where ⟨x₀, y_i⟩ − g_i is largest.
        masses: (n,), P₀(cell), computed exactly to rounding, or ("sampled") estimated on held-out noise.
        uncertainty: (n,), half-widths within which ``masses`` are known: rounding for the exact methods,
            simultaneous confidence intervals (Clopper–Pearson, at ``level`` in all) for "sampled".
        level: Probability that some true mass lies outside; 0 for the exact methods.
        stalled: (n,), atoms whose error is above max(1e−12·w, 8·eps) because rounding stops there.
        w2_squared: W₂² between N(0, I) and the law with weights ``masses``, as the cost of the plan.
        w2_dual: The dual value at the heights for ``weights``: a lower bound of their W₂², equal to it at
            the optimum; ("sampled") estimated.
        w2_error: How far ``w2_squared`` and ``w2_dual`` may lie from W₂² for ``weights``: rounding and
            weight error, or six standard errors of the estimates.
        iterations: Newton steps, or passes over fresh noise.
        diagrams: Power diagrams built.
        draws: Held-out noise drawn for ``masses``; 0 for the exact methods.
        method: What the atoms span: "collinear" (a line: closed form), "newton" (a plane: Newton with exact
            cells), "space" (three dimensions: the same), "sampled" (more). Each states its error in
            ``uncertainty`` and ``w2_error``.
        solved_by: The code that solved it, `numerics.fingerprint.fingerprint`; "" where a file of an earlier
            version does not say.

    Example:
        >>> from numerics.transport import solve
        >>> solution = solve([[0.0], [1.0]])
        >>> solution.masses.tolist(), solution.method
        ([0.5, 0.5], 'collinear')
        >>> round(solution.w2_squared, 4)  # 1 + ½ − 2/√(2π)
        0.7021
    """

    points: Float[np.ndarray, "n d"]
    weights: Float[np.ndarray, " n"]
    heights: Float[np.ndarray, " n"]
    masses: Float[np.ndarray, " n"]
    uncertainty: Float[np.ndarray, " n"]
    level: float
    stalled: Bool[np.ndarray, " n"]
    w2_squared: float
    w2_dual: float
    w2_error: float
    iterations: int
    diagrams: int
    draws: int
    method: Method
    solved_by: str = field(default_factory=fingerprint)

    @property
    def w2_uncertainty(self) -> float:
        """The older name of ``w2_error``; it goes with the next version."""
        goes("w2_uncertainty", "w2_error")
        return self.w2_error

    @property
    def error(self) -> Float[np.ndarray, " n"]:
        """(n,), |masses − weights|; the true error of an atom is at most this plus its uncertainty."""
        return np.abs(self.masses - self.weights)

    @property
    def total_variation(self) -> float:
        """½Σ|masses − weights|. For "sampled" sampling noise biases it upwards."""
        return float(self.error.sum()) / 2

    def total_variation_interval(self, level: float = 1e-9) -> tuple[float, float]:
        """Interval that holds the true total variation but for probability ``level``.

        With N held-out draws, E‖P̂ − P‖₁ ≤ √(n/N), and a draw moves ‖P̂ − P‖₁ by at most 2/N: by McDiarmid
        ‖P̂ − P‖₁ ≤ √(n/N) + √(2 log(1/level)/N). For the exact methods: the rounding of the masses.

        Raises:
            ValueError: If level is not in (0, 1).
        """
        if not 0 < level < 1:
            raise ValueError(f"level: got {level}; it must be in (0, 1)")
        slack = float(self.uncertainty.sum()) / 2
        if self.draws:
            n = len(self.weights)
            slack = (np.sqrt(n / self.draws) + np.sqrt(2 * np.log(1 / level) / self.draws)) / 2
        return max(0.0, self.total_variation - slack), min(1.0, self.total_variation + slack)

    @property
    def potential(self) -> FiniteAtoms:
        """The Aleksandrov–Brenier potential of the atoms with the masses that the heights induce."""
        return FiniteAtoms(self.points, self.heights)
