"""Jacobians of torch fields by automatic differentiation (docs/theory.md H1, H5).

The rows of Dv at all points come from one backward pass a component: the gradient of Σ_i v_j(x_i) in x holds
∂v_j/∂x at every x_i, as long as no sample depends on another. That needs nothing of the field but autograd,
where `torch.func.vmap` refuses branches on values, ``.item()`` and functions without a batching rule.
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.checks import as_array, positive_integer

TorchVelocity = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def automatic_jacobian(
    velocity: TorchVelocity, t: ArrayLike | torch.Tensor, x: ArrayLike | torch.Tensor, *, chunk: int = 4096
) -> Float[np.ndarray, "n d d"]:
    """Dv_t(x) of a torch field, row = component, column = direction, in float64.

    The field is evaluated as it is, in its own mode (train or eval), with the precision and on the device of
    its parameters; a field without parameters with those of ``x``, or in float64 where ``x`` is no tensor.
    No gradient reaches its parameters.

    Args:
        velocity: A module or function (t, x (k,d)) → (k,d) whose samples don't depend on each other. It gets
            a scalar tensor t where ``t`` is one number, and (k,) where it is (n,).
        t: One number or (n,).
        x: (n,d).
        chunk: How many points are differentiated at a time: memory grows with chunk × the field's size.

    Raises:
        ValueError: If t or x has a wrong shape or is not finite; if the field returns no tensor, another
            shape, a value or a derivative that isn't finite, depends on x where autograd sees no
            dependence (NumPy, ``detach`` or ``no_grad`` inside), or mixes samples (checked on the first of
            each chunk).

    Example:
        >>> automatic_jacobian(lambda t, x: t * x**2, 0.5, [[3.0]]).tolist()
        [[[3.0]]]
    """
    dtype, device = _dtype(velocity, x), _device(velocity, x)
    points = torch.tensor(as_array("x", _plain(x), ndim=2), dtype=dtype, device=device)
    times = torch.tensor(as_array("t", _plain(t), ndim=(0, 1)), dtype=dtype, device=device)
    n, d = points.shape
    if times.ndim and len(times) != n:
        raise ValueError(f"t: got {len(times)} times for {n} points; give one or {n}")
    result = np.empty((n, d, d))
    size = positive_integer("chunk", chunk)
    for start in range(0, n, size):
        part = slice(start, min(start + size, n))
        result[part] = _rows(velocity, times[part] if times.ndim else times, points[part], start)
    return result


def automatic_products(
    velocity: TorchVelocity, t: float, x: torch.Tensor, vectors: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Dv_t(x_i) z_i and Dv_t(x_i)ᵀ z_i, (n,d) each, for x and z (n,d), by reverse mode alone.

    Samples must not depend on each other. The first product is the derivative of the second's formula in z,
    which is linear in it. Where autograd sees no dependence a product is 0: a field that computes outside of
    torch must be refused before.

    Raises:
        ValueError: If the field returns another shape.

    Example:
        >>> turn = torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64)
        >>> one = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
        >>> [p.tolist() for p in automatic_products(lambda t, x: x @ turn.T, 0.0, one, one)]
        [[[0.0, 1.0]], [[0.0, -1.0]]]
    """
    with torch.enable_grad():
        at = x.detach().clone().requires_grad_()
        value = velocity(torch.tensor(t, dtype=x.dtype, device=x.device), at)
        if value.shape != x.shape:
            raise ValueError(f"velocity: got shape {tuple(value.shape)} for x of shape {tuple(x.shape)}")
        if not value.requires_grad:
            return torch.zeros_like(x), torch.zeros_like(x)
        dual = vectors.detach().clone().requires_grad_()
        (pulled,) = torch.autograd.grad(value, at, dual, create_graph=True)
        (pushed,) = torch.autograd.grad(pulled, dual, vectors, allow_unused=True)
    return (torch.zeros_like(x) if pushed is None else pushed).detach(), pulled.detach()


