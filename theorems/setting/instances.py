"""The instances that every check meets, whatever is drawn: a view of `numerics.potentials.instances`.

Twenty random draws may miss a family. Each of these is an explicit example of every check over `TARGETS`; a
test of ours compares them with the public families.
"""

from numerics.potentials import Potential
from numerics.potentials.instances import Use, instances

REPRESENTATIVES: tuple[Potential, ...] = tuple(i.potential for i in instances(Use.REPRESENTATIVE))
"""One of every family and of every rule of the calculus, and degenerate ones: one atom, a hidden atom."""


def named(name: str) -> Potential:
    """The potential of the instance with this name.

    Raises:
        ValueError: If there is none.

    Example:
        >>> from theorems.setting.instances import named
        >>> named("circle")
        Sphere(2, 2.0)
    """
    for instance in instances():
        if instance.name == name:
            return instance.potential
    known = sorted(instance.name for instance in instances() if instance.name)
    raise ValueError(f"name: got {name!r}, use one of {', '.join(known)}")
