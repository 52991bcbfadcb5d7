"""The type checker under which `numerics` is imported by the tests: shapes, dtypes and classes.

Arguments that the functions validate themselves, with a message for the user, are left to them: what
NumPy makes an array of (beartype takes no tuple for an `ArrayLike`), integers (NumPy's are integers too),
and names.
"""

from typing import Literal

from beartype import BeartypeConf, FrozenDict, beartype
from numpy.typing import ArrayLike

_routes = Literal["primal", "conjugate"]
_unchecked = FrozenDict({ArrayLike: object, ArrayLike | None: object, int: object, _routes: object})
checked = beartype(conf=BeartypeConf(is_pep484_tower=True, hint_overrides=_unchecked))  # an int for a float
