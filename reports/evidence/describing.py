"""A case and its values in words, as one would type them and as JSON can hold them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

LONGEST_DESCRIPTION = 2000


def describe(
    target: object, details: Mapping[str, object], index: tuple[int, ...], shape: tuple[int, ...]
) -> str:
    """The case as one would type it: ``Sphere(dim=3), t=0.5``.

    Args:
        target: What is measured.
        details: What else describes the case.
        index: The worst entry of an array of measurements.
        shape: The shape of that array; details of its shape, or with one value a row, are reduced to it.
    """
    parts = [] if target is None else [target if isinstance(target, str) else repr(target)]
    parts += [f"{name}={_at(value, index, shape)!r}" for name, value in details.items()]
    text = ", ".join(parts)
    if len(text) > LONGEST_DESCRIPTION:
        return f"{text[:LONGEST_DESCRIPTION]} … ({len(text)} characters; the command reproduces it)"
    return text


def _at(value: object, index: tuple[int, ...], shape: tuple[int, ...]) -> object:
    if isinstance(value, np.ndarray):
        n = value.ndim
        if n and value.shape == shape[:n]:
            return value[index[:n]].item()
        return value.tolist()
    return value.item() if isinstance(value, np.generic) else value


def plain(cell: Any) -> Any:
    """A table cell as JSON can hold it: numbers and words, anything else by its ``str``."""
    if isinstance(cell, np.generic | np.ndarray) and np.ndim(cell) == 0:
        cell = cell.item()
    if isinstance(cell, float) and not np.isfinite(cell):
        return str(cell)
    return cell if isinstance(cell, float | int | str | None) else str(cell)
