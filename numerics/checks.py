"""Validation of what comes from outside: one clear `ValueError` before any work starts."""

import cmath
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike, NDArray

from numerics.accuracy import EPS

_REAL = np.dtype(np.float64)
"""Most arrays have it already, and are asked a million times: then nothing is converted."""


def as_array(name: str, value: ArrayLike, *, ndim: int | tuple[int, ...]) -> NDArray[np.float64]:
    """Return ``value`` as a float64 array, checked to be real, non-empty and finite.

    Args:
        name: The argument's name, for the message.
        value: Anything NumPy can turn into numbers; complex ones must have no imaginary part.
        ndim: The number of axes wanted, or several that are allowed.

    Raises:
        ValueError: If it isn't numeric, has another number of axes, is empty, has a NaN or an infinity, or
            is not real, naming the first bad index.
    """
    array = as_complex_array(name, value, ndim=ndim)
    if array.dtype != _REAL and array.imag.any():
        index = tuple(int(i) for i in np.argwhere(array.imag)[0])
        raise ValueError(f"{name}: entry {index} is {array[index]}; every entry must be real")
    return np.asarray(array.real, dtype=np.float64)


def as_complex_array(name: str, value: ArrayLike, *, ndim: int | tuple[int, ...]) -> NDArray[np.inexact]:
    """Return ``value`` as `as_array` does; complex128 where it is complex, so that complex steps pass.

    Raises:
        ValueError: As `as_array`, but for entries that are not real.
    """
    try:
        array = np.asarray(value)
        if array.dtype != _REAL:
            array = array.astype(np.complex128 if np.iscomplexobj(array) else np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: not an array of numbers ({error})") from error
    allowed = (ndim,) if isinstance(ndim, int) else ndim
    if array.ndim not in allowed:
        wanted = " or ".join(map(str, allowed))
        raise ValueError(f"{name}: got shape {array.shape}, need {wanted} axes")
    if array.size == 0:
        raise ValueError(f"{name}: got shape {array.shape}, it is empty; give at least one entry")
    is_finite = cmath.isfinite(array.item()) if array.size == 1 else np.isfinite(array).all()
    if not is_finite:
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name}: entry {index} is {array[index]}; every entry must be finite")
    return array


def as_points(name: str, value: ArrayLike, dim: int) -> Float[np.ndarray, "n d"]:
    """Return ``value`` as real points, one a row; a single point of shape (d,) becomes one row.

    Raises:
        ValueError: As `as_array`, or if the rows don't have ``dim`` entries.
    """
    return _rows(name, as_array(name, value, ndim=(1, 2)), dim)


def as_complex_points(name: str, value: ArrayLike, dim: int) -> Inexact[np.ndarray, "n d"]:
    """Return ``value`` as points of which complex ones pass, for derivatives by complex steps.

    Raises:
        ValueError: As `as_points`, but for entries that are not real.
    """
    return _rows(name, as_complex_array(name, value, ndim=(1, 2)), dim)


def _rows(name: str, array: NDArray[Any], dim: int) -> NDArray[Any]:
    if array.shape[-1] != dim:
        raise ValueError(f"{name}: got shape {array.shape}, need (n, {dim}) for this potential")
    return np.atleast_2d(array)


def finite_rows(name: str, found: Float[np.ndarray, "n ..."], what: str) -> Float[np.ndarray, "n ..."]:
    """Return ``found``, one result a row of the argument ``name``, if all of it is finite.

    Raises:
        ValueError: Naming the first row whose ``what`` is no finite number.
    """
    finite = np.isfinite(found).reshape(len(found), -1).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise ValueError(f"{name}: row {row} has a {what} that is no finite double; move it")
    return found


def as_positive(name: str, value: ArrayLike, n: int) -> Float[np.ndarray, " n"]:
    """Return a scalar or n values as n positive numbers.

    Raises:
        ValueError: As `as_array`, or if the length is neither 1 nor n, or an entry is not positive.
    """
    array = as_array(name, value, ndim=(0, 1))
    if array.ndim == 1 and array.shape[0] != n:
        raise ValueError(f"{name}: got {array.shape[0]} values for {n} points; give one or {n}")
    least = array.min()
    if not least > 0:
        raise ValueError(f"{name}: got {least}; it must be real and greater than 0")
    return np.full(n, array) if array.ndim == 0 else array


