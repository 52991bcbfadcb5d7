r"""N6 beyond polygons: an atom that escapes, points that fill a sphere, atoms that fill two moons.

Proof of N6. Plans are tight, their limits cyclically monotone with marginals P₀ and P₁, hence optimal
(McCann): so T_n → T in P₀-probability; monotone maps that do are locally bounded, so φ*_n are
equi-Lipschitz, with limit points convex, of gradient T, of value φ*(0) at 0: all are φ*. The rest is
Attouch's theorem [@rockafellar1998variational, theorems 11.34, 12.35, 7.37] and Minty's formula for fields
and flows.

A hull C in the unit ball D whose facets are at distance 1 − η or more: with p, q the projections of x on C
and D, p ∈ D gives |x−p|² ≥ |x−q|² + |p−q|², and |x−p| ≤ |x−q| + η, so |p−q|² ≤ 2η|x−q| + η².

Control: fields of minibatches (N2), whose plans converge and which do not.
"""

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.spatial import ConvexHull
from scipy.special import ndtr, ndtri
from scipy.stats import linregress
from scipy.stats import t as student

from numerics.accuracy import EPS, Rounding
from numerics.flows.exact import ExactField
from numerics.flows.perturbed import between
from numerics.geometry import norms
from numerics.potentials import FiniteAtoms, Sphere
from numerics.transport.lifts import two_moons
from numerics.transport.neighbours import escaping, fibonacci, on_sphere
from numerics.transport.semidiscrete import solve
from numerics.transport.two_atoms import TwoAtomLaw
from theorems.stability.figures import draw_rates

# --- an atom that escapes -------------------------------------------------------------------------------


@pytest.mark.claim("N6")
@pytest.mark.parametrize("radius", [1.0, 3.0])
def test_escaping_atom(evidence, rng, radius):
    """(1 − 1/n)δ₀ + (1/n)δ_n: sup_{|x|≤r} φ*_n = n(r − Φ⁻¹(1−1/n))⁺, which is 0 from n = 1/Φ(−r) on."""
    rows = []
    for n in (10, 100, 740, 741, 10_000):
        largest = _measure_escape(evidence, rng, n, radius)
        rows.append([n, np.sqrt(n), largest, np.sqrt(n) + np.sqrt(2 * np.sqrt(n))])
    evidence.table(
        f"an atom of weight 1/n at n, r = {radius:g}",
        ["n", "W₂ from the limit", "sup φ*_n", "δ + √(2λ√d δ) of N5, λ = 1"],
        rows,
    )


def _measure_escape(evidence, rng, n, radius):
    """Conjugates and fields of one n; the largest φ*_n."""
    target, limit = escaping(n), FiniteAtoms([[0.0]], [0.0])
    beyond = float(-ndtri(1 / n))
    x = np.concatenate([[[radius]], rng.uniform(-radius, radius, (200, 1))])
    on = evidence.on(target, radius=radius)
    # the threshold Φ⁻¹(1 − 1/n) is formed from 1 − 1/n, whose rounding the quantile stretches by 1/density
    slope = n * EPS / np.exp(-(beyond**2) / 2) * np.sqrt(2 * np.pi) + 8 * EPS * beyond
    off = Rounding.measured(np.full(len(x), n * slope), "Φ⁻¹(1 − 1/n)") + target.roundings.conjugate(x)
    found = target.conjugate(x)
    on.bounded(
        "|φ*_n(x) − n(x − Φ⁻¹(1−1/n))⁺|",
        np.abs(found - n * np.maximum(x[:, 0] - beyond, 0.0)),
        off + Rounding(n * radius, 4, "the formula"),
        because="heights of two atoms",
        clause="no moments",
    )
    on.bounded(
        "|sup_{|x|≤r} φ*_n − n(r − Φ⁻¹(1−1/n))⁺|",
        abs(found.max() - n * max(radius - beyond, 0.0)),
        off[:1].largest() + Rounding(n * radius, 4, "the formula"),
        because="φ*_n increases; 0 for n ≥ 1/Φ(−r)",
        clause="no moments",
    )
    mine, theirs, t = ExactField(target), ExactField(limit), 0.5
    apart = norms(mine.velocity(t, x / 2) - theirs.velocity(t, x / 2))
    wanted = np.clip(x[:, 0] - beyond, 0.0, n) / (1 - t)
    on.bounded(
        "|v^n_t − v_t|, t = ½, over |x| ≤ r/2",
        np.abs(apart - wanted),
        mine.roundings.velocity(t, x / 2)
        + theirs.roundings.velocity(t, x / 2)
        + Rounding.measured(np.full(len(x), slope / (1 - t)), "Φ⁻¹(1 − 1/n)")
        + Rounding((norms(x) + beyond) / (1 - t), 4, "the formula"),
        because="prox goes (x/β − λb)⁺ towards the atom",
        clause="no moments",
    )
    return float(found.max())


