r"""A-posteriori bounds on |u − prox_{λφ}(z)| for a candidate u from anywhere (design.md).

Throughout p = prox_{λφ}(z), so q = (z − p)/λ ∈ ∂φ(p) (docs/theory.md §1, P2), and every set of pairs (point,
subgradient) of a convex φ is monotone [@rockafellar1998variational, ch. 12]. Each bound
is proved from numbers that were computed, with the rounding of computing them added: nothing is assumed of
where the candidate came from. +inf says that a certificate has nothing to say, not that the candidate is bad.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.accuracy import EPS, Rounding
from numerics.checks import as_points, as_positive
from numerics.geometry import norms
from numerics.potentials.base import Potential

_TINY = 1e-150  # its square is still a normal number


@dataclass(frozen=True)
class Certificate:
    """Proved bounds for a batch of candidates.

    Attributes:
        bound: (n,) |u − prox| is at most this; +inf where the certificate does not apply.
        rounding: (n,) the part of the bound that pays for floating point; no candidate can do better.
        because: The inequality in one line, for a reader.

    Example:
        >>> from numerics.potentials import Sphere
        >>> found = transport(Sphere(2), [[0.0, 3.0]], 1.0, [[0.0, 1.0]])  # (0, 1) is the prox of (0, 3)
        >>> bool(found.bound[0] < 1e-14), bool(found.rounding[0] <= found.bound[0])
        (True, True)
    """

    bound: Float[np.ndarray, " n"]
    rounding: Float[np.ndarray, " n"]
    because: str


def fenchel_young(potential: Potential, z: ArrayLike, step: ArrayLike, u: ArrayLike) -> Certificate:
    r"""$|u - p| ≤ \sqrt{λ(G^+ + ρ)}$ with $y = (z-u)/λ$ and $G = φ(u) + φ^*(y) - ⟨u,y⟩$.

    Proof. From q ∈ ∂φ(p): φ(u) ≥ φ(p) + ⟨q,u−p⟩; from p ∈ ∂φ\*(q): φ\*(y) ≥ φ\*(q) + ⟨p,y−q⟩. Add, with
    φ(p) + φ\*(q) = ⟨p,q⟩: G ≥ −⟨u−p, y−q⟩. And z = u + λy = p + λq gives y−q = −(u−p)/λ: G ≥ |u−p|²/λ.

    Rounding. A u that counts as inside the domain stands for a point u' of it within δ, ``roundings.domain``;
    φ(u') and φ\*(y) err by what the potential states, ⟨u,y⟩ by d roundings of Σ|u_i y_i|, the two sums by one
    each, and ⟨u−u',y⟩ is at most δ|y|: together ρ. The proof bounds the distance of u' from the prox of
    u' + λy, which is within δ + r of z, r = |z − u − λy| ≤ 2·eps·(|z|+|u|+λ|y|), and prox is nonexpansive:
    2δ + r is added.

    A candidate outside the domain has φ(u) = +inf and the bound +inf: that certificate cannot tell 1e−9
    outside from 1 outside. Use `transport`, which evaluates no φ, or move the candidate into the domain.

    Args:
        potential: φ.
        z: (n,d).
        step: λ > 0, scalar or (n,).
        u: (n,d) candidates.

    Raises:
        ValueError: If shapes disagree, an entry isn't finite, or step isn't positive.

    Example:
        >>> from numerics.potentials import DegenerateGaussian
        >>> normal = DegenerateGaussian([0.0], [[1.0]])  # φ = x²/2: prox of 2 with step 1 is 1
        >>> fenchel_young(normal, [[2.0]], 1.0, [[1.5]]).bound.round(6).tolist()  # G = 9/8 + 1/8 − 3/4 = ½
        [0.707107]
    """
    z, step, u = _checked(potential, z, step, u)
    y = (z - u) / step[:, None]
    value, conjugate = potential.value(u), potential.conjugate(y).real
    inside = np.isfinite(value)
    gap = np.where(inside, value, 0.0) + conjugate - (u * y).sum(axis=1)
    noise, beside = np.zeros(len(u)), potential.roundings.domain(u)
    if inside.any():
        held = (part[inside] for part in (u, y, value, conjugate))
        noise[inside] = gap_rounding(potential, *held).bound
    moved = 2 * beside.bound + _residual_rounding(z, u, y, step)
    bound = np.sqrt(step * (np.maximum(gap, 0.0) + noise)) + moved
    return Certificate(
        np.where(inside, bound, np.inf),
        np.sqrt(step * noise) + moved,
        "Fenchel-Young gap: λG ≥ |u − prox|², G = φ(u) + φ*(y) − ⟨u,y⟩, y = (z−u)/λ",
    )


def transport(
    potential: Potential, z: ArrayLike, step: ArrayLike, u: ArrayLike, y: ArrayLike | None = None
) -> Certificate:
    r"""For **any** y: $|u - p| ≤ |u - T(y) - e/2| + |e|/2$ with $e = z - T(y) - λy$.

    Proof. v = T(y) gives y ∈ ∂φ(v), so v = prox_{λφ}(v + λy), and z = v + λy + e. Monotonicity of the pairs
    (v,y), (p,q), with λ(q − y) = e − (p − v), reads ⟨p−v, e⟩ ≥ |p−v|²: p lies in the ball that has the
    segment [v, v+e] for a diameter. In particular |T(y) − p| ≤ |e| and |u − p| ≤ |u − T(y)| + |e|.

    With the default y = (z−u)/λ, e = u − T(y) and the bound is |u − T(y)|. A y nearer to (z − p)/λ, from
    another solver, may be passed and only sharpens the answer; a poor one only loosens it.

    Rounding. The computed T(y) errs by what ``roundings.transport`` states, which enters
    through u − T(y) and e: twice; e itself is computed to 2·eps·(|z|+|T(y)|+λ|y|).

    The bound is sharp where T is continuous or y is well inside a cell, and useless (as large as a jump of T)
    where prox lies in the relative interior of a face. Rows with y = 0, where bodies have no T, get +inf;
    other zeros of y are moved off 0, where a product may have none: any y will do.

    Args:
        potential: φ, of which only T is evaluated.
        z: (n,d).
        step: λ > 0, scalar or (n,).
        u: (n,d) candidates.
        y: (n,d) noise, or None for (z−u)/λ.

    Raises:
        ValueError: If shapes disagree, an entry isn't finite, or step isn't positive.

    Example:
        >>> from numerics.potentials import DegenerateGaussian
        >>> normal = DegenerateGaussian([0.0], [[1.0]])  # T(x₀) = x₀: prox of 2 with step 1 is 1
        >>> transport(normal, [[2.0]], 1.0, [[1.5]]).bound.round(12).tolist()  # y = ½, e = 1: |1 − ½| + ½
        [1.0]
        >>> transport(normal, [[2.0]], 1.0, [[1.5]], y=[[1.0]]).bound.round(12).tolist()  # e = 0: exact
        [0.5]
    """
    points, steps, candidates = _checked(potential, z, step, u)
    noise = (points - candidates) / steps[:, None] if y is None else as_points("y", y, potential.dim)
    if noise.shape != points.shape:
        raise ValueError(f"y: got shape {noise.shape} for z of shape {points.shape}; they must agree")
    bound, rounding = np.full(len(points), np.inf), np.full(len(points), np.inf)
    rows = np.flatnonzero((noise != 0).any(axis=1))
    if rows.size:
        there, lam = np.where(noise[rows] == 0, _TINY, noise[rows]), steps[rows]
        image = potential.transport(there).real
        error = points[rows] - image - lam[:, None] * there
        of_image = 2 * potential.roundings.transport(there).bound
        rounding[rows] = of_image + _residual_rounding(points[rows], image, there, lam)
        bound[rows] = norms(candidates[rows] - image - error / 2) + norms(error) / 2 + rounding[rows]
    return Certificate(bound, rounding, "transport: T(y) = prox(T(y) + λy), and prox is firmly nonexpansive")


def subdifferential(potential: Potential, z: ArrayLike, step: ArrayLike, u: ArrayLike) -> Certificate:
    r"""$|u - p| ≤ λ·\mathrm{dist}(y, ∂φ(u))$ with $y = (z-u)/λ$, where ∂φ(u) is explicit.

    Proof. Let y' be the member of ∂φ(u) nearest to y. Then u = prox_{λφ}(u + λy') and z = u + λy, and prox is
    nonexpansive: |u − p| ≤ |λy − λy'|.

    Rounding. A u that counts as inside the domain stands for a point of it within δ, ``roundings.domain``, on
    both sides of the inequality: 2δ; so does a u that counts as lying on a face near it, δ = ``blur``. The
    distance is computed to the set's own ``rounding``·(|y|+1),
    and y as in `fenchel_young`.

    The sets are explicit one point at a time: this certificate takes a Python loop over the rows. Where
    φ(u) = +inf there is no ∂φ(u), and the bound is +inf.

    Args:
        potential: φ.
        z: (n,d).
        step: λ > 0, scalar or (n,).
        u: (n,d) candidates.

    Raises:
        ValueError: If shapes disagree, an entry isn't finite, or step isn't positive.

    Example:
        >>> from numerics.potentials import FiniteAtoms
        >>> signs = FiniteAtoms.hypercube(1)  # ∂φ(1) = [0, ∞): prox of 0.5 with step 1 is 0.5
        >>> subdifferential(signs, [[0.5]], 1.0, [[1.0]]).bound.round(12).tolist()  # y = −½
        [0.5]
    """
    z, step, u = _checked(potential, z, step, u)
    y = (z - u) / step[:, None]
    bound, rounding = np.full(len(z), np.inf), np.full(len(z), np.inf)
    moved = 2 * potential.roundings.domain(u).bound + _residual_rounding(z, u, y, step)
    rows = np.flatnonzero(np.isfinite(potential.value(u)))
    for row, members in zip(rows, potential.subdifferentials(u[rows]) if len(rows) else (), strict=True):
        noise = members.rounding * (float(norms(y[row])) + 1)
        rounding[row] = step[row] * noise + moved[row] + 2 * members.blur
        bound[row] = step[row] * float(members.distance(y[row])[0]) + rounding[row]
    return Certificate(bound, rounding, "subdifferential: |u − prox| ≤ λ·dist((z−u)/λ, ∂φ(u))")


def certify(potential: Potential, z: ArrayLike, step: ArrayLike, u: ArrayLike) -> Certificate:
    """The smaller, row by row, of the vectorised certificates, `transport` and `fenchel_young`.

    The latter evaluates φ, which may cost a linear program a point, and is only asked where it could win: its
    rounding alone is more than 2δ + √(λδ|y|), of the domain's width δ.

    Raises:
        ValueError: As they do.

    Example:
        >>> from numerics.potentials import Sphere
        >>> bool(certify(Sphere(2), [[0.0, 3.0]], 1.0, [[0.0, 1.0]]).bound[0] < 1e-14)
        True
    """
    points, steps, candidates = _checked(potential, z, step, u)
    found = transport(potential, points, steps, candidates)
    y = (points - candidates) / steps[:, None]
    width = potential.roundings.domain(candidates).bound
    floor = 2 * width + np.sqrt(steps * width * norms(y))
    rows = np.flatnonzero(found.bound > floor)
    if not rows.size:
        return found
    bound, rounding = np.full(len(points), np.inf), np.full(len(points), np.inf)
    other = fenchel_young(potential, points[rows], steps[rows], candidates[rows])
    bound[rows], rounding[rows] = other.bound, other.rounding
    return smallest(found, Certificate(bound, rounding, other.because))


def smallest(*certificates: Certificate) -> Certificate:
    """Row by row the smallest of several bounds on the same candidates: each is proved, so their minimum is.

    Raises:
        ValueError: If none is given or they differ in length.

    Example:
        >>> from numerics.potentials import DegenerateGaussian
        >>> normal, at = DegenerateGaussian([0.0], [[1.0]]), ([[2.0]], 1.0, [[1.5]])
        >>> smallest(transport(normal, *at), fenchel_young(normal, *at)).bound.round(6).tolist()  # 1/√2 < 1
        [0.707107]
    """
    if not certificates or len({len(c.bound) for c in certificates}) != 1:
        lengths = [len(c.bound) for c in certificates]
        raise ValueError(f"certificates: got lengths {lengths}; give at least one, for the same candidates")
    bounds = np.stack([c.bound for c in certificates])
    best = bounds.argmin(axis=0)[None]
    rounding = np.stack([c.rounding for c in certificates])
    return Certificate(
        np.take_along_axis(bounds, best, 0)[0],
        np.take_along_axis(rounding, best, 0)[0],
        "; or ".join(dict.fromkeys(c.because for c in certificates)),
    )


def _checked(
    potential: Potential, z: ArrayLike, step: ArrayLike, u: ArrayLike
) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, " n"], Float[np.ndarray, "n d"]]:
    points = as_points("z", z, potential.dim)
    candidates = as_points("u", u, potential.dim)
    if points.shape != candidates.shape:
        raise ValueError(f"u: got shape {candidates.shape} for z of shape {points.shape}; they must agree")
    return points, as_positive("step", step, len(points)), candidates


def gap_rounding(
    potential: Potential,
    u: Float[np.ndarray, "n d"],
    y: Float[np.ndarray, "n d"],
    value: Float[np.ndarray, " n"],
    conjugate: Float[np.ndarray, " n"],
) -> Rounding:
    """Of φ(u) + φ*(y) − ⟨u,y⟩ from its two values, against the gap at the point of the domain beside u.

    The three terms as the potential states them, two sums, and |y| times the distance from u to the point of
    the domain that φ speaks of.

    Example:
        >>> from numerics.potentials import Sphere
        >>> found = gap_rounding(Sphere(2), np.eye(2), 2 * np.eye(2), np.zeros(2), np.full(2, 2.0))
        >>> bool((found.bound < 1e-13).all())
        True
    """
    stated, pairing = potential.roundings, np.abs((u * y).sum(axis=1))
    terms = Rounding(np.abs(u * y).sum(axis=1), potential.dim, "an inner product")
    sums = Rounding(pairing + np.abs(conjugate) + np.abs(value), 2, "the sums of the gap")
    beside = stated.domain(u).amplified(norms(y), "u stands for a point of the domain")
    return stated.value(u) + stated.conjugate(y) + terms + sums + beside


def _residual_rounding(
    z: Float[np.ndarray, "n d"],
    u: Float[np.ndarray, "n d"],
    y: Float[np.ndarray, "n d"],
    step: Float[np.ndarray, " n"],
) -> Float[np.ndarray, " n"]:
    """Rounding of z − u − λy: two subtractions and a product, each to half an eps of what it handles."""
    return 2 * EPS * (norms(z) + norms(u) + step * norms(y))
