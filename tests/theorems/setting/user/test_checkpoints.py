"""Weights of the user's own: put into the module as numbers; everything else is refused in one line."""

import io
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from theorems.setting.user import checkpoints
from theorems.setting.user.flows import load

MODELS = """
import torch

class Net(torch.nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(3, width), torch.nn.Linear(width, 2))
    def forward(self, t, x):
        return self.layers(torch.cat([x, t.expand(len(x))[:, None]], dim=1))

class Wide(Net):
    def __init__(self):
        super().__init__(16)

net = Net()
bound = net.forward
def make(): return Net()
def velocity(t, x): return -x
def needs(width): return Net(width)
def fails(): raise KeyError("no luck")
def nothing(): return None
number = 3
"""


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module above, in the current directory."""
    (tmp_path / "my_models.py").write_text(MODELS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "my_models", raising=False)
    import my_models

    yield my_models
    del sys.modules["my_models"]


def weights_of(models: Any, seed: int = 1) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return models.Net().state_dict()


def prefixed(weights: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {prefix + name: value for name, value in weights.items()}


WRITTEN: dict[str, tuple[Callable[[dict[str, torch.Tensor]], object], str]] = {
    "a state_dict": (lambda own: own, "w.pt"),
    "within a training state": (lambda own: {"model": own, "step": 7, "loss": 0.1}, "w.pt"),
    "one of two": (lambda own: {"net": prefixed(own, "x."), "ema": own}, "w.pt:ema"),
    "of DataParallel": (lambda own: prefixed(own, "module."), "w.pt"),
    "of a compiled module": (lambda own: prefixed(own, "_orig_mod."), "w.pt"),
    "of both": (lambda own: prefixed(own, "module._orig_mod."), "w.pt"),
}


@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize("words", ["my_models:make()", "my_models:Net()", "my_models:net", "my_models:bound"])
def test_the_weights_are_those_of_the_file(models: Any, how: str, words: str) -> None:
    """The audited field is that of a module which holds the file's numbers."""
    content, file = WRITTEN[how]
    own = weights_of(models)
    torch.save(content(own), "w.pt")
    flow = load(words, 2, weights=checkpoints.read(file))
    expected = models.Net().double()
    expected.load_state_dict(own)
    x = np.random.default_rng(0).standard_normal((9, 2))
    with torch.no_grad():
        values = expected(torch.tensor(0.3, dtype=torch.float64), torch.tensor(x)).numpy()
    np.testing.assert_allclose(flow.velocity(0.3, x), values, rtol=1e-5, atol=1e-6)
    taken = "w.pt:model" if how == "within a training state" else file
    assert flow.name == f"{words} of {taken}"