# --- points that fill a sphere --------------------------------------------------------------------------

COUNTS = np.array([50, 200, 800])
RADIUS = 3.0


def _lack(points):
    """η: the ball of radius 1 − η lies in the hull, as each facet does in n·q ≥ min n·p over its corners p.

    The facets enclose 0, and this holds for any n: also for one that is rounded.
    """
    hull = ConvexHull(points)
    normals = hull.equations[:, :3]
    nearest = np.einsum("fkd,fd->fk", points[hull.simplices], normals).min(axis=1) / norms(normals)
    return 1 - float(nearest.min()) + float(Rounding(1.0, 10, "products and a length").bound)


def _space(rng, n=120):
    x = rng.standard_normal((n, 3))
    return RADIUS * rng.random((n, 1)) ** (1 / 3) * x / norms(x)[:, None]


@pytest.mark.claim("N6")
@pytest.mark.parametrize("count", COUNTS)
def test_points_of_a_sphere(evidence, rng, count):
    """Spirals of points, each weighing the directions it is nearest to, against the uniform law."""
    points, ball, t = fibonacci(int(count)), Sphere(3), 0.6
    target, step = on_sphere(points), 10.0 ** rng.uniform(-2, 2)
    lack, x = _lack(points), _space(rng)
    on = evidence.on(f"{count} points of the sphere", step=step)
    _maps_of_points(on, (target, ball), lack, x, step)
    _fields_and_flows_of_points(on, (target, ball), lack, x, t)


def _maps_of_points(on, of, lack, x, step):
    """Maps, conjugates and envelopes at x; the hull of the points holds the ball of radius 1 − η."""
    target, ball = of
    outside = np.maximum(norms(x) - 1, 0.0)
    apart = norms(target.prox(x, step) - ball.prox(x, step))
    stated = (
        target.roundings.prox(x, step) + ball.roundings.prox(x, step) + Rounding(1 + norms(x), 8, "a length")
    )
    bound = np.sqrt(2 * lack * outside + lack**2)
    on.bounded("|prox_n − prox|", apart, stated, because="√(2η(|x|−1)⁺ + η²)", main=bound, clause="maps")
    on.bounded(
        "φ* − φ*_n",
        np.abs(ball.conjugate(x) - target.conjugate(x)),
        ball.roundings.conjugate(x) + target.roundings.conjugate(x) + Rounding(norms(x), 4, "a difference"),
        because="η|x|: the hull holds the ball of radius 1 − η",
        main=lack * norms(x),
        clause="potentials",
    )
    mine, theirs = target.proximal_point(x, step), ball.proximal_point(x, step)
    on.bounded(
        "e_λφ_n − e_λφ",
        np.abs(mine.envelope - theirs.envelope),
        mine.rounding.envelope
        + theirs.rounding.envelope
        + Rounding((norms(x) + 1) ** 2 / step, 8, "squares"),
        because="η(2(|x|−1)⁺ + η)/(2λ)",
        main=lack * (2 * outside + lack) / (2 * step),
        clause="potentials",
    )


