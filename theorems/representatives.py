"""Old name of `theorems.setting.instances`: new checks say `for_all` (theorems.setting.quantifiers)."""

from collections.abc import Callable
from typing import Any

from hypothesis import example

from numerics.potentials import Potential
from theorems.setting.instances import REPRESENTATIVES

__all__ = ["REPRESENTATIVES", "every_family"]


def every_family(
    among: Callable[[Potential], bool] = lambda _: True, **others: object
) -> Callable[[Any], Any]:
    """Add one explicit example a representative ``among`` them, with the test's other arguments as given."""

    def decorate(test: Any) -> Any:
        for target in filter(among, REPRESENTATIVES):
            test = example(target=target, **others)(test)
        return test

    return decorate
