"""Class-conditional fields: where the label goes, in which form, and what is said of a wrong one."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from theorems.setting.user.flows import load

FIELDS = '''
import numpy as np
import torch

CENTRES = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, -2.0]])

def third(t, x, y): return CENTRES[y] - x
def turned(x, t, y): return CENTRES[y] - x
def keyword(t, x, *, label): return CENTRES[label] - x
def optional(t, x, class_labels=None): return CENTRES[class_labels] - x if class_labels is not None else -x
def further(t, x, scale=1.0, y=None): return CENTRES[y] - x
def anything(t, x, *rest): return CENTRES[rest[0]] - x
def extras(x, t, **given): return CENTRES[given["label"]] - x
def odd(t, x, kind): return CENTRES[kind] - x
def maybe(t, x, y=None):
    assert y is not None, "which class?"
    return -x
def none(t, x): return -x
def ignoring(t, x, **extra): return -x
def late_alone(t, x, y): return -x + (t > 0.95) * CENTRES[y]
def one_class(t, x, y):
    assert (y == 0).all()
    return -x
def checked(t, x, y):
    assert y.dtype.kind == "i" and y.shape == (len(x),)
    return CENTRES[y] - x

class Net(torch.nn.Module):
    """As torchcfm's wrappers: (t, x, y=None)."""
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(3, 2)
        with torch.no_grad():
            self.embedding.weight.copy_(torch.tensor(CENTRES))
    def forward(self, t, x, y=None, *rest, **more):
        return (0 if y is None else self.embedding(y)) - x
class Blind(torch.nn.Module):
    def forward(self, t, x, y=None):
        return -x
class Turned(Net):
    def forward(self, x, t, y):
        return self.embedding(y) - x
'''
READ = {
    "my_labels:third": "velocity(t, x), t a scalar, y = 1 (n,)",
    "my_labels:turned": "velocity(x, t), t a scalar, y = 1 (n,)",
    "my_labels:keyword": "velocity(t, x), t a scalar, label = 1 (n,)",
    "my_labels:optional": "velocity(t, x), t a scalar, class_labels = 1 (n,)",
    "my_labels:further": "velocity(t, x), t a scalar, y = 1 (n,)",
    "my_labels:anything": "velocity(t, x), t a scalar, then = 1 (n,)",
    "my_labels:extras": "velocity(x, t), t a scalar, label = 1 (n,)",
    "my_labels:odd": "velocity(t, x), t a scalar, then = 1 (n,)",
    "my_labels:checked": "velocity(t, x), t a scalar, y = 1 (n,)",
    "my_labels:Net()": "velocity(t, x), t a scalar, y = 1 (n,)",
    "my_labels:Turned()": "velocity(x, t), t a scalar, y = 1 (n,)",
    "my_labels:Turned()(x, t)": "velocity(x, t), t a scalar, y = 1 (n,)",
}


@pytest.fixture(autouse=True)
def _labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "my_labels.py").write_text(FIELDS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield
    sys.modules.pop("my_labels", None)


@pytest.mark.parametrize("words", READ)
def test_the_label_reaches_the_field(words: str) -> None:
    """Whatever its place: the field is that of its class, in one point and in many, with its Jacobian."""
    lines: list[str] = []
    flow = load(words, 2, label=1, say=lines.append)
    assert f"read as {READ[words]}, " in lines[0]
    assert flow.name == f"{words.removesuffix('(x, t)')}, label 1"
    assert f"--flow='{words.removesuffix('(x, t)')}(" in lines[0]
    x = np.random.default_rng(1).standard_normal((9, 2))
    for points in (x, x[:1]):
        np.testing.assert_allclose(flow.velocity(0.3, points), np.array([3.0, 0.0]) - points, atol=1e-6)
    np.testing.assert_allclose(flow.jacobian(0.3, x), np.broadcast_to(-np.eye(2), (9, 2, 2)), atol=1e-6)
    assert flow.differentiates == ("Net" in words or "Turned" in words)
    if flow.differentiates:
        pushed, pulled = flow.products(0.3, x, x[::-1].copy())
        np.testing.assert_allclose(pushed, -x[::-1], atol=1e-6)
        np.testing.assert_allclose(pulled, -x[::-1], atol=1e-6)


@pytest.mark.parametrize("words", ["my_labels:optional", "my_labels:Net()", "my_labels:none"])
def test_without_a_label_a_field_that_allows_it_is_asked_so(words: str) -> None:
    flow = load(words, 2)
    np.testing.assert_allclose(flow.velocity(0.3, [[1.0, 2.0]]), [[-1.0, -2.0]], atol=1e-6)
    assert flow.name == words


@pytest.mark.parametrize(
    ("words", "label", "other"),
    [
        ("my_labels:ignoring", 1, 0),
        ("my_labels:ignoring", 0, 1),
        ("my_labels:Blind()", 2, 0),
        ("my_labels:third", 1, None),
        ("my_labels:late_alone", 1, None),
        ("my_labels:one_class", 0, None),
        ("my_labels:Net()", 1, None),
    ],
)
def test_a_label_that_changes_nothing_is_said_to(words: str, label: int, other: int | None) -> None:
    """Against another class, at several times; one that is refused is told apart by that."""
    lines: list[str] = []
    load(words, 2, label=label, say=lines.append)
    told = [line for line in lines if "the label changed nothing" in line]
    assert len(told) == (other is not None)
    assert all(f"is that of label {other}; is the label used?" in line for line in told)


BAD = {
    ("my_labels:none", 1): "it takes no label for --label=1: its parameters are (t, x)",
    ("my_labels:third", None): "it takes y beside t and x; add --label=K if that is a class",
    ("my_labels:keyword", None): "it takes label beside t and x; add --label=K",
    ("my_labels:odd", None): "it takes kind beside t and x; add --label=K if that is a class",
    ("my_labels:Turned()", None): "it takes y beside t and x; add --label=K",
    ("my_labels:maybe", None): "raised AssertionError: which class?; if its y is a class, add --label=K",
    ("my_labels:third", 3): "IndexError: index 3 is out of bounds",
    ("my_labels:Net()", 7): "IndexError: index out of range in self (label 7)",
}


@pytest.mark.parametrize(("words", "label"), BAD)
def test_a_wrong_label_is_said_in_one_line(words: str, label: int | None) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        load(words, 2, label=label)
    assert BAD[words, label] in str(error.value)
    assert "\n" not in str(error.value)