def as_distances(name: str, value: ArrayLike, n: int) -> Float[np.ndarray, " n"]:
    """Return a scalar or n values as n distances, of which none is negative.

    Raises:
        ValueError: As `as_array`, or if the length is neither 1 nor n, or an entry is negative.
    """
    array = as_array(name, value, ndim=(0, 1))
    if array.ndim == 1 and len(array) != n:
        raise ValueError(f"{name}: got {len(array)} values for {n} points; give one or {n}")
    if (array < 0).any():
        raise ValueError(f"{name}: got {array.min()}; a distance is not negative")
    return np.broadcast_to(array, (n,))


def positive_number(name: str, value: float) -> float:
    """Return a single positive finite number.

    Raises:
        ValueError: If it isn't one.
    """
    number = float(as_array(name, value, ndim=0))
    if number <= 0:
        raise ValueError(f"{name}: got {number}; it must be greater than 0")
    return number


def symmetric_matrix(name: str, value: ArrayLike, *, definite: bool) -> Float[np.ndarray, "d d"]:
    """Return a symmetric positive semidefinite (or definite) matrix, symmetrised to rounding.

    Accuracy: none that is semidefinite is refused, nor one that misses it by no more than the rounding of
    sums of d + 2 products, LLᵀ, which err by (d+2)u·tr A in norm. Accepted are only those whose
    eigenvalues exceed −4(d+2)eps·tr A. Decided by a Cholesky factor of A + sI, s = (d+2)eps·tr A: it exists
    where the least eigenvalue of A + sI exceeds γ_{d+1}/(1−γ_{d+1}) of the trace, and where it exists no
    eigenvalue is below that with a minus sign [@higham2002accuracy, thm 10.3]. With ``definite`` eigenvalues
    up to d·eps·max are refused, too, as LAPACK knows them.

    Raises:
        ValueError: If it is not square, not symmetric within rounding, or has such an eigenvalue.
    """
    matrix = as_array(name, value, ndim=2)
    d = matrix.shape[0]
    if matrix.shape != (d, d):
        raise ValueError(f"{name}: got shape {matrix.shape}; it must be square")
    size = float(np.abs(matrix).max())
    asymmetry = float(np.abs(matrix - matrix.T).max())
    if asymmetry > 16 * d * EPS * size:
        raise ValueError(
            f"{name}: differs from its transpose by {asymmetry:.3g}; pass (A + A.T)/2 if that is meant"
        )
    matrix = (matrix + matrix.T) / 2
    semidefinite = _is_semidefinite(matrix)
    if semidefinite and not definite:
        return matrix
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if not semidefinite or smallest <= d * EPS * size:
        kind = "definite" if definite else "semidefinite"
        raise ValueError(f"{name}: smallest eigenvalue is {smallest:.3g}; it must be positive {kind}")
    return matrix


def _is_semidefinite(matrix: Float[np.ndarray, "d d"]) -> bool:
    """Does A + sI have a Cholesky factor? A is divided by a power of 2 first, so that nothing underflows."""
    d = len(matrix)
    scaled = np.ldexp(matrix, -np.frexp(np.abs(matrix).max())[1])
    shift = (d + 2) * EPS * np.trace(scaled)
    try:
        np.linalg.cholesky(scaled + shift * np.eye(d))
    except np.linalg.LinAlgError:
        return not matrix.any()
    return True


def positive_integer(name: str, value: int, *, least: int = 1) -> int:
    """Return an integer of at least ``least``.

    Raises:
        ValueError: If it isn't an integer, or is smaller.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name}: got {value!r}; it must be an integer of at least {least}")
    return int(value)


def as_generator(name: str, value: np.random.Generator | int) -> np.random.Generator:
    """Return a generator; an integer of at least 0 seeds a new one.

    Raises:
        ValueError: If it is neither. NumPy's global state and its old ``RandomState`` are not used here.

    Example:
        >>> as_generator("rng", 0).random() == np.random.default_rng(0).random()
        True
    """
    if isinstance(value, np.random.Generator):
        return value
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= 0:
        return np.random.default_rng(int(value))
    raise ValueError(f"{name}: got {value!r}; give numpy.random.default_rng(seed), or a seed of at least 0")
