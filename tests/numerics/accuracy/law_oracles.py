"""Laws on the line in balls: T, φ* in closed form or as an integral of T, and the noise of a prox."""

from bisect import bisect_left
from itertools import pairwise

from flint import acb, arb, arb_mat, ctx
from scipy.special import ndtri

from numerics.intervals.balls import normal_below, normal_density
from numerics.intervals.exact_potential import Candidate

CUT = arb(20)


class OnTheLine:
    """The potential of a law by its T, in balls; φ* and T' where they are asked for.

    Args:
        image: T inside the cut.
        slope: T'.
        conjugate: φ* there, 0 at 0.
    """

    def __init__(self, image, slope, conjugate=None):
        self._image, self._slope, self._conjugate = image, slope, conjugate

    def _map(self, s):
        return self._image(s.max(-CUT).min(CUT))

    def transport(self, x0):
        return Candidate([self._map(x0[0])], arb(0))

    def transport_jacobian(self, x0):
        return arb_mat([[self._slope(x0[0]) if abs(x0[0]) < CUT else arb(0)]])

    def conjugate(self, y):
        """Beyond the cut φ* goes on as a line."""
        inner = y[0].max(-CUT).min(CUT)
        return self._conjugate(inner) + (y[0] - inner) * self._map(y[0])

    def noise(self, z, step):
        """Ends of an interval as good as 2⁻¹⁸⁰ in which λs + T(s) − z is proved to change its sign.

        Halved to 2⁻⁴⁰ in 80 bits; then by Newton, or halved on where T jumps.
        """

        def excess(s):
            return step * s + self._map(s) - z

        with ctx.workprec(80):
            low, high = self._halved(excess, arb(-1), arb(1), arb(2) ** -40)
        width = (high - low).mid()
        s = ((low + high) / 2).mid()
        for _ in range(4):
            s = (s - excess(s) / (step + self.transport_jacobian([s])[0, 0])).mid()
        near = arb(2) ** -180 * (1 + abs(s)).mid()
        if excess(s - near) < 0 < excess(s + near):
            return (s - near).mid(), (s + near).mid()
        return self._halved(excess, (low - width).mid(), (high + width).mid(), arb(2) ** -180)

    @staticmethod
    def _halved(excess, low, high, share):
        """The bracket widened until the signs are right, then cut, not in halves: ties are of few bits."""
        while not excess(low) < 0:
            low = low - 8 * (high - low)
        while not excess(high) > 0:
            high = high + 8 * (high - low)
        while high - low > share * (1 + abs(low)):
            middle = (low + (high - low) * arb(0.4142135623)).mid()
            low, high = (low, middle) if excess(middle) > 0 else (middle, high)
        return low, high

    def candidate(self, z, step):
        """z − λs, or T(s) where that is known better; φ by Fenchel and Young."""
        low, high = self.noise(z[0], step)
        s, images = (low + high) / 2, self._map(low).union(self._map(high))
        along = z[0] - step * low.union(high)
        u = (images if images.rad() < along.rad() else along).mid()
        value = s * u - self.conjugate([s]) if self._conjugate else arb(0)
        return Candidate([u], value)

    def gap(self, found, y):
        """That u is the prox is proved by the sign of λs + T(s) − z."""
        return arb(0)

    def prox_jacobian(self, z, step):
        """T'/(λ + T') at the noise; 1 where T jumps over the interval that holds it."""
        low, high = self.noise(z[0], step)
        if abs(self._map(high) - self._map(low)) > arb(2) ** -60 * (1 + abs(self._map(low))):
            return arb_mat([[arb(1)]])
        slope = self.transport_jacobian([(low + high) / 2])[0, 0]
        return arb_mat([[slope / (step + slope)]])

    def value(self, x):
        """φ(x) = sx − φ*(s) at the noise s of x: that of a prox with next to no step."""
        low, high = self.noise(x[0], arb(2) ** -300)
        s = ((low + high) / 2).max(-CUT).min(CUT)
        return s * x[0] - self.conjugate([s])


def normal(mean, deviation):
    m, d = arb(mean), arb(deviation)
    return OnTheLine(lambda s: m + d * s, lambda _: d, lambda s: m * s + d * s * s / 2)


