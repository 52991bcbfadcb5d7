__all__ = [
    "Composition",
    "ExactField",
    "GaussianPath",
    "Growth",
    "IndependentField",
    "Inverse",
    "KernelDistance",
    "LearnedField",
    "LogDensity",
    "MixtureField",
    "OptimalTransportPath",
    "PairBatches",
    "ProbedDensity",
    "ResidualMap",
    "Training",
    "Trajectory",
    "VarianceExploding",
    "VariancePreservingPath",
    "VelocityNetwork",
    "automatic_jacobian",
    "between",
    "complex_jacobian",
    "euler",
    "euler_bound",
    "euler_response",
    "euler_steps",
    "guided",
    "integrate",
    "intrinsic_dimension",
    "jacobian",
    "kick_bound",
    "kicked",
    "labelled",
    "log_density",
    "matched",
    "normal_log_density",
    "pair_of",
    "pairs",
    "path_eigenvalues",
    "path_jacobians",
    "path_singular_values",
    "probed_log_density",
    "qr_growth",
    "response",
    "solved_end",
    "train",
    "trained",
    "trajectory",
]

from . import pairs
from .automatic import automatic_jacobian
from .checkpoints import trained
from .datasets import PairBatches, labelled, matched
from .density import (
    LogDensity,
    ProbedDensity,
    log_density,
    normal_log_density,
    probed_log_density,
)
from .discrepancy import KernelDistance
from .exact import ExactField
from .guidance import guided
from .independent import IndependentField
from .integration import Trajectory, trajectory
from .learned import LearnedField, train
from .mixtures import MixtureField
from .network import VelocityNetwork
from .paths import (
    GaussianPath,
    OptimalTransportPath,
    VarianceExploding,
    VariancePreservingPath,
)
from .perturbed import (
    between,
    euler_bound,
    euler_response,
    euler_steps,
    kick_bound,
    kicked,
    pair_of,
    response,
    solved_end,
)
from .recipe import Training
from .residual import Composition, Inverse, ResidualMap
from .sampling import euler, integrate
from .spectrum import (
    Growth,
    complex_jacobian,
    intrinsic_dimension,
    jacobian,
    path_eigenvalues,
    path_jacobians,
    path_singular_values,
    qr_growth,
)
