"""Every public family and rule has a representative that each check meets."""

import inspect

import numerics.potentials as public
from numerics.potentials import Potential
from theorems.representatives import REPRESENTATIVES


def test_every_public_family_and_rule_is_represented():
    listed = " ".join(map(repr, REPRESENTATIVES)).replace(".", "(")
    named = {name: getattr(public, name) for name in public.__all__}
    families = [n for n, c in named.items() if inspect.isclass(c) and issubclass(c, Potential)]
    rules = ["rotate", "translate", "scale", "embed", "product"]
    absent = [name for name in families + rules if name != "Potential" and f"{name}(" not in listed]
    assert not absent
