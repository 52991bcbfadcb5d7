"""Nearest points of arcs and ellipses in balls, by closed forms: φ* and candidates for the proofs by φ*."""

from flint import arb, arb_mat

from numerics.intervals.balls import UndecidedError, Vector, add, dot, exact, norm, outer, subtract, times
from numerics.intervals.exact_potential import ByConjugate, Candidate


class OfSet(ByConjugate):
    """The nearest point of a set in the plane whose projection is known: φ*(x₀) = ⟨x₀,y⟩ − (a/2)|y|²."""

    dim = 2

    def __init__(self, curvature):
        (self._a,) = exact([curvature])

    def nearest(self, x):
        """The nearest point of the set."""
        raise NotImplementedError

    def transport(self, x0):
        y = self.nearest(times(1 / self._a, x0))
        return Candidate(y, self.on_the_set(y))

    def on_the_set(self, x):
        """φ at the point y of the set beside x: (a/2)|y|²."""
        y = self.nearest(x)
        return self._a / 2 * dot(y, y)

    def conjugate(self, y):
        found = self.transport(y)
        return dot(y, found.point) - found.value

    def prox_jacobian(self, z, step):
        raise NotImplementedError("differences of candidates are taken")


class ExactArc(OfSet):
    """Of radius R about C: φ is affine on the segment that it bounds, prox projects z − λaC on it."""

    def __init__(self, radius, start, stop, centre, curvature):
        super().__init__(curvature)
        self._radius, self._start, self._stop = exact([radius, start, stop])
        self._centre, self._half = exact(centre), (self._stop - self._start) / 2
        middle = (self._start + self._stop) / 2
        self._out, self._along = [middle.cos(), middle.sin()], [-middle.sin(), middle.cos()]

    def _seen(self, w):
        """Coordinates towards the middle of the arc and along its chord."""
        return dot(w, self._out), dot(w, self._along)

    def at(self, angle):
        return add(self._centre, times(self._radius, [angle.cos(), angle.sin()]))

    @property
    def ends(self):
        return [self.at(self._start), self.at(self._stop)]

    def roots(self, function):
        """Angles of the arc at which the function falls through 0, one in each 24th of it: 260 halvings."""
        places = [self._start + (self._stop - self._start) * k / 24 for k in range(25)]
        values = [function(place) for place in places]
        for low, high, first, last in zip(places, places[1:], values, values[1:], strict=False):
            if first > 0 > last:
                for _ in range(260):
                    middle = ((low + high) / 2).mid()
                    low, high = (middle, high) if function(middle) > 0 else (low, middle)
                yield low

    def _inside(self, w):
        """Whether w points at the arc; from the centre, where all of it is as near, an end is taken."""
        xi, eta = self._seen(w)
        return norm(w) > 0 and abs(arb.atan2(eta, xi)) < self._half

    def nearest(self, x):
        w = subtract(x, self._centre)
        if self._inside(w):
            return add(self._centre, times(self._radius / norm(w), w))
        return self.at(self._stop if self._seen(w)[1] > 0 else self._start)

    def value(self, x):
        """(a/2)(R² − |C|²) + a⟨C,x⟩."""
        constant = (self._radius**2 - dot(self._centre, self._centre)) / 2
        return self._a * (constant + dot(self._centre, x))

    def candidate(self, z, step):
        w = subtract(z, times(1 + step * self._a, self._centre))
        (xi, eta), deep = self._seen(w), self._radius * self._half.cos()
        if norm(w) <= self._radius and xi >= deep:
            v = w
        elif self._inside(w) and norm(w) > self._radius:
            v = times(self._radius / norm(w), w)
        else:
            wide = self._radius * self._half.sin()
            v = add(times(deep, self._out), times(eta.min(wide).max(-wide), self._along))
        u = add(v, self._centre)
        return Candidate(u, self.value(u))

    def transport_jacobian(self, x0):
        """(R/a|w|)(I − nnᵀ), n along w = x₀/a − C; 0 where an end is nearest."""
        w = subtract(times(1 / self._a, x0), self._centre)
        if not self._inside(w):
            return arb_mat(2, 2, [arb(0)] * 4)
        turned = [-w[1], w[0]]
        return outer(turned, turned) * (self._radius / (self._a * norm(w) ** 3))