def _fields_and_flows_of_points(on, of, lack, x, t):
    """The fields at tx, and the flows from there to both ends of time."""
    field, limit = (ExactField(target) for target in of)
    bound = np.sqrt(2 * lack * np.maximum(norms(x) - 1, 0.0) + lack**2)
    at = t * x
    speed = norms(field.velocity(t, at) - limit.velocity(t, at))
    on.bounded(
        "|v^n_t − v_t|, t = 0.6",
        speed,
        field.roundings.velocity(t, at)
        + limit.roundings.velocity(t, at)
        + Rounding((1 + norms(x)) / (1 - t), 16, "x/t"),
        because="1/(1−t) times √(2η(|x/t|−1)⁺ + η²)",
        main=bound / (1 - t),
        clause="fields",
    )
    for to in (0.0, 1.0):
        gone = norms(between(field, t, to, at) - between(limit, t, to, at))
        factor = abs(to - (1 - to) * t / (1 - t))
        of_way = (
            (field.roundings.denoise(t, at) + limit.roundings.denoise(t, at)).amplified(to)
            + (field.roundings.noise(t, at) + limit.roundings.noise(t, at)).amplified(1 - to)
            + Rounding((1 + norms(x)) / (1 - t), 16, "αy + βu")
        )
        on.bounded(
            "|X^n_{t→0, 1} − X_{t→0, 1}|, t = 0.6",
            gone,
            of_way,
            because="|β_t − α_tβ_s/α_s| times √(2η(|x/t|−1)⁺ + η²)",
            main=factor * bound,
            clause="flows",
        )


def _worst_directions(points):
    """Where |x| = RADIUS the hull's vertices and facets are farthest from the ball, about a hundred of each.

    From the corners of a vertex's normal cone the nearest point of the hull is the vertex, that of the ball
    x/|x|. Both are looked up, as the largest of drawn points is chance, and so would be its rate.
    """
    hull = ConvexHull(points)
    normals = hull.equations[:, :3]
    vertices, normals_of = points[hull.simplices].reshape(-1, 3), np.repeat(normals, 3, axis=0)
    along = np.sum(vertices * normals_of, axis=1)
    far = np.sqrt(along**2 + RADIUS**2 - np.sum(vertices**2, axis=1)) - along
    corners = vertices + far[:, None] * normals_of
    apart = norms(vertices - corners / RADIUS)
    return corners[np.argsort(apart)[-100:]], RADIUS * normals[np.argsort(hull.equations[:, 3])[-100:]]


@pytest.mark.claim("N6")
def test_rate_on_the_sphere(evidence):
    """What the bound allows, N^{−½} for maps and 1/N for conjugates, is measured where it is largest."""
    ball = Sphere(3)
    maps, conjugates = [], []
    for count in COUNTS:
        points = fibonacci(int(count))
        target, (corners, normals) = on_sphere(points), _worst_directions(points)
        maps.append(norms(target.prox(corners, 1.0) - ball.prox(corners, 1.0)).max())
        conjugates.append(float((ball.conjugate(normals) - target.conjugate(normals)).max()))
    on = evidence.on("points of the sphere")
    for name, values, theory, clause in (
        ("maps", maps, -0.5, "maps"),
        ("conjugates", conjugates, -1.0, "potentials"),
    ):
        slopes = np.diff(np.log(values)) / np.diff(np.log(COUNTS))
        spread = abs(slopes[0] - slopes[1]) + 0.1 * abs(theory)
        on.trend(
            f"log largest difference of {name} where |x| = 3 against log N",
            slopes.mean(),
            (slopes.mean() - spread, slopes.mean() + spread),
            theory=theory,
            rule="interval contains theory",
            alternative=theory / 2,
            points=3,
            clause=clause,
            chosen="a tenth of the rate beside the spread of two slopes",
        )
    on.table(
        "points of the sphere: largest differences where |x| = 3",
        ["N", "maps", "conjugates"],
        zip(COUNTS.tolist(), maps, conjugates, strict=True),
    )


# --- atoms that fill two moons --------------------------------------------------------------------------


def _moons(n):
    """N atoms in the middle of equal pieces of the two half circles: δ ≤ (2π/n)/√12."""
    first, _ = arcs = two_moons()
    s = 2 * first.length * (np.arange(n) + 0.5) / n
    which = s >= first.length
    return np.concatenate([arc.point(s[which == k] - k * first.length) for k, arc in enumerate(arcs)])


