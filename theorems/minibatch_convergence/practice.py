"""Which batch size is enough: three targets with known fields, and how the answer is shown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from sklearn.datasets import load_digits, make_moons

from numerics.accuracy import UNIT, Rounding
from numerics.potentials import Potential, Sphere
from numerics.transport.couplings import BatchEstimate
from numerics.transport.sampled import Budget
from numerics.transport.semidiscrete import solve
from numerics.transport.solution import SemidiscreteSolution
from theorems.setting.induced_cost import cost_reach
from theorems.setting.vectors import norm

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOLERANCES = (1.0, 0.3, 0.1, 0.03, 0.01)  # of E|v|²
SHARES = (0.3, 0.1, 0.03, 0.01)  # of the loss of pairs as drawn
LEVEL = 1e-3
PROBES = 1000
"""Pairs at which the prox is asked what it errs by."""
COLOURS = ("#4269d0", "#c2410c", "#15803d")
Row = Mapping[int, BatchEstimate]


@dataclass(frozen=True)
class Case:
    """A target whose field is known.

    Attributes:
        potential: Of the target.
        source: Where it comes from.
        w2: W₂² from the noise.
        w2_error: How far it may be off; of a law that was sampled, six standard errors and its weights'.
        reach: How far it may be off but for a probability: a theorem.
        points: How many points the cloud has; None for a law in closed form.
    """

    potential: Potential
    source: str
    w2: float
    w2_error: float
    reach: Callable[[float], float]
    points: int | None = None

    def sizes(self, batches: Mapping[int, int]) -> dict[int, int]:
        """Those batch sizes n that are at most a quarter of the cloud."""
        return {n: count for n, count in batches.items() if self.points is None or 4 * n <= self.points}

    @property
    def rounding(self) -> Rounding:
        """Of |x₁ − p|² and of the gap: inner products of d terms of the data's size and of noise below 10."""
        size = self.potential.scale + 10 + np.sqrt(self.potential.dim)
        return Rounding(size**2, 8 * (self.potential.dim + 4), "inner products of d terms, and their sums")


def practical_targets(thorough: bool) -> dict[str, Case]:
    """Two moons and digits as weighted clouds, solved; the circle in closed form.

    All 1797 digits and 2048 points of the moons where there is time; otherwise the first 500, and 1024. The
    loss depends on how many there are.
    """
    moons = solve(make_moons(2048 if thorough else 1024, noise=0.05, random_state=0)[0])
    images = load_digits().data
    cloud = ((images - images.mean(axis=0)) / 16)[: None if thorough else 500]
    digits = solve(cloud, budget=Budget() if thorough else Budget(draws=500, held_out=500))
    circle = Case(Sphere(2), "closed form", 3 - np.sqrt(2 * np.pi), 1e-15, lambda _: 1e-15)
    which = "all 1797 digits" if thorough else "the first 500 of 1797 digits (all in the profile thorough)"
    return {
        f"two moons, {len(moons.points)} points": _solved(moons, f"{len(moons.points)} points"),
        "circle": circle,
        f"digits, {len(cloud)} images": _solved(digits, which),
    }


def _solved(found: SemidiscreteSolution, what: str) -> Case:
    exact = "semidiscrete, exact to rounding"
    if found.draws:
        most = found.total_variation_interval(1e-9)[1]
        exact = f"semidiscrete by sampling: exact for weights within {most:.2g} of uniform (total variation)"
    source = f"{what} in dimension {found.points.shape[1]}: {exact}"
    reach = partial(cost_reach, found)
    return Case(found.potential, source, found.w2_squared, found.w2_error, reach, len(found.points))


def probed_rounding(potential: Potential, t: float, rng: np.random.Generator) -> float:
    """The most that the prox states, at `PROBES` pairs as drawn, of what it makes of |ẋ − v|².

    |x₁ − p|²/(1−t)² moves by (2|x₁ − p|ρ + ρ²)/(1−t)² if p = prox_{λφ}(x₁ + λx₀) is off by ρ.
    """
    step, noise = (1 - t) / t, rng.standard_normal((PROBES, potential.dim))
    data = potential.sample(PROBES, rng)[1]
    z = data + step * noise
    found = potential.proximal_point(z, step)
    off = found.rounding.point.bound + 4 * UNIT * (norm(data) + step * norm(noise))  # λ, λx₀ and the sum
    return float(((2 * norm(data - found.point) + off) * off).max() / (1 - t) ** 2)


def sufficient(losses: Row, whole: float, tolerances: Sequence[float]) -> list[str]:
    """For each tolerance the smallest n from which on the interval's upper end is within it of ``whole``."""
    upper = {n: estimate.interval(LEVEL)[1] / whole for n, estimate in losses.items()}
    answers = []
    for tolerance in tolerances:
        enough = [n for n in upper if all(u <= tolerance for k, u in upper.items() if k >= n)]
        answers.append(str(enough[0]) if enough else f"> {max(upper)}")
    return answers


def draw_practice(
    figure: "Figure",
    cases: Mapping[str, Case],
    excess: Mapping[str, Row],
    losses: Mapping[float, Mapping[str, Row]],
) -> None:
    """Relative loss against n with intervals, one panel a time; dashed, the bound by the excess."""
    panels = figure.subplots(1, len(losses), sharey=True)
    for axes, (t, found) in zip(panels, losses.items(), strict=True):
        for colour, (name, case) in zip(COLOURS, cases.items(), strict=True):
            sizes = np.array(list(found[name]))
            ends = np.array([[e.mean, *e.interval(LEVEL)] for e in found[name].values()]).T / case.w2
            bound = np.array([e.mean for e in excess[name].values()]) / (2 * t * (1 - t) * case.w2)
            reach = np.stack([ends[0] - np.maximum(ends[1], ends[0] / 10), ends[2] - ends[0]])
            axes.errorbar(sizes, ends[0], reach, fmt="o-", ms=3, lw=1.0, color=colour, label=name)
            axes.loglog(sizes, bound, "--", lw=0.8, color=colour)
        for tolerance in TOLERANCES:
            axes.axhline(tolerance, color="#9ca3af", lw=0.4)
        axes.set_title(f"t = {t:g}; dashed: bound by the cost", fontsize=9)
        axes.set_xlabel("batch size $n$")
    panels[0].set_ylabel(r"$E|\dot x_t-v_t|^2/E|v_t|^2$")
    panels[0].legend(fontsize=8)