class ExactEllipse(OfSet):
    """Semi-axes A along the first axis and B: φ = (a/2)(B² + κp²), κ = 1 − B²/A², on the solid ellipse."""

    def __init__(self, major, minor, curvature):
        super().__init__(curvature)
        self._major, self._minor = exact([major, minor])
        self._focal = (self._major - self._minor) * (self._major + self._minor)

    def _at(self, x: Vector):
        """(X, Y) ≥ 0 and ν of the secular equation (Ap/(D+ν))² + (Bq/ν)² = 1, by Newton on its inverse root.

        Of the two nearest points of one on the major axis, up to D/A, it is the upper, and the end of the
        second axis for the centre of a circle.
        """
        p, q = (abs(v) for v in x)
        if not q > 0 and not self._major * p > self._focal:
            x = self._major * p / self._focal if self._focal > 0 else arb(0)
            return x, (1 - x * x).sqrt(), arb(0)
        nu = (self._major * p - self._focal).max(self._minor * q).mid()
        for _ in range(200):
            x, y = self._major * p / (self._focal + nu), self._minor * q / nu
            size = (x * x + y * y).mid()
            slope = 2 * (x * x / (self._focal + nu) + y * y / nu)
            change = 2 * size * (size.sqrt() - 1) / slope
            nu = (nu + change).mid()
            if abs(change) <= nu * arb(2) ** -240:
                return self._major * p / (self._focal + nu), self._minor * q / nu, nu
        raise ArithmeticError("the multiplier is not found")

    def nearest(self, x):
        first, second, _ = self._at(x)
        signs = [-1 if v < 0 else 1 for v in x]
        return [signs[0] * self._major * first, signs[1] * self._minor * second]

    def value(self, x):
        flat = self._focal / self._major**2
        return self._a / 2 * (self._minor**2 + flat * x[0] ** 2)

    def candidate(self, z, step):
        u = [z[0] / (1 + step * self._a * self._focal / self._major**2), z[1]]
        if not (u[0] / self._major) ** 2 + (u[1] / self._minor) ** 2 <= 1:
            u = self.nearest(times(1 / (1 + self._a * step), z))
        return Candidate(u, self.value(u))

    def transport_jacobian(self, x0):
        """(S²/(DY²+ν)/a)ττᵀ, τ along (−AY, BX), S its length."""
        x = times(1 / self._a, x0)
        first, second, nu = self._at(x)
        sign = -1 if (x[0] < 0) != (x[1] < 0) else 1
        tangent = [-sign * self._major * second, self._minor * first]
        return outer(tangent, tangent) * (1 / (self._a * (self._focal * second**2 + nu)))


class ExactUnion(OfSet):
    """An arc and isolated points: a part's own answer, or a chord from a point to the arc or to a point."""

    def __init__(self, arc, points, curvature):
        super().__init__(curvature)
        self._arc, self._points = arc, [exact(point) for point in points]

    def nearest(self, x):
        places = [self._arc.nearest(x), *self._points]
        return min(places, key=lambda y: float(norm(subtract(x, y)).mid()))

    def transport_jacobian(self, x0):
        y = self.transport(x0).point
        isolated = any(y is point for point in self._points)
        return arb_mat(2, 2, [arb(0)] * 4) if isolated else self._arc.transport_jacobian(x0)

    def candidate(self, z, step):
        """The first whose gap is none."""
        for found in self._proposals(z, step):
            gap = self.gap(found, times(1 / step, subtract(z, found.point)))
            if abs(gap) < arb(2) ** -150 * (abs(found.value) + dot(z, z) / step):
                return found
        raise UndecidedError("the face has more than two atoms, or z is on the border of two")

    def _proposals(self, z, step):
        yield self._arc.candidate(z, step)
        fixed = [*self._points, *self._arc.ends]
        for point in fixed:
            yield self._chord(point, point, z, step)
        for k, point in enumerate(self._points):
            for other in fixed[k + 1 :]:
                yield self._chord(point, other, z, step)
            for angle in self._arc.roots(lambda angle, point=point: self._tilt(point, angle, z, step)):
                yield self._chord(point, self._arc.at(angle), z, step)

    def _chord(self, point, other, z, step):
        """The point of the segment whose slope ties both ends."""
        along = subtract(other, point)
        rise = self._a / 2 * (dot(other, other) - dot(point, point))
        square = dot(along, along)
        share = (dot(subtract(z, point), along) - step * rise) / square if square > 0 else arb(0)
        share = share.max(arb(0)).min(arb(1))
        return Candidate(add(point, times(share, along)), self._a / 2 * dot(point, point) + share * rise)

    def _tilt(self, point, angle, z, step):
        """⟨p − ay, y'⟩ at the end y of the chord: 0 where y is highest of the arc."""
        y, found = self._arc.at(angle), self._chord(point, self._arc.at(angle), z, step)
        slope = times(1 / step, subtract(z, found.point))
        return dot(subtract(slope, times(self._a, y)), [-angle.sin(), angle.cos()])
