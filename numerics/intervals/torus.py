r"""Nearest points of a torus in balls: distances in closed form give the global maximum.

With p = y/a and δ = |(√(p₁²+p₂²) − R, p₃)|, the distance from p to the torus is |δ − r|, and
φ\*(y) = max ⟨y,m⟩ − (a/2)|m|² = (a/2)(|p|² − (δ−r)²).
"""

from flint import arb, arb_mat

from numerics.checks import positive_number
from numerics.deprecated import renamed
from numerics.intervals.balls import UndecidedError, Vector, dot, identity, norm, outer, subtract, times
from numerics.intervals.exact_potential import ByConjugate, Candidate


class ExactTorus(ByConjugate):
    """The torus about e₃ with radii R > r, and the curvature a.

    Args:
        major: R, a double.
        minor: r, a double.
        curvature: a > 0.

    Raises:
        ValueError: If one is not positive, or r ≥ R.
    """

    dim = 3

    @renamed("scale", "curvature")
    def __init__(self, major: float, minor: float, curvature: float) -> None:
        self._major, self._minor = arb(positive_number("major", major)), arb(positive_number("minor", minor))
        self._a = arb(positive_number("curvature", curvature))
        if minor >= major:
            raise ValueError(f"minor: got {minor}; it must be less than major = {major}")

    def _across(self, p: Vector) -> tuple[arb, arb]:
        """Distance from the axis, and the signed distance of it from the core circle."""
        reach = norm(p[:2])
        return reach, reach - self._major

    def conjugate(self, y: Vector) -> arb:
        """(a/2)(|p|² − (δ−r)²), p = y/a."""
        p = times(1 / self._a, y)
        _, beyond = self._across(p)
        return self._a / 2 * (dot(p, p) - _square(norm([beyond, p[2]]) - self._minor))

    def _nearest(self, p: Vector) -> Vector:
        reach, beyond = self._across(p)
        if not reach > 0:
            raise UndecidedError("the point is not proved to be off the axis")
        delta = norm([beyond, p[2]])
        length = self._major + self._minor * beyond / delta
        return [p[0] / reach * length, p[1] / reach * length, self._minor * p[2] / delta]

    def lift(self, x: Vector) -> arb:
        """(a/2)|x|²."""
        return self._a / 2 * dot(x, x)

    def transport(self, x0: Vector) -> Candidate:
        """The nearest point to x₀/a, on the torus by its form."""
        m = self._nearest(times(1 / self._a, x0))
        return Candidate(m, self.lift(m))

    def candidate(self, z: Vector, step: arb) -> Candidate:
        """The nearest point to z/(1+aλ) where it is that of its own dual, else a point of a disc.

        Where the dual is on the axis its maximum is a circle of latitude, and φ is constant on the disc;
        where it is a times a point of the core circle, its maximum is the circle around that, and φ is affine
        on the disc.
        """
        m = self._nearest(times(1 / (1 + self._a * step), z))
        dual = times(1 / step, subtract(z, m))
        if self.gap(Candidate(m, self.lift(m)), dual) < arb(2) ** -100:
            return Candidate(m, self.lift(m))
        tube = self._in_tube(z, step)
        return self._on_disc(z, step) if tube is None else tube

    def _in_tube(self, z: Vector, step: arb) -> Candidate | None:
        """Z − λaRe, e the direction of z from the axis, if it is in the disc of the tube there."""
        reach = norm(z[:2])
        pull = step * self._a * self._major
        outward = reach - pull
        if not norm([outward - self._major, z[2]]) <= self._minor:
            return None
        shrink = outward / reach
        sizes = (self._major * self._major + self._minor * self._minor) / 2
        value = self._a * (sizes + self._major * (outward - self._major))
        return Candidate([z[0] * shrink, z[1] * shrink, z[2]], value)

    def _on_disc(self, z: Vector, step: arb) -> Candidate:
        """(z₁, z₂, r sin v) with (cos v, sin v) along (−aR, y₃) and z₃ = r sin v + λy₃, by bisection."""
        pull = self._a * self._major
        low, high = -abs(z[2]) / step - 1, abs(z[2]) / step + 1
        for _ in range(400):
            y = ((low + high) / 2).mid()
            excess = step * y + self._minor * y / (pull * pull + y * y).sqrt() - z[2]
            low, high = (low, y) if excess > 0 else (y, high)
        length = (pull * pull + low * low).sqrt()
        height, reach = self._minor * low / length, self._major - self._minor * pull / length
        if not norm(z[:2]) <= reach:
            raise UndecidedError("z is neither over the torus nor over a disc that closes it")
        return Candidate([z[0], z[1], height], self._a / 2 * (reach * reach + height * height))

    # --- derivatives --------------------------------------------------------------------------------

    def transport_jacobian(self, x0: Vector) -> arb_mat:
        """Of Re + r·n, n = (p − Re)/|p − Re|, e the direction from the axis: the chain rule."""
        p = times(1 / self._a, x0)
        reach, _ = self._across(p)
        around = [-p[1] / reach, p[0] / reach, arb(0)]
        core = outer(around, around) * (self._major / reach)
        off = subtract(p, [p[0] / reach * self._major, p[1] / reach * self._major, arb(0)])
        delta = norm(off)
        across = identity(3) - outer(off, off) * (1 / (delta * delta))
        return (core + across * (identity(3) - core) * (self._minor / delta)) * (1 / self._a)

    def prox_jacobian(self, z: Vector, step: arb) -> arb_mat:
        """P_T(I+λH)⁻¹P_T, H = a − ⟨y − am, II⟩ with the principal curvatures of the torus."""
        shrink = 1 / (1 + self._a * step)
        m = self._nearest(times(shrink, z))
        pull = subtract(times(1 / step, subtract(z, m)), times(self._a, m))
        reach = norm(m[:2])
        outward = [m[0] / reach, m[1] / reach, arb(0)]
        normal = times(1 / self._minor, subtract(m, times(self._major, outward)))
        around = [-outward[1], outward[0], arb(0)]
        along = [
            around[1] * normal[2] - around[2] * normal[1],
            around[2] * normal[0] - around[0] * normal[2],
            around[0] * normal[1] - around[1] * normal[0],
        ]
        force = dot(pull, normal)
        parts = []
        for tangent, curvature in ((around, dot(outward, normal) / reach), (along, 1 / self._minor)):
            hessian = self._a + force * curvature
            parts.append(outer(tangent, tangent) * (1 / (1 + step * hessian)))
        return parts[0] + parts[1]


def _square(x: arb) -> arb:
    return x * x
