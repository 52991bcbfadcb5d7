"""Objects that are pickled and copied as the call that made them."""

from collections.abc import Callable
from functools import wraps
from typing import Any


class Rebuilt:
    """Remembers the arguments of its construction, and is pickled and copied by them: closures are made anew.

    A class method that builds from functions, which do not pickle, says by `made_by` what to call instead.

    Example:
        >>> import pickle
        >>> from numerics.potentials import Sphere
        >>> pickle.loads(pickle.dumps(Sphere(3, 2.0)))
        Sphere(3, 2.0)
    """

    _made_by: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Let the outermost constructor write down what it was given."""
        super().__init_subclass__(**arguments)
        if "__init__" in cls.__dict__:
            cls.__init__ = _remembering(cls.__init__)  # type: ignore[method-assign]

    def made_by(self, make: Callable[..., Any], *args: Any) -> None:
        """From now on this object is rebuilt as ``make(*args)``."""
        object.__setattr__(self, "_made_by", (make, args, {}))

    def __reduce__(self) -> tuple[Any, ...]:
        """The call, and the name that a constructor of another name gave it."""
        made_by = self.__dict__.get("_made_by", (type(self), (), {}))
        return _rebuild, (*made_by, getattr(self, "_call", None))


def _remembering(construct: Callable[..., None]) -> Callable[..., None]:
    @wraps(construct)
    def constructor(self: Any, *args: Any, **named: Any) -> None:
        if "_made_by" not in self.__dict__:
            object.__setattr__(self, "_made_by", (type(self), args, named))
        construct(self, *args, **named)

    return constructor


def _rebuild(make: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any], call: str | None) -> Any:
    made = make(*args, **named)
    if call is not None:
        made._call = call
    return made
