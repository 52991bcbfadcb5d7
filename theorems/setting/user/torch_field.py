"""Fields written in torch, called with NumPy arrays; imported only where there is one.

A field is asked in eval() mode and without gradients, whatever state its module is in: a module is copied,
and modules that a function or a bound method holds are put back into their state after every call.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass
from inspect import getclosurevars
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from numerics.flows.automatic import automatic_jacobian, automatic_products
from theorems.setting.user.reading import Reading

Array = NDArray[np.float64]


@dataclass(frozen=True)
class TorchField:
    """A field that takes tensors.

    Attributes:
        call: (t scalar tensor, x (n,d)) → (n,d).
        dtype: Of what it is given.
        device: Where that lies.
        held: Modules that are in eval() mode while it is called.
        differentiating: Whether gradients must be on for its values, as for v = ∇V by autograd.
        notes: What its user should know.
    """

    call: Callable[[torch.Tensor, torch.Tensor], Any]
    dtype: torch.dtype
    device: torch.device
    held: tuple[torch.nn.Module, ...] = ()
    differentiating: bool = False
    notes: tuple[str, ...] = ()

    @property
    def how(self) -> str:
        """Torch, and where."""
        return f"torch on {self.device}"

    def velocity(self, t: float, x: Array) -> Array:
        """What the field returns."""
        with torch.set_grad_enabled(self.differentiating), evaluating(self.held):
            value = self.call(torch.tensor(t, dtype=self.dtype, device=self.device), self._points(x))
        return np.asarray(value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value)

    def reached(self, t: float, x: Array) -> bool:
        """Whether a gradient of its values reaches x."""
        with torch.enable_grad(), evaluating(self.held):
            at = self._points(x).requires_grad_()
            value = self.call(torch.tensor(t, dtype=self.dtype, device=self.device), at)
            if not isinstance(value, torch.Tensor) or not value.requires_grad:
                return False
            return torch.autograd.grad(value.sum(), at, allow_unused=True)[0] is not None

    def jacobian(self, t: float, x: Array) -> Array:
        """Dv_t by automatic differentiation."""
        with evaluating(self.held):
            return automatic_jacobian(self.call, t, self._points(x))

    def products(self, t: float, x: Array, vectors: Array) -> tuple[Array, Array]:
        """Dv_t z and Dv_tᵀ z, a vector z (n,d) for each point."""
        with evaluating(self.held):
            found = automatic_products(self.call, t, self._points(x), self._points(vectors))
        pushed, pulled = (part.cpu().numpy().astype(np.float64) for part in found)
        return pushed, pulled

    def _points(self, x: Array) -> torch.Tensor:
        return torch.tensor(x, dtype=self.dtype, device=self.device)


def ways(found: Any, device: str, read: Reading) -> Iterator[TorchField]:
    """Ways to call it, the most accurate first: weights of single precision are exact in double, too."""
    place = torch.device(device)
    held = modules_of(found)
    notes = ("it is in training mode; it is asked in eval() mode",) if any(m.training for m in held) else ()
    precisions: tuple[torch.dtype, ...] = (torch.float64, torch.float32)
    if isinstance(found, torch.nn.Module):
        own = next((p.dtype for p in found.parameters() if p.is_floating_point()), torch.float32)
        with suppress(Exception):  # a module that cannot be copied or converted stays as it is
            double = deepcopy(found).double().to(place)
            for grad in (False, True):
                yield TorchField(read.of(double), torch.float64, place, (double,), grad, notes)
        found.to(place)
        precisions = (own,)
    for dtype in precisions:
        for grad in (False, True):
            yield TorchField(read.of(found), dtype, place, held, grad, notes)


def modules_of(found: Any) -> tuple[torch.nn.Module, ...]:
    """The module that a field is or is bound to, or those that a function names."""
    owner = found if isinstance(found, torch.nn.Module) else getattr(found, "__self__", None)
    if isinstance(owner, torch.nn.Module):
        return (owner,)
    try:
        seen = getclosurevars(found)
    except (TypeError, ValueError):  # no Python function
        return ()
    named = [*seen.nonlocals.values(), *seen.globals.values()]
    return tuple(value for value in named if isinstance(value, torch.nn.Module))


@contextmanager
def evaluating(held: tuple[torch.nn.Module, ...]) -> Iterator[None]:
    """Modules in eval() mode, and afterwards each of their parts in its own."""
    modes = [(part, part.training) for module in held for part in module.modules()]
    for module in held:
        if module.training or any(part.training for part in module.modules()):
            module.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training