def log_normal(shape, scale):
    c, k = arb(shape), arb(scale)
    return OnTheLine(
        lambda s: k * (c * s).exp(), lambda s: k * c * (c * s).exp(), lambda s: k * ((c * s).exp() - 1) / c
    )


class Uniform:
    """The part of a mixture at probability q = (Φ(s) − below)/rest: a + wq, and its integral over noise."""

    def __init__(self, start, width):
        self.start, self.width = arb(start), arb(width)

    def below(self, x):
        return ((x - self.start) / self.width).max(arb(0)).min(arb(1))

    @property
    def ends(self):
        return [self.start, self.start + self.width]

    def image(self, s, below, above, rest):
        return self.start + self.width * (normal_below(s) - below) / rest

    def slope(self, s, below, above, rest):
        return self.width * normal_density(s) / rest

    def integral(self, low, high, below, above, rest):
        ends = [s * normal_below(s) + normal_density(s) for s in (low, high)]
        return (self.start - self.width * below / rest) * (high - low) + self.width / rest * (
            ends[1] - ends[0]
        )


class Exponential:
    """The same of loc − c·log(1 − q), 1 − q = (Φ(−s) − above)/rest, in upper tails."""

    def __init__(self, start, scale):
        self.start, self.scale = arb(start), arb(scale)

    def below(self, x):
        return (1 - (-(x - self.start) / self.scale).exp()).max(arb(0))

    @property
    def ends(self):
        return [self.start]

    def image(self, s, below, above, rest):
        return self.start - self.scale * ((normal_below(-s) - above) / rest).log()

    def slope(self, s, below, above, rest):
        return self.scale * normal_density(s) / (normal_below(-s) - above)

    def integral(self, low, high, below, above, rest):
        def function(s, _):
            tail = (s / acb(2).sqrt()).erfc() / 2
            return self.start - self.scale * ((tail - above) / rest).log()

        with ctx.workprec(160):
            return acb.integral(function, acb(low), acb(high), rel_tol=arb(2) ** -110).real


def noise_at(level):
    """Φ⁻¹ of a ball, by Newton from a double."""
    s = arb(float(ndtri(float(level)))) if level < 0.5 else arb(-float(ndtri(float(1 - level))))
    for _ in range(6):
        s = (s + (level - normal_below(s)) / normal_density(s)).mid()
    return s


class Mixture(OnTheLine):
    """Atoms with masses, and with the rest of the mass a part, or none; T, T' and φ* piece by piece.

    Args:
        atoms: Increasing.
        masses: Balls or numbers.
        part: `Uniform`, `Exponential` or None.
    """

    def __init__(self, atoms, masses, part=None):
        masses = [m if isinstance(m, arb) else arb(float(m)) for m in masses]
        self._part, self._rest = part, 1 - sum(masses, arb(0))
        passed, levels = arb(0), []
        for atom, mass in zip(map(arb, atoms), masses, strict=True):
            start = passed + (self._rest * part.below(atom) if part else 0)
            levels += [(start, ("part", passed)), (start + mass, ("atom", atom))]
            passed = passed + mass
        levels.append((arb(1), ("part", passed)))
        kept = [(level, piece) for level, piece in levels if level > 0]
        inside = [level for level, _ in kept if level < 1 - arb(2) ** -170]
        self._breaks = [noise_at(level) for level in inside]
        self._pieces = [piece for _, piece in kept[: len(inside) + 1]]
        super().__init__(self._at, self._rise, self._integral)

    def _piece(self, s):
        return self._pieces[bisect_left(self._breaks, s.mid())]

    def _sides(self, below):
        return below, 1 - self._rest - below, self._rest

    def _at(self, s):
        kind, of = self._piece(s)
        return of if kind == "atom" else self._part.image(s, *self._sides(of))

    def _rise(self, s):
        kind, of = self._piece(s)
        return arb(0) if kind == "atom" else self._part.slope(s, *self._sides(of))

    def _integral(self, s):
        low, high = (arb(0), s) if s > 0 else (s, arb(0))
        ends = [low, *(b for b in self._breaks if low < b < high), high]
        total = arb(0)
        for first, last in pairwise(ends):
            kind, of = self._piece((first + last) / 2)
            if kind == "atom":
                total = total + of * (last - first)
            else:
                total = total + self._part.integral(first, last, *self._sides(of))
        return total if s > 0 else -total