class Opens:
    """What a pickle may do when it is opened."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("opened",)


def _arrays() -> bytes:
    file = io.BytesIO()
    np.savez(file, a=np.ones(2))
    return file.getvalue()


def halved(path: Path) -> None:
    torch.save({"w": torch.ones(100)}, path)
    path.write_bytes(path.read_bytes()[:-200])


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "absent": (lambda _: None, "there is no such file"),
    "a folder": (lambda path: path.mkdir(), "it is a folder"),
    "text": (lambda path: path.write_text("hello"), "no checkpoint of torch"),
    "empty": (lambda path: path.touch(), "no checkpoint of torch"),
    "cut": (halved, "no checkpoint of torch, or a damaged one"),
    "arrays": (lambda path: path.write_bytes(_arrays()), "no checkpoint of torch"),
    "code": (
        lambda path: torch.save({"w": Opens()}, path),
        "it holds pickled code (posix.mkdir), which is not run",
    ),
    "a plain pickle": (lambda path: path.write_bytes(pickle.dumps(Opens())), "read as numbers alone"),
    "a whole module": (
        lambda path: torch.save(torch.nn.Linear(2, 2), path),
        "pickled code (torch.nn.modules.linear.Linear), which is not run; torch.save(",
    ),
    "a script": (lambda path: torch.jit.script(torch.nn.Linear(2, 2)).save(path), "it is a TorchScript"),
    "one tensor": (lambda path: torch.save(torch.ones(3), path), "it holds 0 state_dicts; torch.save("),
    "nothing": (lambda path: torch.save({}, path), "it holds 0 state_dicts"),
    "two states": (
        lambda path: torch.save({"net": {"w": torch.ones(1)}, "ema": {"w": torch.ones(1)}}, path),
        "it holds 2 state_dicts; say which, FILE:NAME, of net, ema",
    ),
    "NaN": (lambda path: torch.save({"w": torch.tensor([1.0, np.nan])}, path), "tensor w holds NaN"),
}


# The script that must be refused is made by torch.jit, which torch deprecates, by FutureWarning in 2.15.
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning")
@pytest.mark.parametrize("case", BAD)
def test_what_is_no_checkpoint_is_said_in_one_line_and_never_run(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write, words = BAD[case]
    write(tmp_path / "w.pt")
    with pytest.raises(ValueError, match=r".") as error:
        checkpoints.read("w.pt")
    said = str(error.value)
    assert words in said
    assert "\n" not in said
    assert len(said) < 300
    assert not (tmp_path / "opened").exists()


def test_a_name_that_a_file_does_not_hold(tmp_path: Path) -> None:
    torch.save({"ema": {"w": torch.ones(1)}}, tmp_path / "w.pt")
    with pytest.raises(ValueError, match=r"holds no state_dict 'net'; say which, FILE:NAME, of ema"):
        checkpoints.read(f"{tmp_path / 'w.pt'}:net")
    with pytest.raises(ValueError, match="no such file"):
        checkpoints.read(f"{tmp_path / 'v.pt'}:net")


def test_weights_that_are_not_the_models_are_named(models: Any) -> None:
    own = weights_of(models)
    torch.save(own, "w.pt")
    weights = checkpoints.read("w.pt")
    with pytest.raises(ValueError, match=r"w\.pt has other shapes, layers\.0\.weight, layers\.0\.bias"):
        load("my_models:Wide()", 2, weights=weights)
    with pytest.raises(ValueError, match=r"is for a torch\.nn\.Module, and velocity is function"):
        load("my_models:velocity", 2, weights=weights)
    torch.save({"one": own["layers.0.bias"], "layers.0.bias": own["layers.0.bias"]}, "v.pt")
    with pytest.raises(ValueError, match=r"does not hold layers\.0\.weight, .*; it holds .* lacks, one"):
        load("my_models:make()", 2, weights=checkpoints.read("v.pt"))


FACTORIES = {
    "my_models:make()": None,
    "my_models:Net()": None,
    "my_models:make()(t, x)": None,
    "my_models:needs()": "needs() raised TypeError: needs() missing 1 required positional argument",
    "my_models:fails()": "fails() raised KeyError: 'no luck'; it is called without arguments",
    "my_models:nothing()": "nothing() returned NoneType, which cannot be called",
    "my_models:number()": "number is int and makes nothing; leave out the ()",
    "my_models:net()": "net() raised TypeError",
    "my_models:make(3)": "or () for a factory that takes none",
    "my_models:make()()": "or () for a factory that takes none",
    "my_models:(t, x)": "give MODULE:ATTR",
    "my_models:make": "make takes no arguments; if it makes the field, name what it returns, my_models:make",
    "my_models:Net": "Net is a class; name an instance of it, Net() if it takes no arguments",
}


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("words", FACTORIES)
def test_factories_and_classes_are_called_without_arguments(words: str) -> None:
    expected = FACTORIES[words]
    if expected is None:
        flow = load(words, 2)
        assert flow.velocity(0.5, np.zeros((3, 2))).shape == (3, 2)
        assert flow.name == words.removesuffix("(t, x)")
        return
    with pytest.raises(ValueError, match=r".") as error:
        load(words, 2)
    assert expected in str(error.value)
    assert "\n" not in str(error.value)
