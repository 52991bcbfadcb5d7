"""Modules of fields, good and bad, as a user might write them."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

MODULE = """
import numpy as np

def velocity(t, x):
    return np.stack([x[:, 0] / (1 + t), -x[:, 1] / (1 - t)], axis=1)

def spins(t, x):
    return velocity(t, x) + np.stack([-x[:, 1], x[:, 0]], axis=1)

def shape(t, x): return x[:, 0]
def transposed(t, x): return x.T
def nan(t, x): return np.where(x > 2, np.nan, x)
def late(t, x): return -x / (0.9 - t)
def early(t, x): return x / t if t > 0 else np.full_like(x, np.inf)
def raises(t, x): raise KeyError("no\\nluck")
def leaves(t, x): raise SystemExit(3)
def noisy(t, x): return x + np.random.default_rng().standard_normal(x.shape)
def mixes(t, x): return x - x.mean(axis=0)
def words(t, x): return np.array([["a"] * x.shape[1]] * len(x))
def complex_values(t, x): return x * 1j
def nothing(t, x): pass
def named(t, x): return {"v": x, "aux": 0}
def several(t, x): return x, -x
def needs_three(t, x): return x @ np.eye(3)
def writes(t, x):
    x *= -1
    return x
def early_only(t, x): return np.full_like(x, np.nan) if t == 0 else -x
def late_only(t, x): return np.full_like(x, np.nan) if t > 0.98 else -x
class Net:
    dim = 2
    def __call__(self, t, x): return -x
    def field(self, t, x): return -x
    def made(self): return velocity
net = Net()
def make(): return velocity
def make_of(scale=1.0, shift=0.0): return velocity
number = 3
"""
TORCH = """
import torch

torch.manual_seed(0)
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.SiLU(), torch.nn.Linear(8, 2))
    def forward(self, t, x):
        return self.layers(torch.cat([x, t.expand(len(x))[:, None]], dim=1))
class Dropped(Net):
    def forward(self, t, x):
        return torch.nn.functional.dropout(super().forward(t, x), training=self.training)
    def field(self, t, x):
        return self(t.float(), x.float())
class Normed(Net):
    def __init__(self):
        super().__init__()
        self.norm = torch.nn.BatchNorm1d(2, track_running_stats=False)
    def forward(self, t, x):
        return self.norm(super().forward(t, x)) if len(x) > 1 else super().forward(t, x)
def make_of(width=8): return Net()
net, dropped, normed, held = Net(), Dropped(), Normed(), Dropped()
bound = held.field
evaluated = Dropped().eval()
def dropping(t, x): return torch.nn.functional.dropout(net(t, x))
training = Dropped()
def uses_training(t, x): return training(t.float(), x.float())
def single(t, x): return net(t, x)
def blind(t, x):
    with torch.no_grad():
        return net(t, x)
def arrays(t, x):
    return net(torch.tensor(t, dtype=torch.float32), torch.as_tensor(x).float()).detach().numpy()
def hidden(t, x): return arrays(t, x).astype(float)
def gradient(t, x):
    at = x.clone().requires_grad_()
    return torch.autograd.grad((at**4).sum() / 4, at)[0]
def half_blind(t, x): return -x + (x * x).detach()
"""


def written(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The directory as current one, with the modules in it, which are forgotten afterwards."""
    (directory / "my_flow.py").write_text(MODULE, encoding="utf-8")
    (directory / "my_torch.py").write_text(TORCH, encoding="utf-8")
    monkeypatch.chdir(directory)
    monkeypatch.setattr(sys, "path", [str(directory), *sys.path])
    before = set(sys.modules)
    yield directory
    for name in set(sys.modules) - before:
        if name.startswith(("my_", "broken", "impolite")):
            del sys.modules[name]
