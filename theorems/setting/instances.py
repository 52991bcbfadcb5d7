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
    return with_strata(name)[0][0]


def chosen(*names: str) -> tuple[Potential, ...]:
    """The potentials of the instances with these names, in this order.

    Raises:
        ValueError: If there is no instance of a name.

    Example:
        >>> from theorems.setting.instances import chosen
        >>> chosen("circle", "rotations")
        (Sphere(2, 2.0), SpecialOrthogonal())
    """
    return tuple(potential for potential, _ in with_strata(*names))


def with_strata(*names: str) -> tuple[tuple[Potential, tuple[int, ...]], ...]:
    """As `chosen`, each with the dimensions of its strata.

    Example:
        >>> from theorems.setting.instances import with_strata
        >>> with_strata("atom and normal law")[0][1]
        (0, 1)
    """
    known = {instance.name: instance for instance in instances() if instance.name}
    for name in names:
        if name not in known:
            raise ValueError(f"name: got {name!r}, use one of {', '.join(sorted(known))}")
    return tuple((known[name].potential, known[name].strata) for name in names)
