r"""Learned flows: a network regressed on $\dot x_t = \dot α x_0 + \dot β x_1$ (docs/theory.md §6, F8).

Trained in float32, evaluated in float64: float32 weights are float64 numbers as they stand, so that
differences from the exact field and derivatives carry no rounding of the evaluation beyond float64's.
A network has bounded derivatives: where the exact field's are −1/(1−t), it must fail as t → 1.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike
from tqdm import trange

from numerics.checks import as_array, as_points
from numerics.flows.automatic import automatic_jacobian
from numerics.flows.network import VelocityNetwork
from numerics.flows.pairs import Pairs
from numerics.flows.recipe import Training
from numerics.schedules import Linear, Schedule

Points = Float[np.ndarray, "n d"]


@dataclass(frozen=True, eq=False)
class LearnedField:
    """A trained field, asked as `ExactField` is.

    Attributes:
        module: The network, in float64 and without gradients.
        dim: d.
        training: How it was trained.
        losses: (steps,), the mean of |v_θ − ẋ_t|² over each batch.

    Example:
        >>> from numerics.flows import Training, pairs, train
        >>> from numerics.potentials import Sphere
        >>> field = train(pairs.exact(Sphere(2)), 2, Training(steps=3, batch=8, width=4), progress=False)
        >>> field.velocity(0.5, [[0.1, 0.2]]).shape, field.losses.shape
        ((1, 2), (3,))
    """

    module: VelocityNetwork
    dim: int
    training: Training
    losses: Float[np.ndarray, " steps"]

    @property
    def schedule(self) -> Schedule:
        """The interpolant's coefficients."""
        return self.training.schedule

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.module.parameters()).device

    def to(self, device: str) -> "LearnedField":
        """The same field, evaluated on another device.

        Raises:
            ValueError: If there is no such device.
        """
        return LearnedField(
            deepcopy(self.module).to(check_device(device)), self.dim, self.training, self.losses
        )

    def velocity(
        self,
        t: ArrayLike | None,
        x: ArrayLike,
        *,
        remaining: ArrayLike | None = None,
        condition: ArrayLike | None = None,
    ) -> Points:
        """v_θ(t, x) for x (n,d), t or remaining = 1 − t scalar or (n,) in [0, 1], condition (c,) or (n,c).

        Raises:
            ValueError: If a time is outside [0, 1], shapes disagree, or there is a condition where the
                network takes none.
        """
        points, times, prompt = self._checked(t, x, remaining, condition)
        with torch.no_grad():
            return np.asarray(self.module(times, points, prompt).cpu().numpy())

    def jacobian(
        self,
        t: ArrayLike | None,
        x: ArrayLike,
        *,
        remaining: ArrayLike | None = None,
        condition: ArrayLike | None = None,
    ) -> Float[np.ndarray, "n d d"]:
        """Dv_θ(t, x), by automatic differentiation; arguments as in `velocity`."""
        points, times, prompt = self._checked(t, x, remaining, condition)
        if prompt is None:
            return automatic_jacobian(self.module, times, points)
        return automatic_jacobian(
            lambda at, where: self.module(at, where, prompt), times, points, chunk=len(points)
        )

    def _checked(
        self, t: ArrayLike | None, x: ArrayLike, remaining: ArrayLike | None, condition: ArrayLike | None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        points = as_points("x", x, self.dim)
        times = Linear().beta(t, remaining=remaining)  # t, checked
        if times.ndim and len(times) != len(points):
            raise ValueError(f"t: got {len(times)} times for {len(points)} points; give one or {len(points)}")
        prompt = None if condition is None else self._tensor(self._checked_condition(condition, len(points)))
        return self._tensor(points), self._tensor(times), prompt

    def _checked_condition(self, condition: ArrayLike, n: int) -> np.ndarray:
        wanted = self.module.conditions
        values = np.atleast_2d(as_array("condition", condition, ndim=(1, 2)))
        if not wanted or values.shape[1] != wanted or len(values) not in (1, n):
            raise ValueError(
                f"condition: got shape {values.shape} for {n} points and a network of {wanted} conditions"
            )
        return np.broadcast_to(values, (n, wanted))

    def _tensor(self, values: np.ndarray) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float64, device=self.device)