def _rows(velocity: TorchVelocity, t: torch.Tensor, x: torch.Tensor, start: int) -> np.ndarray:
    """The Jacobians of one chunk, whose first point is number ``start``."""
    with torch.enable_grad():
        at = x.clone().requires_grad_()
        value = _checked(velocity(t, at), x, start)
        if _gradient(value.sum(), at) is None:
            _refuse_hidden_dependence(velocity, t, x, value)
            return np.zeros((*x.shape, x.shape[1]))
        rows = [_gradient(value[:, j].sum(), at) for j in range(x.shape[1])]
        _refuse_unbounded(rows, x, start)
        _refuse_mixed_samples(value, at)
    filled = [torch.zeros_like(x) if row is None else row for row in rows]
    return np.asarray(torch.stack(filled, dim=1).to(device="cpu", dtype=torch.float64).numpy())


def _gradient(total: torch.Tensor, at: torch.Tensor) -> torch.Tensor | None:
    """∇total, None where autograd finds no path from x to it."""
    if not total.requires_grad:
        return None
    (found,) = torch.autograd.grad(total, at, retain_graph=True, allow_unused=True)
    return found


def _checked(value: object, x: torch.Tensor, start: int) -> torch.Tensor:
    if not isinstance(value, torch.Tensor):
        raise ValueError(f"velocity: returned {type(value).__name__}; it must return a torch tensor")
    if value.shape != x.shape:
        raise ValueError(f"velocity: got shape {tuple(value.shape)} for x of shape {tuple(x.shape)}")
    bad = ~torch.isfinite(value.detach()).all(dim=1)
    if bool(bad.any()):
        i = int(bad.to(torch.uint8).argmax())
        raise ValueError(f"velocity: its value at point {start + i}, {x[i].tolist()}, is not finite")
    return value


def _refuse_hidden_dependence(
    velocity: TorchVelocity, t: torch.Tensor, x: torch.Tensor, value: torch.Tensor
) -> None:
    """A field that autograd finds constant must be constant; else its Jacobian would be 0 without notice."""
    if not torch.equal(velocity(t, x + 1), value):
        raise ValueError(
            "velocity: depends on x where autograd sees no dependence (NumPy, detach or no_grad inside); "
            "write it in torch, or use numerics.flows.spectrum.jacobian"
        )


def _refuse_unbounded(rows: list[torch.Tensor | None], x: torch.Tensor, start: int) -> None:
    for row in rows:
        if row is not None and not bool(torch.isfinite(row).all()):
            i = int(torch.isfinite(row).all(dim=1).to(torch.uint8).argmin())
            raise ValueError(f"velocity: its derivative at point {start + i}, {x[i].tolist()}, is not finite")


def _refuse_mixed_samples(value: torch.Tensor, at: torch.Tensor) -> None:
    """The first sample's velocity must not depend on another sample: that derivative is exactly 0."""
    found = _gradient(value[0].sum(), at)
    if found is not None and bool((found[1:] != 0).any()):
        raise ValueError(
            "velocity: the first sample's value depends on other samples (batch normalisation in training "
            "mode?); a field has a Jacobian only where samples are independent: call eval() first"
        )


def _plain(value: ArrayLike | torch.Tensor) -> ArrayLike:
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value


def _first(velocity: TorchVelocity) -> torch.Tensor | None:
    """The first floating parameter or buffer of a module."""
    if not isinstance(velocity, torch.nn.Module):
        return None
    held = [*velocity.parameters(), *velocity.buffers()]
    return next((tensor for tensor in held if tensor.is_floating_point()), None)


def _dtype(velocity: TorchVelocity, x: ArrayLike | torch.Tensor) -> torch.dtype:
    held = _first(velocity)
    if held is not None:
        return held.dtype
    return x.dtype if isinstance(x, torch.Tensor) and x.is_floating_point() else torch.float64


def _device(velocity: TorchVelocity, x: ArrayLike | torch.Tensor) -> torch.device:
    held = _first(velocity)
    if held is not None:
        return held.device
    return x.device if isinstance(x, torch.Tensor) else torch.device("cpu")
