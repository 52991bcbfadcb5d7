"""What is asked of a user's flow (--flow=MODULE:ATTR), computed once for all audits.

Nothing is assumed of the field but that it is one. A trained field is an approximation, so where theory has
an equality the audits say *agrees* up to `CLOSE` of the natural scale: a convention of these audits, not a
bound of a theorem. Where other couplings have a number of their own, it must also be nearer to an exact one's
than to that (`flow_outcomes`). The number found is what counts.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from numerics.flows.sampling import integrate
from numerics.flows.spectrum import qr_growth
from numerics.streams import stream
from theorems.setting.user.flow_outcomes import TOLD_APART, outcome
from theorems.setting.user.flow_pictures import draw_scale
from theorems.setting.user.flows import UserFlow

if TYPE_CHECKING:
    from theorems.setting.user.flow_marks import Marks

Array = NDArray[np.float64]
CLOSE = 0.05
TIMES = np.concatenate([np.linspace(0.0, 0.9, 19), [0.92, 0.94, 0.96, 0.98, 0.99]])


def place(t: float) -> int:
    """Where a time stands in `TIMES`.

    Raises:
        ValueError: If it is not one of them.

    Example:
        >>> [float(TIMES[place(t)]) for t in (0.1, 0.5, 0.99)]
        [0.1, 0.5, 0.99]
    """
    nearest = int(np.abs(TIMES - t).argmin())
    if abs(TIMES[nearest] - t) > 1e-9:
        raise ValueError(f"t: got {t}, must be one of TIMES; {TIMES[nearest]:g} is the nearest")
    return nearest


MIDDLE, LATE, LAST = place(0.5), place(0.9), -1
"""Places in `TIMES` of ½, 0.9 and the last time."""
MOST_DIMENSIONS = 128
"""Up to which exponents are computed: the QR method integrates d(d+2) numbers a trajectory."""
MOST_NUMBERS = 3 * 10**7
"""In the Jacobians of all times: a quarter of a gigabyte."""
MOST_EVALUATIONS = 20_000


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Trajectories of a flow from noise, at `TIMES`.

    Attributes:
        path: (k,n,d), from independent noise.
        near: (k,n,d), from noise close to each of these: at distances from 0.03 to 1.
        velocity: (k,n,d), along ``path``.
        error: (k,2n), how far the points of ``path`` and ``near`` move when integrated 100 times less
            accurately.
        derivative: Dv_t at points, (n,d,d).
        obstacle: Why it is not asked by products where that does not fit.
    """

    path: Array
    near: Array
    velocity: Array
    error: Array
    derivative: Callable[[float, Array], Array]
    obstacle: str = ""

    @cached_property
    def jacobian(self) -> Array:
        """(k,n,d,d), Dv along ``path``; for a large d of fewer trajectories.

        Raises:
            ValueError: If it would be too large.
        """
        d = self.path.shape[2]
        n = min(self.path.shape[1], MOST_NUMBERS // (len(TIMES) * d**2))
        if n == 0:
            raise ValueError(
                f"its Jacobians are too large in dimension {d}, and products do not do: {self.obstacle}"
            )
        return np.stack([self.derivative(t, x[:n]) for t, x in zip(TIMES, self.path, strict=True)])

    @cached_property
    def eigenvalues(self) -> Array:
        """(k,n,d): those of the symmetric part of Dv, descending. Its antisymmetric part is P4's question."""
        symmetric = (self.jacobian + self.jacobian.swapaxes(-1, -2)) / 2
        return np.asarray(np.linalg.eigvalsh(symmetric)[..., ::-1])

    def part(self, rows: NDArray[np.intp]) -> "Trajectories":
        """Some of the trajectories; Jacobians are those of the whole, computed once."""
        both = np.concatenate([rows, rows + self.path.shape[1]])
        return Trajectories(
            self.path[:, rows],
            self.near[:, rows],
            self.velocity[:, rows],
            self.error[:, both],
            lambda t, _: self.jacobian[place(t), rows],
            self.obstacle,
        )

    @property
    def end(self) -> Array:
        """(n,d), the data that the flow makes: from the last time one Euler step, exact on straight lines."""
        return np.asarray(self.path[LAST] + (1 - TIMES[LAST]) * self.velocity[LAST])


def tolerance(flow: UserFlow) -> float:
    """Of integration: far below `CLOSE`, above the noise of the field's own rounding."""
    return float(max(1e-6, 30 * flow.precision))


def count_of(d: int) -> int:
    """How many trajectories are followed: fewer where Jacobians are large."""
    return max(4, min(100, 40_000 // d**2))


@cache
def trajectories(flow: UserFlow) -> Trajectories:
    """Trajectories and their neighbours."""
    n, rng = count_of(flow.dim), stream(flow.seed, "trajectories")
    flow.say(f"flow {flow.name}: {n} trajectories in dimension {flow.dim} ({flow.how})")
    noise = rng.standard_normal((n, flow.dim))
    aside = rng.standard_normal(noise.shape)
    aside *= 10.0 ** rng.uniform(-1.5, 0, (n, 1)) / np.linalg.norm(aside, axis=1, keepdims=True)
    both = np.concatenate([noise, noise + aside])
    fine, coarse = (limited(flow, both, tolerance(flow) * factor) for factor in (1, 100))
    path = fine[:, :n]
    velocity = np.stack([flow.velocity(t, x) for t, x in zip(TIMES, path, strict=True)])
    error = np.linalg.norm(fine - coarse, axis=2)
    return Trajectories(path, fine[:, n:], velocity, error, flow.jacobian, flow.obstacle)


def limited(flow: UserFlow, noise: Array, accuracy: float) -> Array:
    """The flow of noise at `TIMES`, (k,n,d); a field too rough to be integrated is said to be so.

    Raises:
        RuntimeError: If `MOST_EVALUATIONS` do not suffice.
    """
    later = integrate(counted(flow.velocity), noise, TIMES[1:], tolerance=accuracy)
    return np.concatenate([noise[None], later])


def counted(call: Callable[..., Array]) -> Callable[..., Array]:
    """The same function, that gives up after `MOST_EVALUATIONS`."""
    used = 0

    def limit(*arguments: Any) -> Array:
        nonlocal used
        used += 1
        if used > MOST_EVALUATIONS:
            raise RuntimeError(f"integration needs more than {MOST_EVALUATIONS} evaluations: v is too rough")
        return call(*arguments)

    return limit


# --- spectra ---------------------------------------------------------------------------------------------


def predicted(whole: Trajectories, t: float) -> Array:
    """H1 read backwards: the eigenvalues of Dv at t that those at ½ imply, (n,d); NaN where none can.

    On a straight optimal path μ_t = (κ−1)/(1+t(κ−1)), so μ_t = μ_s/(1+(t−s)μ_s) for every s.
    """
    at_middle = whole.eigenvalues[MIDDLE]
    below = 1 + (t - TIMES[MIDDLE]) * at_middle
    return np.where(below > 0, at_middle / np.where(below > 0, below, 1.0), np.nan)


def stretched(whole: Trajectories, t: float) -> Array:
    """The singular values 1−t+tκ of DX_t that the eigenvalues at ½ imply, (n,d); κ = 0 where it is below."""
    at_middle = whole.eigenvalues[MIDDLE]
    below = np.maximum(1 - TIMES[MIDDLE] * at_middle, 1e-12)
    kappa = np.maximum(1 + at_middle / below, 0.0)
    return np.asarray(1 - t + t * kappa)


def exponents_of(d: int) -> int:
    """How many trajectories have their exponents computed."""
    return max(2, min(count_of(d), 20_000 // d**2))


@cache
def exponents(flow: UserFlow) -> Array:
    """(n,d): slopes of log R_ii between t = 0.9 and the last time, by the continuous QR method.

    Each trajectory's frame begins with the eigenvectors of Dv_0's symmetric part, largest eigenvalue first:
    on an optimal flow these are the singular vectors at all times.
    """
    d = flow.dim
    whole = trajectories(flow)
    n = exponents_of(d)
    flow.say(f"flow {flow.name}: Lyapunov exponents of {n} trajectories")
    start = whole.jacobian[0, :n]
    frame = np.linalg.eigh((start + start.swapaxes(1, 2)) / 2)[1][:, :, ::-1]
    turned = frame.swapaxes(1, 2)

    def velocity(remaining: Array, y: Array) -> Array:
        x = np.einsum("nij,nj->ni", frame, y)
        return np.einsum("nij,nj->ni", turned, flow.velocity(1 - float(remaining[0]), x))

    def derivative(remaining: Array, y: Array) -> Array:
        x = np.einsum("nij,nj->ni", frame, y)
        return np.asarray(turned @ flow.jacobian(1 - float(remaining[0]), x) @ frame)

    tau = -np.log1p(-TIMES[[LATE, LAST]])
    noise = np.einsum("nij,nj->ni", turned, whole.path[0, :n])
    growth = qr_growth(velocity, counted(derivative), noise, tau, tolerance=CLOSE / 50)
    return np.asarray((growth.log_growth[2] - growth.log_growth[1]) / (tau[1] - tau[0]))


def by_whole_jacobians(flow: UserFlow) -> None:
    """Skip what a large torch flow is asked by products instead."""
    if flow.dim > MOST_DIMENSIONS and flow.differentiates:
        pytest.skip(f"beyond dimension {MOST_DIMENSIONS} asked by products: test_spectra_by_products")


# --- words -----------------------------------------------------------------------------------------------


@contextmanager
def asked(evidence: Any, flow: UserFlow, claim: str, what: str) -> Iterator[None]:
    """A computation on the flow that ends in an error leaves its question open; it is no failure of ours."""
    try:
        yield
    except (ValueError, RuntimeError, np.linalg.LinAlgError) as error:
        evidence.auditing(flow.name, claim, "flow").ended_in(error, what)


def answer(
    evidence: Any,
    flow: UserFlow,
    question: str,
    measured: float,
    because: str,
    allowed: float = CLOSE,
    beside: "Marks | None" = None,
    error: float = 0.0,
) -> None:
    """One audit of a number that is 0 for an exact OT-CFM field.

    Args:
        evidence: The fixture.
        flow: Which is audited.
        question: What is asked.
        measured: The number.
        because: Why it is 0 for an exact field, or what is left of that.
        allowed: Up to where it agrees.
        beside: What other couplings have, for a question that would have a scale; None for the others.
        error: The standard error of the number.
    """
    best, most = beside.best if beside else (0.0, 0.0)
    widened = max(allowed, best)
    within = "agrees" if measured <= allowed else "deviates"
    of_batches = " of the largest batches" if best > allowed else ""
    evidence.audit(
        question,
        outcome(
            measured, widened, beside.rival, max(0.0, most - widened), best=most, error=TOLD_APART * error
        )
        if beside
        else within,
        expected=f"0; at most {widened:.3g}{of_batches} counts as agreement{beside.words if beside else ''}",
        measured=float(measured),
        because=f"{because}{f'; standard error {error:.1g}' if error > 0 else ''}",
        subject=flow.name,
        kind="flow",
    )
    if beside is not None and beside.places:
        _scale(evidence, flow, question, measured, beside)


def _scale(evidence: Any, flow: UserFlow, question: str, measured: float, beside: "Marks") -> None:
    """The number on an axis, among those of other couplings."""
    marks, errors = ({name: place[k] for name, place in beside.places.items()} for k in (0, 1))
    evidence.figure(
        f"{flow.name}: {question}",
        f"Its number and those of other couplings: {beside.words[2:]}",
        lambda figure: draw_scale(
            figure, {"the exact field": 0.0} | marks, measured, 0.0, flow.name, errors, "0 for an exact field"
        ),
        size=(7.0, 2.4),
    )
