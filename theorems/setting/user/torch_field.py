"""Fields written in torch, called with NumPy arrays; imported only where there is one."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from numerics.flows.automatic import automatic_jacobian

Array = NDArray[np.float64]


@dataclass(frozen=True)
class TorchField:
    """A field that takes tensors.

    Attributes:
        call: (t scalar tensor, x (n,d)) → (n,d).
        dtype: Of what it is given.
        device: Where that lies.
    """

    call: Callable[[torch.Tensor, torch.Tensor], Any]
    dtype: torch.dtype
    device: torch.device

    @property
    def how(self) -> str:
        """Torch, and where."""
        return f"torch on {self.device}"

    def velocity(self, t: float, x: Array) -> Array:
        """What the field returns."""
        value = self.call(torch.tensor(t, dtype=self.dtype, device=self.device), self._points(x))
        return np.asarray(value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value)

    def jacobian(self, t: float, x: Array) -> Array:
        """Dv_t by automatic differentiation."""
        return automatic_jacobian(self.call, t, self._points(x))

    def _points(self, x: Array) -> torch.Tensor:
        return torch.tensor(x, dtype=self.dtype, device=self.device)


def ways(found: Any, device: str) -> Iterator[TorchField]:
    """Ways to call it, the most accurate first: weights of single precision are exact in double, too."""
    place = torch.device(device)
    if isinstance(found, torch.nn.Module):
        held = next((p.dtype for p in found.parameters() if p.is_floating_point()), torch.float32)
        with suppress(Exception):  # a module that cannot be copied or converted stays as it is
            double = deepcopy(found).double().to(place)
            yield TorchField(double, torch.float64, place)
        yield TorchField(found.to(place), held, place)
    else:
        yield TorchField(found, torch.float64, place)
        yield TorchField(found, torch.float32, place)
