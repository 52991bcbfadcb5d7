"""The network that velocity fields are learned with: a multilayer perceptron of time and place."""

from itertools import pairwise

import torch
from torch.nn.functional import silu

from numerics.checks import positive_integer


class VelocityNetwork(torch.nn.Module):
    """v_θ(t, x[, condition]): a multilayer perceptron with SiLU, so infinitely often differentiable.

    Its inputs are t, x and, where there are conditions, the condition and a 1 that says that there is one:
    the null prompt is 0 in all of them. Weights are float32, uniform on ±1/√(inputs), drawn from a generator
    of their own: no global state is read or changed.

    Args:
        dim: d.
        width: Units of each hidden layer.
        depth: Number of hidden layers.
        conditions: Number of entries of the condition; 0 for a field without.
        seed: Of the first weights.

    Raises:
        ValueError: If a size isn't a positive integer.

    Example:
        >>> network = VelocityNetwork(dim=2, width=8, depth=1)
        >>> sum(weights.numel() for weights in network.parameters())  # (3 + 1)·8 + (8 + 1)·2
        50
    """

    def __init__(self, dim: int, width: int, depth: int, conditions: int = 0, *, seed: int = 0) -> None:
        super().__init__()
        positive_integer("depth", depth)
        self.conditions = positive_integer("conditions", conditions, least=0)
        inputs = 1 + positive_integer("dim", dim) + (conditions + 1 if conditions else 0)
        sizes = [inputs, *[positive_integer("width", width)] * depth, dim]
        generator = torch.Generator().manual_seed(seed)
        self.layers = torch.nn.ModuleList(_linear(*both, generator) for both in pairwise(sizes))

    def forward(
        self,
        t: torch.Tensor,
        x: torch.Tensor,
        condition: torch.Tensor | None = None,
        prompted: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The velocity (n,d).

        Args:
            t: Scalar or (n,).
            x: (n,d).
            condition: (n,c); None is the null prompt.
            prompted: (n,), 1 where the condition counts and 0 where the null prompt takes its place.
        """
        parts = [t.expand(len(x))[:, None], x]
        if self.conditions:
            parts.append(self._prompt(x, condition, prompted))
        hidden = torch.cat(parts, dim=1)
        for layer in self.layers[:-1]:
            hidden = silu(layer(hidden))
        return torch.as_tensor(self.layers[-1](hidden))

    def _prompt(
        self, x: torch.Tensor, condition: torch.Tensor | None, prompted: torch.Tensor | None
    ) -> torch.Tensor:
        if condition is None:
            return x.new_zeros((len(x), self.conditions + 1))
        given = x.new_ones(len(x)) if prompted is None else prompted
        return torch.cat([condition * given[:, None], given[:, None]], dim=1)


def _linear(before: int, after: int, generator: torch.Generator) -> torch.nn.Linear:
    """A layer made without torch's global generator: on the meta device there is nothing to draw."""
    layer = torch.nn.Linear(before, after, device="meta").to_empty(device="cpu")
    reach = before**-0.5
    for parameter in layer.parameters():
        torch.nn.init.uniform_(parameter, -reach, reach, generator=generator)
    return layer
