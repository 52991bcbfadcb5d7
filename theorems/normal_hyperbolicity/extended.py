"""The exact field in extended precision: closed-form proxes in mpmath, differentiated by central differences.

Near t = 1 float64 no longer sees how far x_t = αx₀ + βx₁ is off the support. With ``digits`` decimal digits
the field is known until 1 − t is about 10^{−digits}. Nothing is shared with the library's proxes, Jacobians
and schedules.
"""

from collections.abc import Callable
from dataclasses import dataclass

import mpmath as mp  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from numerics.potentials import (
    DegenerateGaussian,
    Ellipsoid,
    FiniteAtoms,
    NearestPoint,
    Potential,
    Sphere,
    Torus,
)
from numerics.schedules import Schedule
from theorems.setting.exact_schedules import EXACT

Array = NDArray[np.float64]
Vector = list[mp.mpf]
STEP_DIGITS = 10
"""Half-steps are 10^{−10}·α: truncation is of order 10^{−20}, as prox bends over lengths of order α."""


@dataclass(frozen=True)
class Closed:
    """A target whose transport and prox are closed forms.

    Attributes:
        target: The same target in the library.
        transport: T.
        prox: prox_{λφ}(z) for (z, λ), near the points that the flow meets.
    """

    target: Potential
    transport: Callable[[Vector], Vector]
    prox: Callable[[Vector, mp.mpf], Vector]


def rescaled_jacobian(
    closed: Closed,
    schedule: Schedule,
    x0: Array,
    remaining: str,
    digits: int,
) -> Array:
    """(1−t)Dv_t(x_t) (d,d) on the trajectory of x0 (d,), at 1 − t given as text, such as "1e-40"."""
    with mp.workdps(digits):
        r = mp.mpf(remaining)
        alpha, beta, fall, rise = EXACT[schedule](r)
        noise = [mp.mpf(float(s)) for s in x0]
        start = [alpha * s + beta * y for s, y in zip(noise, closed.transport(noise), strict=True)]
        h = alpha * mp.mpf(10) ** -STEP_DIGITS

        def velocity(x: Vector) -> Vector:
            data = closed.prox([c / beta for c in x], alpha / beta)
            return [fall / alpha * c + (rise - fall * beta / alpha) * u for c, u in zip(x, data, strict=True)]

        def column(j: int) -> Vector:
            ahead, behind = (velocity([c + s * h * (i == j) for i, c in enumerate(start)]) for s in (1, -1))
            return [r * (a - b) / (2 * h) for a, b in zip(ahead, behind, strict=True)]

        columns = [column(j) for j in range(len(x0))]
        return np.array([[float(entry) for entry in c] for c in columns]).T


