"""A flow from a module: what is refused, in one line before any check, and how a good one is called."""

from pathlib import Path

import numpy as np
import pytest

from theorems.setting.user.flows import UserFlow, load
from theorems.setting.user.targets import UserTarget
from theorems.setting.user.trying import DOUBLE, SINGLE, NumpyField

BAD = {
    "my_flow": ["give MODULE:ATTR"],
    ":velocity": ["give MODULE:ATTR"],
    "my_flow.py:velocity": ["no module 'my_flow.py'", "write my_flow, without .py"],
    "absent:velocity": ["no module 'absent'", "absent.py"],
    "my_flow.inner:velocity": ["no module", "my_flow"],
    "broken:velocity": ["importing broken failed", "ZeroDivisionError"],
    "broken_import:velocity": ["importing broken_import failed", "missing_library"],
    "impolite:velocity": ["importing impolite failed", "SystemExit"],
    "my_flow:absent": ["no attribute 'absent'", "velocity"],
    "my_flow:net.absent": ["no attribute 'net.absent'"],
    "my_flow:number": ["number is int", "cannot be called"],
    "my_flow:Net": ["Net is a class", "instance"],
    "my_flow:make": ["make takes no arguments", "if it makes the field", "my_flow:make()"],
    "my_flow:net.made": ["net.made takes no arguments", "my_flow:net.made()"],
    "my_flow:make_of(t, x)": [
        "returned function, which can be called; name a factory with (), MODULE:MAKE()"
    ],
    "my_torch:make_of": ["returned Net, which can be called; name a factory with ()"],
    "my_flow:shape": ["velocity(0, x)", "(7, 2)", "returned shape (7,)"],
    "my_flow:transposed": ["returned shape (2, 7)", "must return (7, 2)"],
    "my_flow:nan": ["returned nan at (", "where x is ["],
    "my_flow:late": ["velocity(0.9, x)", "returned", "inf at (0, 0)"],
    "my_flow:early": ["velocity(0, x)", "inf at (0, 0)"],
    "my_flow:raises": ["raised KeyError", "no\\nluck"],
    "my_flow:leaves": ["raised SystemExit: 3"],
    "my_flow:noisy": ["two calls at t = 0", "differ by", "eval()"],
    "my_flow:mixes": ["depends on the other points", "batch"],
    "my_flow:words": ["returned <U1 values", "real numbers"],
    "my_flow:complex_values": ["complex128"],
    "my_flow:nothing": ["returned object values"],
    "my_flow:needs_three": ["raised ValueError", "matmul"],
    "my_torch:dropping": ["two calls at t = 0", "eval()"],
    "my_flow:early_only": [
        "velocity(0, x)",
        "nan",
        "finite at all other times tried, so give its limit there",
    ],
    "my_flow:late_only": ["velocity(0.99, x)", "nan", "make it so up to t = 0.99; t = 1 is never asked"],
    "my_flow:named": ["returned a dict of v, aux; return one of these"],
    "my_flow:several": ["returned shape (2, 7, 2)", "return one of several, such as [0]"],
    "my_flow:velocity(t)": ["only (t, x) or (x, t)"],
    "my_flow:velocity(x, x)": ["only (t, x) or (x, t)"],
    "my_torch:normed": ["depends on the other points", "eval()"],
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("words", BAD)
def test_bad_fields_are_named_in_one_line(modules: Path, words: str) -> None:
    (modules / "broken.py").write_text("1 / 0", encoding="utf-8")
    (modules / "broken_import.py").write_text("import missing_library", encoding="utf-8")
    (modules / "impolite.py").write_text("raise SystemExit('usage: impolite')", encoding="utf-8")
    with pytest.raises(ValueError, match=r".") as error:
        load(words, 2)
    said = str(error.value)
    assert all(word in said for word in BAD[words]), said
    assert "\n" not in said
    assert len(said) < 700


@pytest.mark.usefixtures("modules")
def test_a_field_of_another_dimension_than_its_target() -> None:
    """d is the target's where one is given, so that the message says whose it is."""
    target = UserTarget("cloud.csv", np.eye(3), np.full(3, 1 / 3))
    with pytest.raises(ValueError, match=r"shape \(7, 3\).*; cloud.csv has 3 coordinates"):
        load("my_torch:net", 3, target=target)


IMAGES = """
import torch

conv = torch.nn.Conv2d(1, 1, 3, padding=1)
def velocity(t, x): return conv(x)
def turned(x, t): return conv(x)
def unpacks(t, x):
    n, c, h, w = x.shape
    return x
class UNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Conv2d(3, 3, 3, padding=1)
    def forward(self, x, t):
        return self.layer(x)
unet = UNet()
def wrapped(t, x): return conv(x.reshape(-1, 1, 28, 28).float()).flatten(1)
def broken(t, x): raise ValueError("a word of its own")
"""


@pytest.mark.parametrize(
    ("words", "d", "shape"),
    [
        ("my_images:velocity", 784, "1, 28, 28"),
        ("my_images:turned", 784, "1, 28, 28"),
        ("my_images:unpacks", 3072, "3, 32, 32"),
        ("my_images:unet", 3072, "3, 32, 32"),
        ("my_images:unet", 4096, "1, 64, 64"),
        ("my_images:unet", 60, "c, h, w"),
        ("my_images:broken", 784, None),
    ],
)
def test_a_network_of_images_is_told_how_to_be_wrapped(
    modules: Path, words: str, d: int, shape: str | None
) -> None:
    """With the shape where d says it; as told, it is understood."""
    (modules / "my_images.py").write_text(IMAGES, encoding="utf-8")
    with pytest.raises(ValueError, match="raised") as error:
        load(words, d)
    told = f"def velocity(t, x): return net(t, x.reshape(-1, {shape})).flatten(1)"
    assert (told in str(error.value)) == (shape is not None), error.value
    assert ("images" in str(error.value)) == (shape is not None)
    assert "\n" not in str(error.value)
    assert load("my_images:wrapped", 784).differentiates


@pytest.mark.usefixtures("modules")
def test_both_attempts_are_told_where_they_differ() -> None:
    import torch  # noqa: F401

    with pytest.raises(ValueError, match="has no attribute") as error:
        load("my_torch:single", 3)
    said = str(error.value)
    assert "with tensors it raised RuntimeError: " in said
    assert "mat1 and mat2 shapes cannot be multiplied" in said


@pytest.mark.usefixtures("modules")
def test_the_dimension_is_asked_for_or_found() -> None:
    with pytest.raises(ValueError, match="add --dim=D"):
        load("my_flow:velocity")
    assert load("my_flow:make()", 2).dim == load("my_torch:make_of()", 2).dim == 2
    assert load("my_flow:net").dim == 2
    assert load("my_flow:net.field", 5).dim == 5
    with pytest.raises(ValueError, match="dim = 2, but the dimension asked for is 3"):
        load("my_flow:net", 3)


# --- how it is called ------------------------------------------------------------------------------------

WAYS = {
    "my_flow:velocity": ("NumPy", DOUBLE, False),
    "my_flow:net.field": ("NumPy", DOUBLE, False),
    "my_flow:writes": ("NumPy", DOUBLE, False),
    "my_torch:net": ("torch on cpu", DOUBLE, True),
    "my_torch:evaluated": ("torch on cpu", DOUBLE, True),
    "my_torch:dropped": ("torch on cpu", DOUBLE, True),
    "my_torch:bound": ("torch on cpu", SINGLE, True),
    "my_torch:uses_training": ("torch on cpu", SINGLE, True),
    "my_torch:single": ("torch on cpu", SINGLE, True),
    "my_torch:blind": ("torch on cpu", SINGLE, False),
    "my_torch:arrays": ("NumPy", SINGLE, False),
    "my_torch:hidden": ("NumPy", SINGLE, False),
    "my_torch:gradient": ("torch on cpu", DOUBLE, False),
    "my_torch:half_blind": ("torch on cpu", DOUBLE, False),
}


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize("words", WAYS)
def test_arrays_or_tensors_and_derivatives(words: str) -> None:
    """However it is written: values in float64, and a Jacobian that its values confirm."""
    flow = load(words, 2)
    how, precision, differentiates = WAYS[words]
    assert (flow.field.how, flow.precision, flow.differentiates) == (how, precision, differentiates)
    x = np.random.default_rng(1).standard_normal((40, 2))
    kept = x.copy()
    value = flow.velocity(0.3, x)
    assert value.shape == x.shape
    assert value.dtype == np.float64
    np.testing.assert_array_equal(x, kept)
    direction, h = np.array([0.6, -0.8]), 1e-4 if precision == DOUBLE else 2e-2
    slope = (flow.velocity(0.3, x + h * direction) - flow.velocity(0.3, x - h * direction)) / (2 * h)
    np.testing.assert_allclose(flow.jacobian(0.3, x) @ direction, slope, atol=1e-6 if h < 1e-3 else 2e-3)


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize(
    ("words", "d", "why"),
    [
        ("my_torch:blind", 2, "no gradient reaches x; leave out torch.no_grad()"),
        ("my_torch:half_blind", 2, "a part is hidden by detach()"),
        ("my_torch:gradient", 2, "give autograd.grad create_graph=True"),
        ("my_flow:net.field", 129, "it takes NumPy arrays, which are not differentiated"),
        ("my_flow:velocity", 2, None),
        ("my_torch:net", 2, None),
    ],
)
def test_why_a_field_does_not_differentiate_is_said(words: str, d: int, why: str | None) -> None:
    """Of torch, and of NumPy where whole Jacobians are large."""
    lines: list[str] = []
    load(words, d, say=lines.append)
    told = [line for line in lines if "derivatives are by differences" in line]
    assert [why in line for line in told if why] == ([True] if why else [])
    assert len(told) == (why is not None)


def test_many_points_are_cut_into_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    monkeypatch.setattr("theorems.setting.user.flows.MOST_NUMBERS_AT_ONCE", 10)

    def velocity(t: float, x: np.ndarray) -> np.ndarray:
        sizes.append(len(x))
        return t - x

    flow = UserFlow("f", 3, NumpyField(velocity))
    x = np.arange(24.0).reshape(8, 3)
    np.testing.assert_array_equal(flow.velocity(0.5, x), 0.5 - x)
    assert sizes == [3, 3, 2]


def test_a_field_that_fails_later_says_where() -> None:
    flow = UserFlow("f", 2, NumpyField(lambda _, x: x / (x < 40)))
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=r"inf at \(1, 0\), where x is \[50"):
        flow.velocity(0.5, [[0.0, 1.0], [50.0, 0.0]])
