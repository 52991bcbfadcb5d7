"""The type checker under which `numerics` is imported by the tests: shapes, dtypes and classes.

What NumPy makes an array of is left to the functions, which validate it: beartype takes no tuple for an
`ArrayLike`.
"""

from beartype import BeartypeConf, FrozenDict, beartype
from numpy.typing import ArrayLike

_unchecked = FrozenDict({ArrayLike: object, ArrayLike | None: object})
checked = beartype(conf=BeartypeConf(is_pep484_tower=True, hint_overrides=_unchecked))  # an int for a float