def _of_moons(n, x, step, t):
    """What N6 says converges, at x, of the potential of n atoms of two moons with φ*_n(0) = 0."""
    target = solve(_moons(n)).potential
    constant = target.conjugate([[0.0, 0.0]])[0]
    field = ExactField(target)
    return {
        "conjugates": (target.conjugate(x) - constant)[:, None],
        "envelopes": (target.envelope(x, step) + constant)[:, None],
        "maps": target.prox(x, step),
        "fields": field.velocity(t, x),
        "flows": between(field, t, 0.9, x),
    }


@pytest.mark.claim("N6")
def test_exact_potentials_of_two_moons(evidence):
    """φ*_n(0) = 0, exact weights: from n to 2n everything moves by less and less, faster than N5's rate.

    The largest change over a compact set is looked up on a grid: of a few drawn points the worst is chance,
    and so would be the fit.
    """
    sizes, step, t = np.array([16, 32, 64, 128, 256]), 0.5, 0.5
    side = np.linspace(-4, 4, 41)
    x = np.array([0.5, 0.25]) + np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    found = [_of_moons(int(n), x, step, t) for n in (*sizes, 512)]
    on, lines = evidence.on("two moons"), {}
    for name in found[0]:
        moved = np.array([norms(b[name] - a[name]).max() for a, b in pairwise(found)])
        fit = linregress(np.log(sizes), np.log(moved))
        half = student.isf(0.005, len(sizes) - 2) * fit.stderr
        on.trend(
            f"log largest change of {name} from n to 2n against log n",
            fit.slope,
            (fit.slope - half, fit.slope + half),
            theory=-0.5,
            rule="interval lies below theory",
            points=len(sizes),
            clause="potentials" if name in ("conjugates", "envelopes") else name,
        )
        lines[name] = (sizes, moved)
    on.table(
        "two moons by n and 2n atoms: largest change over a grid of the square of side 8",
        ["n", *lines],
        [[int(n), *(line[1][k] for line in lines.values())] for k, n in enumerate(sizes)],
    )
    on.figure(
        "Atoms fill two moons: what changes from n to 2n atoms, at most over a square",
        "Conjugates, envelopes, proximal maps and fields all change by about 1/n",
        lambda figure: draw_rates(
            figure, dict(list(lines.items())[:4]), ("atoms $n$", "largest change"), (-1.0,)
        ),
    )


# --- control --------------------------------------------------------------------------------------------


@pytest.mark.control("N6")
def test_fields_of_minibatches_do_not_converge_though_plans_do(evidence):
    """Two atoms, w = .3, Δ = 2, t = ½: a step of the wrong height in the gap, J·max(q*, 1−q*)."""
    w, distance, t, b = 0.3, 2.0, 0.5, float(ndtri(0.3))

    def affinity(u):
        return np.sqrt(u * w) + np.sqrt((1 - u) * (1 - w))

    def lead(x):
        u0, u1 = ndtr(x / (1 - t)), ndtr((x - t * distance) / (1 - t))
        return affinity(u0) - affinity(u1)

    low, high = (1 - t) * b, (1 - t) * b + t * distance
    step = brentq(lead, low + 1e-9, high - 1e-9)
    share = (step - low) / (high - low)
    predicted = distance / (1 - t) * max(share, 1 - share)
    exact, found, plans = ExactField(FiniteAtoms.two([0.0], [distance], w)), {}, {}
    for n in (1024, 4096):
        law = TwoAtomLaw([[0.0], [distance]], w, n)
        x = np.concatenate([np.linspace(low, high, 201), step + np.linspace(-20, 20, 401) / n])[:, None]
        found[n] = norms(law.velocity(t, x) - exact.velocity(t, x)).max()
        plans[n] = law.plan_distance().value
    on = evidence.on("TwoAtomLaw", w=w, distance=distance, t=t)
    on.control(
        "fields of minibatches: sup |v⁽ⁿ⁾ − v| at n = 4096, in place of a limit 0",
        predicted=predicted,
        measured=found[4096],
        agreement=2 * abs(found[4096] - found[1024]),
        because="J max(q*, 1−q*) (N2), approached like (log n)/n: twice the change from n = 1024",
    )
    on.table(
        "plans of minibatches converge, their fields do not",
        ["n", "W₂² of plans, at most", "sup |v⁽ⁿ⁾ − v|"],
        [[n, plans[n], found[n]] for n in found],
    )
