"""Tables of a point cloud, .csv and .parquet: one point a row, one coordinate a column.

A column named `weight` or `weights` holds the weights; every other column is a coordinate, and a note lists
them. A column of whole numbers that is named as an index or as labels, or counts the rows, is refused, and so
is one of positive numbers that is named nearly as weights: each would be a coordinate. A first line 0,1,2,…
is refused, too: pandas names columns so, and it may be a point. What is wrong is said in one line, a
`ValueError` that names the column and the row (rows count from 0, without the header).
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from theorems.setting.user.arrays import LIKE_WEIGHTS, WEIGHTS, Read, listed
from theorems.setting.user.sizes import refuse_size

INDEX = re.compile(r"|index|idx|id|rows?|row_?names?|unnamed: \d+|__index_level_\d+__", re.I)
OF_LABELS = r"(labels?|class(es)?|targets?|clusters?|categor(y|ies)|species|cls|digits?)"
LABEL = re.compile(
    rf"(\w+[_ ])?{OF_LABELS}(_?(id|idx|code|true|pred)s?)?_?|y_(true|pred|train|test)|gt|ground_truth", re.I
)
FEWEST_COUNTED = 20
"""Rows from which a column of consecutive whole numbers is taken for an index: chosen."""
COMMAS = "is no number: entries are separated by commas, as numpy.savetxt(FILE, points, delimiter=',') does"
NO_NUMBER = "is no number: every column but `weights` is a coordinate, so drop the others"


def read_csv(file: Path) -> Read:
    """A table in UTF-8 with commas; a first line that is not all numbers names the columns.

    Raises:
        ValueError: If it is no such table, or an entry is no number.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            return _table(stream)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"not a table with commas, in UTF-8 ({error})") from error


def _table(stream: Iterator[str]) -> Read:
    lines = (line for line in csv.reader(stream) if line)
    first = next(lines, None)
    if first is None:
        raise ValueError("the table is empty; give one point a line")
    _refuse_counting(first)
    names = None if all(map(_is_number, first)) else [name.strip() for name in first]
    rows = [] if names is not None else [_numbers(first, None, 0)]
    for line in lines:
        if len(line) != len(first):
            raise ValueError(
                f"row {len(rows)} has {len(line)} entries, the first line {len(first)}; give one a column"
            )
        rows.append(_numbers(line, names, len(rows)))
        _refuse_rows(len(rows), len(first))
    if not rows:
        raise ValueError("the table has a header and no rows; give one point a line")
    return _split(np.array(rows), names or [])


def _refuse_counting(first: Sequence[str]) -> None:
    """Stop where nobody can tell a header from a point: other programs name columns by words."""
    if [entry.strip() for entry in first] == [str(k) for k in range(len(first))]:
        words = listed([f"x{k}" for k in range(len(first))])
        raise ValueError(
            f"its first line, {listed(first)}, may be names of columns, as pandas writes them, or a point;"
            f" put a line of words, such as {words}, in its place or above it"
        )


def _refuse_rows(n: int, d: int) -> None:
    """Stop while reading: the limits for the fewest coordinates that there can be."""
    if n % 1000 == 1:
        refuse_size("points", (n, max(1, d - 1)))


def _number(entry: str) -> float:
    """A number as tables write it: Python alone reads 1_0 as 10."""
    if "_" in entry:
        raise ValueError(entry)
    return float(entry)


def _is_number(entry: str) -> bool:
    try:
        _number(entry)
    except ValueError:
        return False
    return True


def _numbers(line: Sequence[str], names: Sequence[str] | None, row: int) -> np.ndarray:
    try:
        return np.array([_number(entry) for entry in line])
    except ValueError:
        column = next(k for k, entry in enumerate(line) if not _is_number(entry))
        entry = line[column].strip()
        wanted = COMMAS if re.search(r"\d[\s;]+[-+.\d]", entry) else NO_NUMBER
        said = f"{entry[:40]!r} {wanted}" if entry else "is empty; drop the row or fill it in"
        raise ValueError(f"column {names[column] if names else column!r}, row {row}: {said}") from None


