"""Automatic Jacobians of torch fields against closed forms, complex steps and differences in NumPy."""

import numpy as np
import pytest
import torch

from numerics.flows.automatic import automatic_jacobian
from numerics.flows.spectrum import complex_jacobian, jacobian

POINTS = np.random.default_rng(3).standard_normal((30, 3))
TIMES = np.random.default_rng(4).uniform(0.1, 0.9, 30)
MIX = np.random.default_rng(5).standard_normal((3, 3))


def in_numpy(t, x):
    """Not a gradient, and not even in x: rows and columns, and signs, are told apart."""
    return np.tanh(x @ MIX.T + t[:, None]) + t[:, None] * x[:, [1, 2, 0]] ** 2


def in_torch(t, x):
    mix = torch.as_tensor(MIX, dtype=x.dtype)
    at = t.reshape(-1, 1)
    return torch.tanh(x @ mix.T + at) + at * x[:, [1, 2, 0]] ** 2


class Network(torch.nn.Module):
    """A field with parameters, t concatenated to x."""

    def __init__(self, dtype=torch.float64):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.first = torch.nn.Parameter(torch.randn(16, 4, generator=generator).to(dtype))
        self.last = torch.nn.Parameter(torch.randn(3, 16, generator=generator).to(dtype))

    def forward(self, t, x):
        at = t.reshape(-1, 1).expand(len(x), 1)
        return torch.tanh(torch.cat([x, at], dim=1) @ self.first.T) @ self.last.T

    def in_numpy(self, t, x):
        first, last = (p.detach().double().numpy() for p in (self.first, self.last))
        return np.tanh(np.concatenate([x, t[:, None]], axis=1) @ first.T) @ last.T


@pytest.mark.parametrize("chunk", [1, 7, 30, 100])
def test_agrees_with_complex_steps(chunk):
    found = automatic_jacobian(in_torch, TIMES, POINTS, chunk=chunk)
    np.testing.assert_allclose(found, complex_jacobian(in_numpy, TIMES, POINTS), rtol=1e-12, atol=1e-13)


def test_agrees_with_differences():
    field = Network()
    difference = jacobian(field.in_numpy, TIMES, POINTS, 0.02)
    found = automatic_jacobian(field, TIMES, POINTS)
    assert (np.abs(found - difference.jacobian).max(axis=(1, 2)) <= 2 * difference.error + 1e-11).all()


def test_linear_fields_are_exact():
    found = automatic_jacobian(lambda t, x: t * (x @ torch.as_tensor(MIX).T), 0.5, POINTS)
    np.testing.assert_array_equal(found, np.broadcast_to(MIX / 2, (30, 3, 3)))


def test_one_time_is_that_time_at_every_point():
    field = Network()
    every = automatic_jacobian(field, np.full(30, 0.3), POINTS)
    np.testing.assert_array_equal(automatic_jacobian(field, 0.3, POINTS), every)


def test_components_that_do_not_depend_on_x():
    found = automatic_jacobian(lambda t, x: torch.stack([x[:, 1], 0 * t + 2.0], dim=1), TIMES, POINTS[:, :2])
    np.testing.assert_array_equal(found, np.broadcast_to([[0.0, 1.0], [0.0, 0.0]], (30, 2, 2)))
    constant = automatic_jacobian(lambda _, x: torch.ones_like(x), 0.5, POINTS)
    np.testing.assert_array_equal(constant, np.zeros((30, 3, 3)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_precision_is_the_modules_own(dtype):
    field, seen = Network(dtype), []
    field.register_forward_pre_hook(lambda _, inputs: seen.extend(v.dtype for v in inputs))
    found = automatic_jacobian(field, 0.3, torch.as_tensor(POINTS))
    assert set(seen) == {dtype}
    assert found.dtype == np.float64
    exact = complex_jacobian(field.in_numpy, 0.3, POINTS)
    assert np.abs(found - exact).max() <= 100 * torch.finfo(dtype).eps * np.abs(exact).max()


def test_functions_take_the_precision_of_the_points():
    seen = []

    def field(t, x):
        seen.append(x.dtype)
        return x * t

    automatic_jacobian(field, 0.5, torch.as_tensor(POINTS, dtype=torch.float32))
    automatic_jacobian(field, 0.5, POINTS)
    assert set(seen[:1]) == {torch.float32}
    assert seen[-1] == torch.float64


def test_works_without_gradients_and_leaves_none_behind():
    field = Network()
    with torch.no_grad():
        found = automatic_jacobian(field, 0.3, POINTS)
    np.testing.assert_array_equal(found, automatic_jacobian(field, 0.3, POINTS))
    assert field.first.grad is None


def test_branches_on_values_are_no_obstacle():
    def field(t, x):
        return x * t if t.item() < 0.5 else x**2

    np.testing.assert_allclose(automatic_jacobian(field, 0.3, POINTS)[0], 0.3 * np.eye(3))


def _hidden(t, x):
    return torch.as_tensor(np.sin(x.detach().numpy())) * t


def _detached(t, x, field=Network()):  # noqa: B008
    return field(t, x.detach())


def _mixing(_, x):
    return x - x.mean(dim=0)


WRONG = [
    (lambda _, x: x.detach().numpy(), "torch tensor"),
    (lambda _, x: x[:, :2], "shape"),
    (lambda _, x: x / (x - x.detach()), "value at point 0"),
    (lambda _, x: torch.sqrt(x * 0), "derivative at point 0"),
    (_hidden, "no dependence"),
    (_detached, "no dependence"),
    (torch.no_grad()(in_torch), "no dependence"),
    (_mixing, "other samples"),
]


@pytest.mark.parametrize(("field", "message"), WRONG)
def test_bad_fields(field, message):
    with pytest.raises(ValueError, match=message):
        automatic_jacobian(field, 0.5, POINTS)


@pytest.mark.parametrize(
    ("t", "x", "message"),
    [
        (0.5, POINTS[0], "x: got shape"),
        (TIMES[:4], POINTS, "t: got 4 times for 30 points"),
        (TIMES[:, None], POINTS, "t: got shape"),
        (np.nan, POINTS, "t: entry"),
        (0.5, np.where(POINTS > 0, POINTS, np.nan), "x: entry"),
    ],
)
def test_bad_input(t, x, message):
    with pytest.raises(ValueError, match=message):
        automatic_jacobian(in_torch, t, x)


def test_bad_chunk():
    with pytest.raises(ValueError, match="chunk"):
        automatic_jacobian(in_torch, 0.5, POINTS, chunk=0)


def test_spectrum_does_not_import_torch():
    import subprocess
    import sys

    code = "import sys, numerics.flows.spectrum; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