def train(
    pairs: Pairs, dim: int, training: Training, *, device: str = "cpu", progress: bool = True
) -> LearnedField:
    """Minimise E|v_θ(t, αx₀ + βx₁) − (α̇x₀ + β̇x₁)|² over θ, t uniform on [0, 1) (algorithm 1 of the notes).

    On the CPU the result is the same bit for bit whenever configuration, versions and machine are: pairs and
    times come from one NumPy generator, weights from one of torch, and global states stay untouched.

    Args:
        pairs: (n, rng) → x0 (n,d), x1 (n,d) and, for a conditioned field, a condition (n,c): see
            `numerics.flows.pairs`.
        dim: d.
        training: Batches, network and optimiser.
        device: ``"cpu"``, or ``"cuda"`` where there is one.
        progress: Whether a bar is drawn, on a terminal.

    Raises:
        ValueError: If the device is absent, or pairs are not finite numbers of these shapes.
        RuntimeError: If the loss stops being finite, naming the step.

    Example:
        >>> from numerics.flows import pairs
        >>> from numerics.potentials import Sphere
        >>> shape = Training(steps=3, batch=8, width=4)
        >>> first, again = (train(pairs.exact(Sphere(2)), 2, shape, progress=False) for _ in range(2))
        >>> first.losses.tolist() == again.losses.tolist()
        True
    """
    place = check_device(device)
    rng = np.random.default_rng(training.seed)
    conditions = count_conditions(pairs, dim, training.batch)
    network = VelocityNetwork(dim, training.width, training.depth, conditions, seed=training.seed).to(place)
    optimiser = torch.optim.Adam(network.parameters(), lr=training.learning_rate, fused=True)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, training.steps)
    losses = np.empty(training.steps)
    with _threads(training.threads):
        for step in trange(training.steps, desc="training", leave=False, disable=None if progress else True):
            batch = draw(pairs, training, rng, place)
            optimiser.zero_grad()
            loss = flow_matching_loss(network, *batch)
            torch.autograd.backward(loss)
            optimiser.step()
            rate.step()
            losses[step] = loss.item()
            if not np.isfinite(losses[step]):
                raise RuntimeError(
                    f"training: the loss is {losses[step]} at step {step}; lower learning_rate (now "
                    f"{training.learning_rate}), or use a schedule whose derivatives are square integrable"
                )
    return LearnedField(frozen(network), dim, training, losses)


def flow_matching_loss(
    network: torch.nn.Module,
    t: torch.Tensor,
    x: torch.Tensor,
    speed: torch.Tensor,
    condition: torch.Tensor | None = None,
    prompted: torch.Tensor | None = None,
) -> torch.Tensor:
    """The mean of |v_θ(t, x_t) − ẋ_t|² over a batch (notes, eq. 37)."""
    given = () if condition is None else (condition, prompted)
    return torch.as_tensor(((network(t, x, *given) - speed) ** 2).sum(dim=1).mean())


def draw(
    pairs: Pairs, training: Training, rng: np.random.Generator, place: torch.device
) -> tuple[torch.Tensor, ...]:
    """A batch as float32 tensors: t, x_t, ẋ_t and, where there are conditions, these and who keeps them."""
    x0, x1, *condition = pairs(training.batch, rng)
    t = rng.random(training.batch)
    schedule = training.schedule
    alpha, beta = schedule.alpha(t)[:, None], schedule.beta(t)[:, None]
    fall, rise = schedule.alpha_dot(t)[:, None], schedule.beta_dot(t)[:, None]
    parts: list[np.ndarray] = [t, alpha * x0 + beta * x1, fall * x0 + rise * x1]
    if condition:
        parts += [condition[0], rng.random(training.batch) >= training.unprompted]
    return tuple(torch.tensor(part, dtype=torch.float32, device=place) for part in parts)


def frozen(network: VelocityNetwork) -> VelocityNetwork:
    """The network as a field: float64, without gradients."""
    return network.double().requires_grad_(False).eval()


def count_conditions(pairs: Pairs, dim: int, batch: int) -> int:
    """How many conditions come with the pairs, from a batch that is drawn to look at.

    Raises:
        ValueError: If the batch isn't two arrays (batch,d) and perhaps one (batch,c), finite.
    """
    drawn = pairs(batch, np.random.default_rng(0))
    if len(drawn) not in (2, 3):
        raise ValueError(f"pairs: returned {len(drawn)} arrays; need x0, x1 and at most a condition")
    for name, values in zip(("x0", "x1", "condition"), drawn, strict=False):
        shape = as_array(f"{name} of pairs", values, ndim=2).shape
        if shape[0] != batch or (name != "condition" and shape[1] != dim):
            raise ValueError(f"pairs: {name} has shape {shape} for a batch of {batch} in dimension {dim}")
    return int(drawn[2].shape[1]) if len(drawn) == 3 else 0


def check_device(device: str) -> torch.device:
    """The device of this name, where there is one.

    Raises:
        ValueError: If torch doesn't know the name, or finds no such device on this machine.
    """
    try:
        place = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"device: got {device!r}; use 'cpu' or 'cuda'") from error
    if place.type not in ("cpu", "cuda"):
        raise ValueError(f"device: got {device!r}; use 'cpu' or 'cuda'")
    if place.type == "cuda" and not (
        torch.cuda.is_available() and (place.index or 0) < torch.cuda.device_count()
    ):
        raise ValueError(f"device: torch {torch.__version__} finds no {device!r} on this machine; use 'cpu'")
    return place


@contextmanager
def _threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