def read_parquet(file: Path) -> Read:
    """A table of numbers, read by pyarrow.

    Raises:
        ValueError: If pyarrow is not installed, it is no such table, or a column holds no numbers.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise ValueError(
            "reading .parquet needs pyarrow: pip install 'otcfm-theorems[parquet]', or write .csv or .npz"
        ) from None
    try:
        table = parquet.ParquetFile(file)
        names = table.schema_arrow.names
        _refuse_columns(table.schema_arrow, names, pyarrow.types)
        d = len(names) - sum(name.lower() in WEIGHTS for name in names)
        refuse_size("points", (table.metadata.num_rows, max(d, 1)))
        read = table.read()
    except (OSError, pyarrow.ArrowException) as error:
        raise ValueError(f"not a parquet table ({' '.join(str(error).split())[:120]})") from error
    columns = []
    for name in names:
        column = read.column(name)
        if column.null_count:
            row = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
            raise ValueError(f"column '{name}', row {row}: is empty; drop the row or fill it in")
        columns.append(column.to_numpy().astype(np.float64))
    found = _split(np.stack(columns, axis=1), names)
    if found.weights is None:
        return found
    ours = next(name for name in names if name.lower() in WEIGHTS)
    return replace(found, weights=found.weights.astype(read.column(ours).to_numpy().dtype))


def _refuse_columns(schema: Any, names: Sequence[str], types: Any) -> None:
    if len(set(names)) < len(names):
        raise ValueError("two columns have the same name; give each its own")
    for name in names:
        kind = schema.field(name).type
        if not (types.is_floating(kind) or types.is_integer(kind)):
            raise ValueError(f"column '{name}': {kind} {NO_NUMBER}")


def _split(table: np.ndarray, names: Sequence[str]) -> Read:
    """Points, and weights where a column has their name.

    Raises:
        ValueError: If two have, or no column is left.
    """
    ours = [k for k, name in enumerate(names) if name.lower() in WEIGHTS]
    if len(ours) > 1:
        raise ValueError(f"columns {names[ours[0]]!r} and {names[ours[1]]!r} are both weights; keep one")
    points = np.delete(table, ours, axis=1)
    if not points.shape[1]:
        raise ValueError("the table has weights and no coordinates; give one column a coordinate")
    refuse_size("points", points.shape)
    if not names:
        return Read(points, None, ("coordinates: every column, as no line names them",))
    coordinates = [name for k, name in enumerate(names) if k not in ours]
    _refuse_labels(points, coordinates)
    if not ours:
        _refuse_weights(points, coordinates)
    note = f"coordinates: {listed(coordinates)}{f'; weights: {names[ours[0]]}' if ours else ''}"
    return Read(points, table[:, ours[0]] if ours else None, (note,))


def _refuse_weights(points: np.ndarray, names: Sequence[str]) -> None:
    """Positive numbers, beside others, under a name that is nearly that of weights."""
    for name, column in zip(names, points.T, strict=True):
        if len(names) > 1 and LIKE_WEIGHTS.fullmatch(name) and (column > 0).all():
            raise ValueError(
                f"column {name!r} looks like weights, and only `weights` is read as such; rename it so, or"
                " otherwise if it is a coordinate"
            )


def _refuse_labels(points: np.ndarray, names: Sequence[str]) -> None:
    """Whole numbers under a name that tables of labelled points have, or that count rows beside others."""
    for name, column in zip(names, points.T, strict=True):
        if (column != np.round(column)).any():
            continue
        what = "labels" if LABEL.fullmatch(name) else "an index" if INDEX.fullmatch(name) else None
        remedy = "rename it"
        if what is None and len(names) > 1 and len(column) >= FEWEST_COUNTED and (np.diff(column) == 1).all():
            what, remedy = "an index, as it counts the rows", "give the points as .npy"
        if what:
            raise ValueError(
                f"column {name!r} looks like {what}, and every column but `weights` is a coordinate; drop it,"
                f" or {remedy} if it is one"
            )
