"""What the laws run over: the instances of `numerics.potentials.instances` with that use."""

from numerics.potentials import Potential
from numerics.potentials.instances import Use, instances

INSTANCES: list[Potential] = [instance.potential for instance in instances(Use.LAW)]

# A1 fails for the Cantor law and biased bits, the only exclusions: T rises though K = 0 almost everywhere, so
# neither T nor prox is recovered from derivatives at points.
SINGULAR = [instance.potential for instance in instances(Use.LAW) if not instance.strata]
NEEDS_A_MANIFOLD = {
    "transport_jacobian_is_derivative",
    "prox_jacobian_is_derivative",
    "subdifferential_holds_the_noise",
    "manifold_inverts_the_transport_jacobian",
}


def label(potential: Potential) -> str:
    """A short, unique test id."""
    text = repr(potential)
    short = text if len(text) <= 48 else text[:45] + "…"
    return f"{INSTANCES.index(potential)}-{short}"
