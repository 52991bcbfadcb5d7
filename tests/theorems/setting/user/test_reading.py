"""In which order a field takes t and x, and in which form t: found out, said, and right."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from numerics.flows.independent import IndependentField
from theorems.setting.user import reading
from theorems.setting.user.flows import UserFlow, load

FIELDS = """
import sys

import numpy as np

def velocity(x, t): return x / (1 + t)          # exact for N(0, 4I)
def hidden(a, b): return a / (1 + b)            # the same, and names say nothing
def usual(a, b): return b / (1 + a)             # the same as (t, x)
def either(a, b): return a * b * 0.5
def starred(*given): return given[0] / (1 + given[1])
def points_first(a, b): return (a @ np.eye(2)) / (1 + b)
def misnamed(t, x): return t / (1 + x)          # x comes first
def vector(t, x): return x / (1 + t[:, None])
def column(t, x):
    assert np.shape(t) == (len(x), 1)
    return x / (1 + t)
def talks(t, x):
    print("called")
    print("aloud", file=sys.stderr)
    return x / (1 + t)
"""
TORCH = '''
import torch

class Meta(torch.nn.Module):
    """As flow_matching's: (x, t), t (n,)."""
    def __init__(self):
        super().__init__()
        self.dropout, self.gain = torch.nn.Dropout(), torch.nn.Parameter(torch.ones(()))
    def forward(self, x, t, **extras):
        return self.dropout(self.gain * x / (1 + t[:, None]))
class Joined(torch.nn.Module):
    """As torchcfm's MLP: [x, t]."""
    def forward(self, x):
        return x[:, :-1] / (1 + x[:, -1:])
meta, joined = Meta(), Joined()
part = meta.dropout.eval()
def switches(t, x):
    torch.set_grad_enabled(False)
    return torch.div(x, 1 + t)
def switches_for_arrays(t, x):
    torch.set_grad_enabled(False)
    return x / (1 + t)
'''
READ = {
    "an_order:velocity": ("velocity(x, t), t a scalar", "names of its parameters, (x, t)"),
    "an_order:hidden": ("velocity(x, t), t a scalar", "by its flow"),
    "an_order:usual": ("velocity(t, x), t a scalar", "by its flow"),
    "an_order:starred": ("velocity(x, t), t a scalar", "by its flow"),
    "an_order:points_first": ("velocity(x, t), t a scalar", "as the other order fails"),
    "an_order:misnamed(x, t)": ("velocity(x, t), t a scalar", "as you say"),
    "an_order:velocity(x,t)": ("velocity(x, t), t a scalar", "as you say"),
    "an_order:vector": ("velocity(t, x), t (n,)", "names of its parameters, (t, x)"),
    "an_order:column": ("velocity(t, x), t (n, 1)", "names of its parameters, (t, x)"),
    "torch_order:meta": ("velocity(x, t), t (n,)", "names of its parameters, (x, t)"),
    "torch_order:joined": ("velocity([x, t]), one array of d+1 columns", "as it takes one argument"),
}


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], tuple[UserFlow, list[str]]]:
    """Loads a field and returns what was said."""
    import sys

    (tmp_path / "an_order.py").write_text(FIELDS, encoding="utf-8")
    (tmp_path / "torch_order.py").write_text(TORCH, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    for name in ("an_order", "torch_order"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    def asked(words: str) -> tuple[UserFlow, list[str]]:
        lines: list[str] = []
        return load(words, 2, say=lines.append), lines

    return asked


@pytest.mark.parametrize("words", READ)
def test_the_order_is_found_and_said(heard, words):
    """Whichever way it is written, it is the exact field of N(0, 4I), and one line says how it was read."""
    flow, lines = heard(words)
    how, because = READ[words]
    assert lines[0].startswith(f"flow {flow.name}: read as {how}, ")
    assert because in lines[0]
    assert "reads it the other way" in lines[0] or "[x, t]" in lines[0]
    x = np.random.default_rng(1).standard_normal((9, 2))
    np.testing.assert_allclose(flow.velocity(0.3, x), x / 1.3, rtol=1e-12)
    np.testing.assert_allclose(flow.jacobian(0.3, x), np.broadcast_to(np.eye(2) / 1.3, (9, 2, 2)), atol=1e-8)


def test_what_nothing_decides_is_said(heard):
    _, lines = heard("an_order:either")
    assert "read as velocity(t, x)" in lines[0]
    assert "allow either order; --flow='an_order:either(x, t)' reads it the other way" in lines[0]


def test_prints_and_states(heard, capsys):
    """What it prints is not shown but said; its modes and the state of gradients are as before."""
    _, lines = heard("an_order:talks")
    assert capsys.readouterr() == ("", "")
    assert any("prints while it is asked" in line for line in lines)
    _, lines = heard("torch_order:meta")
    assert any("training mode; it is asked in eval() mode" in line for line in lines)
    import torch
    import torch_order

    assert torch_order.meta.training
    assert not torch_order.part.training
    for name in ("switches", "switches_for_arrays"):
        heard(f"torch_order:{name}")
        assert torch.is_grad_enabled(), name


def test_moments_of_a_coupling_fit_and_others_do_not():
    """Linear and quadratic in t for the exact and the independent field; not for others."""
    rng = np.random.default_rng(2)
    atoms = rng.standard_normal((5, 2)) * 2
    field = IndependentField(atoms, np.full(5, 0.2))
    assert reading.misfit(lambda t, x: x / (1 + t), 2) < 1e-3
    assert reading.misfit(field.velocity, 2) < 0.05
    assert reading.misfit(lambda t, x: -x / (1 - t), 2) < 0.02
    assert reading.misfit(lambda t, x: t / (1 + x), 2) > 0.02  # x/(1+t), read the wrong way
    assert reading.misfit(lambda t, x: 4 * np.sin(6 * t) * x, 2) > 0.3
