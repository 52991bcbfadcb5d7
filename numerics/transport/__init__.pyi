__all__ = [
    "Arc",
    "BatchEstimate",
    "BatchSize",
    "BatchSizes",
    "Budget",
    "CurveLift",
    "DimensionEstimate",
    "ExpectedCost",
    "Plan",
    "SemidiscreteSolution",
    "SolveInterrupted",
    "SurfaceLift",
    "TwoAtomLaw",
    "assignment",
    "assignment_probability",
    "batch_sizes",
    "bernstein_copula",
    "estimate_cost",
    "estimate_excess",
    "estimate_loss",
    "expected_cost",
    "greedy",
    "independent",
    "lift",
    "lift_surface",
    "load",
    "load_heights",
    "log_assignment_probability",
    "log_assignment_rounding",
    "merge_duplicates",
    "neighbour_dimensions",
    "normal_order_means",
    "optimal_plan",
    "save",
    "save_heights",
    "solve",
    "sphere_places",
    "sweep_excess",
    "torus_places",
    "two_atom_law",
    "two_moons",
]

from .batch_sizes import BatchSize, BatchSizes, batch_sizes
from .costs import ExpectedCost, expected_cost
from .couplings import (
    BatchEstimate,
    assignment,
    estimate_cost,
    estimate_excess,
    estimate_loss,
    greedy,
    independent,
)
from .dimensions import DimensionEstimate, neighbour_dimensions
from .duplicates import merge_duplicates
from .interruption import SolveInterrupted, load_heights, save_heights
from .lifts import Arc, CurveLift, lift, two_moons
from .minibatch import assignment_probability, bernstein_copula
from .order_statistics import normal_order_means
from .plans import Plan, optimal_plan
from .sampled import Budget
from .semidiscrete import solve
from .solution import SemidiscreteSolution
from .storage import load, save
from .surfaces import SurfaceLift, lift_surface, sphere_places, torus_places
from .sweeps import sweep_excess
from .tilted import log_assignment_probability, log_assignment_rounding
from .two_atoms import TwoAtomLaw, two_atom_law