def growth(
    closed: Closed,
    schedule: Schedule,
    x0: Array,
    direction: Array,
    tau: Array,
    digits: int,
) -> tuple[Array, Array]:
    """Log σ_i (k,d), ascending, and log|DX_t u| (k,), u the direction (d,), at times τ = −log(1−t) (k,).

    DX_t by central differences of X_t = αId + βT over 10^{−digits/4}, truncated at 10^{−digits/2}: what is
    zero of DT is told from α until α is as small as that. DX_t is symmetric, and its σ are its eigenvalues.
    """
    with mp.workdps(digits):
        noise, h = [mp.mpf(float(s)) for s in x0], mp.mpf(10) ** (-digits // 4)
        u, spectra, lengths = mp.matrix([mp.mpf(float(c)) for c in direction]), [], []
        for now in tau:
            alpha, beta, *_ = EXACT[schedule](mp.exp(-mp.mpf(float(now))))

            def flow(x: Vector, alpha: mp.mpf = alpha, beta: mp.mpf = beta) -> Vector:
                return [alpha * c + beta * y for c, y in zip(x, closed.transport(x), strict=True)]

            jacobian = mp.matrix(len(noise))
            for j in range(len(noise)):
                ends = [flow([c + s * h * (i == j) for i, c in enumerate(noise)]) for s in (1, -1)]
                for i, (ahead, behind) in enumerate(zip(*ends, strict=True)):
                    jacobian[i, j] = (ahead - behind) / (2 * h)
            values = mp.eigsy((jacobian + jacobian.T) / 2, eigvals_only=True)
            spectra.append(sorted(float(mp.log(abs(value))) for value in values))
            lengths.append(float(mp.log(mp.norm(jacobian * u))))
    return np.array(spectra), np.array(lengths)


def _length(x: Vector) -> mp.mpf:
    return mp.sqrt(mp.fsum(c * c for c in x))


def sphere(dim: int, radius: float) -> Closed:
    """The ball's indicator: R z/|z| outside."""

    def project(z: Vector, _: mp.mpf | None = None) -> Vector:
        length = _length(z)
        return [radius * c / length for c in z] if length > radius else z

    return Closed(Sphere(dim, radius), lambda x0: [radius * c / _length(x0) for c in x0], project)


def ellipsoid(axes: tuple[float, ...]) -> Closed:
    """The indicator of {Σ x_i²/a_i ≤ 1}: x_i = a_i z_i/(a_i + μ), μ the root of Σ a_i z_i²/(a_i + μ)² = 1."""

    def transport(x0: Vector) -> Vector:
        h = mp.sqrt(mp.fsum(a * c * c for a, c in zip(axes, x0, strict=True)))
        return [a * c / h for a, c in zip(axes, x0, strict=True)]

    def project(z: Vector, _: mp.mpf) -> Vector:
        pairs, mu = list(zip(axes, z, strict=True)), mp.mpf(0)
        while True:  # Newton from the left of the root of a convex decreasing function: monotone
            excess = mp.fsum(a * c * c / (a + mu) ** 2 for a, c in pairs) - 1
            step = excess / mp.fsum(2 * a * c * c / (a + mu) ** 3 for a, c in pairs)
            if step <= mp.eps * (1 + mu):
                return [a * c / (a + mu) for a, c in pairs]
            mu += step

    return Closed(Ellipsoid(np.diag(axes)), transport, project)


def gaussian(deviations: tuple[float, ...]) -> Closed:
    """φ = Σ u_i²/(2σ_i), 0 where σ_i = 0: x_i = σ_i z_i/(σ_i + λ)."""
    return Closed(
        DegenerateGaussian(np.zeros(len(deviations)), np.diag(np.square(deviations))),
        lambda x0: [s * c for s, c in zip(deviations, x0, strict=True)],
        lambda z, step: [s * c / (s + step) for s, c in zip(deviations, z, strict=True)],
    )


def two_atoms(first: tuple[float, ...], second: tuple[float, ...], weight: float) -> Closed:
    """φ is affine on the segment: z is projected on its line, moved by λ(g₁−g₀)/Δ and clipped."""
    target = FiniteAtoms.two(first, second, weight)
    rise = float(target.heights[1] - target.heights[0])
    edge = [mp.mpf(b) - mp.mpf(a) for a, b in zip(first, second, strict=True)]
    square = mp.fsum(e * e for e in edge)

    def at(share: mp.mpf) -> Vector:
        return [a + share * e for a, e in zip(first, edge, strict=True)]

    def transport(x0: Vector) -> Vector:
        return at(mp.mpf(mp.fsum(c * e for c, e in zip(x0, edge, strict=True)) > rise))

    def prox(z: Vector, step: mp.mpf) -> Vector:
        along = mp.fsum((c - a) * e for c, a, e in zip(z, first, edge, strict=True))
        return at(min(max((along - step * rise) / square, mp.mpf(0)), mp.mpf(1)))

    return Closed(target, transport, prox)


def torus(major: float, minor: float, curvature: float) -> Closed:
    """The nearest point of the torus: prox_{λφ}(z) = proj(z/(1+aλ)) near the points that the flow meets."""

    def project(x: Vector) -> Vector:
        around = _length(x[:2])
        core = [major * x[0] / around, major * x[1] / around, mp.mpf(0)]
        off = [a - c for a, c in zip(x, core, strict=True)]
        length = _length(off)
        return [c + minor * o / length for c, o in zip(core, off, strict=True)]

    return Closed(
        NearestPoint(Torus(major, minor), curvature),
        lambda x0: project([c / curvature for c in x0]),
        lambda z, step: project([c / (1 + curvature * step) for c in z]),
    )


CLOSED = (
    sphere(3, 2.0),
    ellipsoid((4.0, 1.0, 0.25)),
    gaussian((2.0, 0.5, 0.0)),
    two_atoms((0.0, 1.0), (2.0, 0.0), 0.3),
    torus(2.0, 0.5, 1.0),
)
"""One of each kind."""
