"""Point clouds from .npy, .csv and .parquet: read as from .npz, refused in one line, merged on request."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

from theorems.setting.user import sizes
from theorems.setting.user.targets import load

SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.5]])
WEIGHTS = np.array([0.125, 0.25, 0.125, 0.5])
PLAIN = "0,0\n1,0\n0,1\n1,1.5\n"
GOOD = {
    "plain": PLAIN,
    "header": "x,y\n" + PLAIN,
    "blank lines": "x , y\n\n" + PLAIN.replace("\n", "\r\n\r\n"),
    "byte-order mark": "\ufeffx,y\n" + PLAIN,
    "no labels": "x,target\n" + PLAIN,
    "quoted": '"x","y, up"\n"0","0"\n1,0\n0,1\n1e0,1.5\n',
}
BAD = {
    "empty": ("", ["is empty"]),
    "header alone": ("x,y\n", ["header and no rows"]),
    "name": ("x,species\n1,2\n3,setosa\n", ["column 'species', row 1", "'setosa'", "drop"]),
    "name without header": ("1,2\n3,setosa\n", ["column 1, row 1", "'setosa'"]),
    "missing": ("x,y\n1,2\n3,\n", ["column 'y', row 1", "is empty"]),
    "short row": ("x,y\n1,2\n3\n", ["row 1 has 1 entries", "2"]),
    "NaN": ("x,y\n1,2\n3,nan\n", ["points", "(1, 1)", "nan"]),
    "infinity": ("x,y\n1,2\n3,-inf\n", ["points", "(1, 1)", "-inf"]),
    "weights alone": ("weights\n1\n", ["no coordinates"]),
    "weights twice": ("x,weight,weights\n1,1,1\n", ["'weight'", "'weights'", "keep one"]),
    "weights of sum 2": ("x,weights\n1,1\n2,1\n", ["weights", "sum to 2.0"]),
    "negative weight": ("x,weights\n1,2\n2,-1\n", ["weights", "entry 1 is -1"]),
    "NaN weight": ("x,weights\n1,1\n2,nan\n", ["weights", "(1,)", "nan"]),
    "duplicates": ("x,y\n1,2\n1,2\n", ["atoms 0 and 1 coincide", "--merge-duplicates"]),
    "index of a data frame": (",x,y\n0,1,2\n1,3,4\n", ["column ''", "an index", "drop it"]),
    "labels": ("x,y,Class\n1,2,0\n3,4,1\n", ["column 'Class'", "labels", "rename"]),
    "rows counted": (
        "frame,x\n" + "".join(f"{k + 7},{k**2}\n" for k in range(20)),
        ["column 'frame'", "an index", ".npy"],
    ),
    "counting header": ("0,1\n.1,.2\n", ["first line, 0, 1,", "pandas", "a point", "x0, x1", "above it"]),
    "counting header of one column": ("0\n.1\n.3\n", ["first line, 0,", "x0, in its place or above it"]),
    "underscore": ("x,y\n1_0,2\n3,4\n", ["column 'x', row 0", "'1_0' is no number"]),
    "underscore in the first line": ("1_0,2_0\n3,4\n5,6_0\n", ["column '2_0', row 1", "'6_0' is no number"]),
    "semicolons": ("x;y\n1;2\n", ["'1;2' is no number: entries are separated by commas"]),
    "spaces": ("1.5 2\n3 -4\n", ["is no number: entries are separated by commas", "delimiter=','"]),
    "a word": ("x,y\n1,abc\n", ["'abc' is no number: every column but `weights` is a coordinate"]),
    "far away": ("x,y\n1,2\n3,1e200\n", ["entry (1, 1) is 1e+200", "squares overflow"]),
}


def said(path: Path, words: list[str], **options: Any) -> None:
    with pytest.raises(ValueError, match=re.escape(words[0])) as error:
        load(path, **options)
    message = str(error.value)
    assert all(word in message for word in words), message
    assert "\n" not in message
    assert len(message) < 250


@pytest.mark.parametrize("case", GOOD)
def test_tables_are_read(tmp_path: Path, case: str) -> None:
    (tmp_path / "a.csv").write_bytes(GOOD[case].encode())
    cloud = load(tmp_path / "a.csv")
    np.testing.assert_array_equal(cloud.points, SQUARE)
    np.testing.assert_array_equal(cloud.weights, np.full(4, 0.25))
    assert cloud.merged == 0


@pytest.mark.parametrize("name", ["weight", "weights", "Weights"])
def test_a_column_of_weights_may_stand_anywhere(tmp_path: Path, name: str) -> None:
    rows = [f"{x},{w},{y}" for (x, y), w in zip(SQUARE, WEIGHTS, strict=True)]
    (tmp_path / "a.CSV").write_text("\n".join([f"x,{name},y", *rows]))
    lines: list[str] = []
    cloud = load(tmp_path / "a.CSV", say=lines.append)
    np.testing.assert_array_equal(cloud.points, SQUARE)
    np.testing.assert_array_equal(cloud.weights, WEIGHTS)
    assert lines == [f"target a.CSV: coordinates: x, y; weights: {name}"]


@pytest.mark.parametrize("case", BAD)
def test_bad_tables_are_named(tmp_path: Path, case: str) -> None:
    text, words = BAD[case]
    (tmp_path / "a.csv").write_text(text)
    said(tmp_path / "a.csv", words)


@pytest.mark.parametrize(
    "name",
    ["w", "W", "wt", "wts", "wgt", "sample_weight", "point weights", "my_w", "mass", "prob", "probability"],
)
def test_what_is_nearly_named_weights_is_refused_by_name(tmp_path: Path, name: str) -> None:
    """Of positive numbers beside others; alone, below 0 or beside `weights` it is a coordinate."""
    (tmp_path / "a.csv").write_text(f"x,{name}\n1,.25\n2,.75\n")
    said(tmp_path / "a.csv", [f"column {name!r}", "looks like weights", "rename it"])
    np.savez(tmp_path / "a.npz", points=SQUARE, **{name: WEIGHTS})
    said(tmp_path / "a.npz", [f"array {name!r}", "looks like weights", "leave it out"])
    for table in (f"x,{name}\n1,-.25\n2,.75\n", f"x,{name},weights\n1,1,.5\n2,2,.5\n", f"{name}\n.25\n.75\n"):
        (tmp_path / "b.csv").write_text(table)
        assert name in load(tmp_path / "b.csv").notes[0].partition(";")[0]


@pytest.mark.parametrize(
    "name",
    ["y_true", "y_test", "Target_", "true_label", "label_id", "class_idx", "digit", "gt", "idx", "rownames"],
)
def test_labels_and_indices_have_many_names(tmp_path: Path, name: str) -> None:
    """Whole numbers under such a name are refused; others are coordinates, as is said."""
    (tmp_path / "a.csv").write_text(f"x,{name}\n.1,3\n.2,5\n")
    said(tmp_path / "a.csv", [f"column {name!r}", "drop it", "rename it"])
    (tmp_path / "b.csv").write_text(f"x,{name}\n.1,3.5\n.2,5\n")
    assert load(tmp_path / "b.csv").notes == (f"coordinates: x, {name}",)


def test_what_was_read_is_said(tmp_path: Path) -> None:
    """Columns by their names; where no line names them, that all are; arrays that are not read."""
    table = np.random.default_rng(0).standard_normal((5, 10))
    lines: list[str] = []
    np.savetxt(tmp_path / "a.csv", table, delimiter=",", header=",".join("abcdefghij"), comments="")
    np.savetxt(tmp_path / "b.csv", table, delimiter=",")
    np.savez(tmp_path / "c.npz", points=table, labels=np.arange(5))
    np.savez(tmp_path / "d.npz", points=table)
    for name in ("a.csv", "b.csv", "c.npz", "d.npz"):
        load(tmp_path / name, say=lines.append)
    assert lines == [
        "target a.csv: coordinates: a, b, c, d, e, f, g, h, … (10 in all)",
        "target b.csv: coordinates: every column, as no line names them",
        "target c.npz: arrays that are not read: labels",
    ]


def test_a_first_line_that_counts_is_no_guess(tmp_path: Path) -> None:
    """Both remedies that the refusal names: words in its place, where it was a header, or above a point."""
    points = "0,1\n0.5,0.25\n"
    (tmp_path / "a.csv").write_text("x0,x1\n" + points)
    np.testing.assert_array_equal(load(tmp_path / "a.csv").points, [[0, 1], [0.5, 0.25]])
    (tmp_path / "a.csv").write_text("x0,x1\n0.5,0.25\n")
    np.testing.assert_array_equal(load(tmp_path / "a.csv").points, [[0.5, 0.25]])
    for first in ("1,2", "0,0", "0.0,1.0", "1,0"):
        (tmp_path / "a.csv").write_text(f"{first}\n0.5,0.25\n")
        assert len(load(tmp_path / "a.csv").points) == 2


def test_what_is_no_text_and_what_is_no_kind(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00x")
    said(tmp_path / "a.csv", ["not a table", "UTF-8"])
    (tmp_path / "a.dat").write_text(PLAIN)
    said(tmp_path / "a.dat", [".dat", ".npz, .npy, .csv, .parquet"])


def test_sizes_are_refused_while_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "MOST_POINTS", 1000)
    (tmp_path / "a.csv").write_text("1\n" * 1500 + "not read\n")
    said(tmp_path / "a.csv", ["(1001, 1)", "at most 1000 points"])
    monkeypatch.setattr(sizes, "MOST_BYTES", 2999)
    said(tmp_path / "a.csv", ["3009 bytes", "2999"])


@pytest.mark.parametrize("name", ["weight", "weights", "Weights"])
def test_an_array_of_weights_has_a_few_names(tmp_path: Path, name: str) -> None:
    np.savez(tmp_path / "a.npz", points=SQUARE, **{name: WEIGHTS})
    np.testing.assert_array_equal(load(tmp_path / "a.npz").weights, WEIGHTS)
    np.savez(tmp_path / "b.npz", points=SQUARE, Weight=WEIGHTS, weights=WEIGHTS)
    said(tmp_path / "b.npz", ["'Weight'", "'weights'", "keep one"])


def test_a_coordinate_that_counts_is_read_alone_or_where_columns_have_no_names(tmp_path: Path) -> None:
    points = np.stack([np.arange(30.0), np.arange(30.0) ** 2], axis=1)
    np.save(tmp_path / "a.npy", points)
    np.savetxt(tmp_path / "a.csv", points, delimiter=",")
    for name in ("a.npy", "a.csv"):
        np.testing.assert_array_equal(load(tmp_path / name).points, points)
    np.savetxt(tmp_path / "b.csv", points[:, :1], header="x", comments="")
    np.testing.assert_array_equal(load(tmp_path / "b.csv").points, points[:, :1])


def test_an_array_of_points(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", SQUARE.astype(np.float32))
    cloud = load(tmp_path / "a.npy")
    np.testing.assert_array_equal(cloud.points, SQUARE)
    assert cloud.weights.sum() == 1
    for name, array, words in (
        ("axes", np.zeros(3), ["points", "(3,)", "(n, d)"]),
        ("objects", np.array([[None]]), ["points", "pickled"]),
        ("size", np.zeros((100_001, 1), np.int8), ["points", "(100001, 1)", "at most 100000"]),
        ("NaN", np.full((1, 1), np.nan), ["points", "(0, 0)", "nan"]),
    ):
        np.save(tmp_path / f"{name}.npy", array)
        said(tmp_path / f"{name}.npy", words)


def test_iris_is_merged_on_request(tmp_path: Path) -> None:
    iris = load_iris().data
    np.savez(tmp_path / "iris.npz", points=iris)
    said(tmp_path / "iris.npz", ["coincide", "--merge-duplicates"])
    cloud = load(tmp_path / "iris.npz", merge=True)
    points, weights, merged = cloud.points, cloud.weights, cloud.merged
    distinct, counts = np.unique(iris, axis=0, return_counts=True)
    assert merged == len(iris) - len(distinct) > 0
    order = np.lexsort(points.T[::-1])
    np.testing.assert_array_equal(points[order], distinct)
    np.testing.assert_allclose(weights[order], counts / len(iris), rtol=1e-15)


# --- parquet ------------------------------------------------------------------------------------------


def parquet(path: Path, **columns: Any) -> Path:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed (an optional extra)")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table(columns), path)
    return path


def test_parquet_is_read(tmp_path: Path) -> None:
    x, y = SQUARE.T
    file = parquet(tmp_path / "a.parquet", x=x.astype(np.float32), weights=WEIGHTS, y=y)
    cloud = load(file)
    np.testing.assert_array_equal(cloud.points, SQUARE)
    np.testing.assert_array_equal(cloud.weights, WEIGHTS)
    assert cloud.notes == ("coordinates: x, y; weights: weights",)
    cloud = load(parquet(tmp_path / "b.parquet", x=np.arange(3), y=np.array([3, 4, 5], np.int8)))
    np.testing.assert_array_equal(cloud.points, [[0, 3], [1, 4], [2, 5]])


def test_weights_of_float32_are_taken_as_such(tmp_path: Path) -> None:
    """As from .npz: to their own rounding they sum to 1, and that they were divided by their sum is said."""
    thirds = np.full(3, 1 / 3, np.float32)
    cloud = load(parquet(tmp_path / "a.parquet", x=np.arange(3), weights=thirds))
    np.testing.assert_array_equal(cloud.weights, np.full(3, 1 / 3))
    assert "its weights are float32 and sum to 1.0000000298023224" in cloud.notes[1]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"x": [1.0, 2.0], "name": ["a", "b"]}, ["column 'name'", "string", "drop"]),
        ({"x": [1.0, None]}, ["column 'x', row 1", "is empty"]),
        ({"x": [1.0, np.nan]}, ["points", "(1, 0)", "nan"]),
        ({"weights": [1.0]}, ["no coordinates"]),
        ({"x": [[1.0, 2.0]]}, ["column 'x'", "list"]),
        ({"x": [1.0, 1.0]}, ["coincide", "--merge-duplicates"]),
        ({"x": np.zeros(100_001)}, ["(100001, 1)", "at most 100000"]),
    ],
)
def test_bad_parquet_is_named(tmp_path: Path, columns: dict[str, Any], words: list[str]) -> None:
    said(parquet(tmp_path / "a.parquet", **columns), words)


def test_damaged_parquet_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed (an optional extra)")
    (tmp_path / "a.parquet").write_bytes(b"PAR1 nothing PAR1")
    said(tmp_path / "a.parquet", ["not a parquet table"])


def test_without_pyarrow_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    said(tmp_path / "a.parquet", ["pyarrow", "pip install", ".csv"])
