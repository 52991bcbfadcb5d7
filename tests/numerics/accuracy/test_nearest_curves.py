"""Nearest points of curves and unions, whose faces are searched for, against Newton in 50 digits."""

import mpmath as mp
import numpy as np
import pytest

from numerics.potentials import Arc, Curve, NearestPoint, PointCloud, Torus, Union
from numerics.potentials.proximal_faces import faces_of_prox
from tests.numerics.accuracy.harness import judge
from tests.numerics.accuracy.nearest_oracles import (
    M,
    as_a_curve,
    case,
    distance,
    exact_ellipse_point,
    exact_ellipse_prox,
    judge_all,
    log_uniform,
    objective,
    short_chord,
    solved,
)


@pytest.fixture(autouse=True)
def fifty_digits():
    with mp.workdps(50):
        yield


def test_short_chords_of_a_curve():
    """Chords of 1e−9 … 1 radii, far below the net's spacing: never an exception, never a false statement."""
    rng, cases = np.random.default_rng(4), []
    for _ in range(30):
        long = log_uniform(rng, -3, 3)
        short, a = long * float(rng.uniform(0.2, 0.95)), log_uniform(rng, -1, 1)
        z, step, t = short_chord(rng, long, short, a)
        p = NearestPoint(as_a_curve(long, short), a)
        cases.append(case(p, z, step, exact_ellipse_prox(z, step, a, long, short)))
        if t > 0.02:
            assert cases[-1][0][1] <= 1e-9 * long * (1 + step * a), "the sharp certificate is missed"
    judge_all(cases, sharp=set())


def test_a_curve_sees_which_side_of_its_medial_axis():
    """Beside the end of the axis two minima lie within one cell of the net: the nearer is returned."""
    rng, cases = np.random.default_rng(9), []
    p = NearestPoint(as_a_curve(2.0, 1.0, 0.005), 1.0)
    for _ in range(400):
        x0 = np.array([1.5 * (1 - log_uniform(rng, -6, -2)), rng.choice([-1, 1]) * log_uniform(rng, -12, -3)])
        exact = exact_ellipse_point(*(M(float(v)) for v in x0), M(2), M(1))
        error = distance(p.transport(x0[None])[0], exact)
        cases.append((error, float(p.roundings.transport(x0[None]).bound[0])))
    table = np.array(cases)
    judge(*table.T, floor=1 / 1024)  # `Curve` says why
    assert (table[:, 1] <= 1e-8).mean() >= 0.5, "the twin leaves no statement of use"


def test_the_case_files_points_are_settled():
    """Points that erred 1e6 times their statement, or raised: now exact, by either way."""
    for t, w, step in (
        (8.89e-4, -0.5866, 11.6585),
        (1e-5, 0.3, 1.0),
        (1e-3, 0.5, 1.0),
        (1.7638e-3, 0.436, 1.4945),
    ):
        u = np.array([2 * np.cos(t), w * np.sin(t)])
        z = u + step * np.array([1.5 * np.cos(t), 0.0])
        exact = exact_ellipse_prox(z, step, 1.0, 2.0, 1.0)[0]
        for curve, reach in ((Curve.ellipse(2.0, 1.0), 1e-14), (as_a_curve(2.0, 1.0), 1e-7)):
            f, bound, _, _ = solved(NearestPoint(curve, 1.0), z, step)
            assert distance(f.point[0], exact) <= bound <= reach


def _spiral(t):
    return [t * mp.cos(t) / (2 * mp.pi), t * mp.sin(t) / (2 * mp.pi)]


def _spiral_speed(t):
    return [(mp.cos(t) - t * mp.sin(t)) / (2 * mp.pi), (mp.sin(t) + t * mp.cos(t)) / (2 * mp.pi)]


def _spiral_bend(t):
    return [(-2 * mp.sin(t) - t * mp.cos(t)) / (2 * mp.pi), (2 * mp.cos(t) - t * mp.sin(t)) / (2 * mp.pi)]


def _spiral_foot(x, t):
    """Newton for ⟨x − γ, γ'⟩ = 0; an end stays where it is."""
    x = [M(float(v)) for v in x]
    for end in (1, 3):
        if abs(t - end * mp.pi) < 1e-14:
            return M(float(end * np.pi))
    for _ in range(12):
        away = [v - w for v, w in zip(x, _spiral(t), strict=True)]
        speed = _spiral_speed(t)
        t += _dot(away, speed) / (_dot(speed, speed) - _dot(away, _spiral_bend(t)))
    return t


def _dot(x, y):
    return mp.fsum(a * b for a, b in zip(x, y, strict=True))


def _newton_face(z, step, a, curve, atoms, weights, slope, fixed):
    """The face with these atoms (parameters; or ``fixed`` points) near a start, by Newton in 50 digits."""
    z, step, a = [M(float(x)) for x in z], M(step), M(a)
    k = len(atoms)

    def points(ts):
        return [curve[0](t) for t in ts] + fixed

    def conditions(*unknown):
        ts, w, p = unknown[:k], unknown[k : k + k + len(fixed)], unknown[-2:]
        ys = points(ts)
        levels = [_dot(p, y) - a / 2 * _dot(y, y) for y in ys]
        return (
            [_dot([p[i] - a * y[i] for i in range(2)], curve[1](t)) for t, y in zip(ts, ys, strict=False)]
            + [level - levels[0] for level in levels[1:]]
            + [mp.fsum(w) - 1]
            + [mp.fsum(v * y[i] for v, y in zip(w, ys, strict=True)) + step * p[i] - z[i] for i in range(2)]
        )

    start = [*atoms, *(M(float(w)) for w in weights), *(M(float(x)) for x in slope)]
    root = list(mp.findroot(conditions, start, tol=M(10) ** -60, maxsteps=50))
    ys, w = points(root[:k]), root[k : k + k + len(fixed)]
    u = [mp.fsum(v * y[i] for v, y in zip(w, ys, strict=True)) for i in range(2)]
    value = mp.fsum(v * a / 2 * _dot(y, y) for v, y in zip(w, ys, strict=True))
    return u, objective(value, u, z, float(step)), None


def _spiral_parameter(point):
    """t of a point t(cos t, sin t)/2π."""
    return M(float(np.hypot(*point) * 2 * np.pi))


def _faces(p, z, step):
    """Rows whose prox is on a face, with the faces found: only where Newton starts."""
    rows = []
    for point in z:
        ((chord, found),) = faces_of_prox(p._lifted, point[None], np.array([step]))
        if found.sharp and len(chord.atoms) > 1:
            rows.append((point, chord))
    return rows


def _moved_spiral(size, away):
    """The spiral of 1.5 turns, stretched and moved, by functions; and the same in 50 digits."""
    shift, unit = size * np.array([away, -away]), size / (2 * np.pi)

    def frame(t):
        return np.stack([np.cos(t), np.sin(t)], axis=1), np.stack([-np.sin(t), np.cos(t)], axis=1)

    curve = Curve(
        lambda t: shift + unit * t[:, None] * frame(t)[0],
        lambda t: unit * (frame(t)[0] + t[:, None] * frame(t)[1]),
        lambda t: unit * (2 * frame(t)[1] - t[:, None] * frame(t)[0]),
        (np.pi, 4 * np.pi),
        closed=False,
        samples=384,
    )
    exactly = (
        lambda t: [M(float(b)) + M(size) * v for b, v in zip(shift, _spiral(t), strict=True)],
        lambda t: [M(size) * v for v in _spiral_speed(t)],
    )
    return curve, shift, exactly


def test_chords_of_a_spiral():
    """From turn to turn, and from the ends; at far scales and places."""
    rng, a, cases = np.random.default_rng(5), 0.5, []
    for size, away in ((1.0, 0.0), (1e-3, 0.0), (1e3, 1.0), (1.0, 1e6)):
        curve, shift, exactly = _moved_spiral(size, away)
        p, ends = NearestPoint(curve, a), [exactly[0](M(float(t))) for t in (np.pi, 4 * np.pi)]
        for step in (0.05, 0.5, 5.0):
            z = shift * (1 + a * step) + 2 * size * rng.standard_normal((18, 2))
            for at, chord in _faces(p, z, step):
                near = [np.linalg.norm(chord.atoms - curve.net[k], axis=1) < 1e-9 * size for k in (0, -1)]
                order = np.argsort(near[0] | near[1], kind="stable")
                free = chord.atoms[~(near[0] | near[1])]
                fixed = [ends[int(near[1][i])] for i in order[len(free) :]]
                atoms = [_spiral_parameter((y - shift) / size) for y in free]
                exact = _newton_face(at, step, a, exactly, atoms, chord.weights[order], chord.slope, fixed)
                cases.append(case(p, at, step, exact)[:3])
    assert len(cases) >= 40
    judge_all(cases, sharp=set())


def test_chords_between_the_parts_of_a_union():
    """From an ellipse, and from an arc, to an isolated point: mixed faces."""
    rng, cases = np.random.default_rng(6), []
    for part, curve, far in (
        (
            Curve.ellipse(2.0, 1.0),
            (lambda t: [2 * mp.cos(t), mp.sin(t)], lambda t: [-2 * mp.sin(t), mp.cos(t)]),
            [0.5, 2.5],
        ),
        (
            Arc(1.0, -2.0, 3.0),
            (lambda t: [mp.cos(t), mp.sin(t)], lambda t: [-mp.sin(t), mp.cos(t)]),
            [2.0, 0.5],
        ),
    ):
        p = NearestPoint(Union(part, PointCloud([far])), 0.75)
        point = [M(x) for x in far]
        z = np.array(far) * rng.uniform(0, 1.2, (70, 1)) + 0.3 * rng.standard_normal((70, 2))
        for at, chord in _faces(p, z, 0.5):
            isolated = np.linalg.norm(chord.atoms - far, axis=1) == 0
            if not isolated.any() or len(chord.atoms) != 2:
                continue
            y = chord.atoms[~isolated]
            axes = np.array([2.0, 1.0]) if far[1] == 2.5 else np.ones(2)
            atoms = [mp.atan2(M(float(v[1] / axes[1])), M(float(v[0] / axes[0]))) for v in y]
            order = np.argsort(isolated, kind="stable")
            exact = _newton_face(at, 0.5, 0.75, curve, atoms, chord.weights[order], chord.slope, [point])
            cases.append(case(p, at, 0.5, exact)[:3])
    assert len(cases) >= 25
    judge_all(cases, sharp=set())


def test_flats_are_known_to_rounding():
    """Inside the segment of an arc about c every point of the arc is level, p = a·c and prox(z) = z − λac.

    The search of faces is asked itself: the library knows a closed form for the middle of a flat.
    """
    rng, cases = np.random.default_rng(11), []
    for _ in range(60):
        centre, a, step = rng.standard_normal(2), log_uniform(rng, -1, 1), log_uniform(rng, -2, 1)
        p = NearestPoint(Union(Arc(1.0, 0.3, 2.5, tuple(centre.tolist())), PointCloud([centre - [0, 3]])), a)
        turn = 1.4 + 0.8 * rng.uniform(-1, 1)
        u = centre + rng.uniform(0.75, 0.97) * np.array([np.cos(turn), np.sin(turn)])
        z = u + step * a * centre
        exact = [M(float(x)) - M(step) * M(a) * M(float(c)) for x, c in zip(z, centre, strict=True)]
        ((chord, found),) = faces_of_prox(p._lifted, z[None], np.array([step]))
        cases.append((distance(chord.point, exact), found.error, found.sharp))
    error, bound, sharp = np.array(cases).T
    assert (sharp == 0).mean() >= 0.5, "Newton's certificate is not the one that is tried"
    assert (error <= bound).all()
    assert np.median(bound[sharp == 0]) <= 1e-11


def test_nearest_points_of_a_spiral():
    """T by Newton in 50 digits from the computed parameter, also beside centres of curvature."""
    p, rng, cases = NearestPoint(Curve.spiral(1.0), 1.0), np.random.default_rng(7), []
    for _ in range(80):
        t = rng.uniform(1.1 * np.pi, 2.9 * np.pi)
        speed = np.array([np.cos(t) - t * np.sin(t), np.sin(t) + t * np.cos(t)]) / (2 * np.pi)
        normal = np.array([-speed[1], speed[0]]) / np.hypot(*speed)
        radius = (1 + t * t) ** 1.5 / (2 + t * t) / (2 * np.pi)
        depth = rng.choice([radius * (1 - log_uniform(rng, -7, 0)), rng.uniform(-0.4, 0.4)])
        x = t * np.array([np.cos(t), np.sin(t)]) / (2 * np.pi) + depth * normal
        y = p.transport(x[None])[0]
        root = _spiral_foot(x, _spiral_parameter(y))
        cases.append((distance(y, _spiral(root)), float(p.roundings.transport(x[None]).bound[0])))
    judge(*np.array(cases).T)


def test_a_curve_sees_no_kink_farther_than_the_border_of_its_chords():
    """That of the closed form, the distance to the border: beside it, and the shortest chords, too."""
    rng, long, short, a = np.random.default_rng(13), 2.0, 1.0, 1.0
    curve, ellipse = NearestPoint(as_a_curve(long, short), a), NearestPoint(Curve.ellipse(long, short), a)
    t, step = 10.0 ** rng.uniform(-6, 0.19, 60), 10.0 ** rng.uniform(-2, 2, 60) / a
    weight = rng.choice([-1, 1], 60) * (1 + rng.choice([-1, 1], 60) * 10.0 ** rng.uniform(-16, -1, 60))
    pull = a * (1 - (short / long) ** 2) * long * np.cos(t)
    z = np.stack([long * np.cos(t) + step * pull, weight * short * np.sin(t)], axis=1)
    stated, border = (p.proximal_point(z, step).kink for p in (curve, ellipse))
    assert (stated <= border * (1 + 1e-9) + 1e-15 * np.linalg.norm(z, axis=1)).all()
    assert (stated >= border / 64).any()


def _parabolic(least, gain, vertex, far):
    """The curve (t, c(t)) with h = least + gain·(t − vertex)² at c(t) = 0 seen from (0, far)."""

    def height(t):
        quartic = ((t - vertex) ** 4 - vertex**4) / 12 + vertex**3 * t / 3
        return ((1 - least) * t**2 / 2 - gain * quartic) / far

    def speed(t):
        return ((1 - least) * t - gain * ((t - vertex) ** 3 + vertex**3) / 3) / far

    return Curve(
        lambda t: np.stack([t, height(t)], axis=1),
        lambda t: np.stack([np.ones_like(t), speed(t)], axis=1),
        lambda t: np.stack([np.zeros_like(t), (1 - least - gain * (t - vertex) ** 2) / far], axis=1),
        (-8.0, 8.0),
        closed=False,
        samples=16,
    )


def test_a_curve_counts_on_h_between_the_places_where_it_looks_it_up():
    """H is a parabola with its vertex between two of them, 0 and ±1; the point moves along the curve."""
    cases, least = [], 0.3
    for vertex, bent in ((0.33, 0.64), (0.3, 0.66), (0.4, 0.5), (-0.33, 0.64), (0.0, 0.2)):
        gain = bent * least
        curve, moved = _parabolic(least, gain, vertex, 1e3), 0.4995 * (least + gain * vertex**2)
        x = np.array([[0.0, 1e3]])
        here, there = curve.nearest(x), curve.nearest(x + np.array([np.copysign(moved, vertex), 0.0]))
        stated = curve.nearest_rounding(x, here, np.array([moved]))
        cases.append((np.linalg.norm(there - here), stated[0]))
    judge(*np.array(cases).T, floor=0.7)


@pytest.mark.parametrize(
    "p",
    [
        NearestPoint(Arc(1.0, 0.3, 2.5, (0.5, 0.0)), 0.7),
        NearestPoint(Curve.ellipse(2.0, 1.0), 0.7),
        NearestPoint(Torus(2.0, 0.5), 1.0),
        NearestPoint(Union(Arc(1.0, 0.3, 2.5), PointCloud([[0.0, -1.5], [2.0, 0.0]])), 1.0),
        NearestPoint(as_a_curve(2.0, 1.0), 0.7),
    ],
    ids=["arc", "ellipse", "torus", "union", "curve"],
)
def test_prox_has_no_kink_nearer_than_stated(p):
    """Along rays of that length D prox changes no faster than it does over a tenth of it: no jump."""
    rng = np.random.default_rng(8)
    z = rng.standard_normal((6, p.dim)) * p.scale
    step = 0.5
    kink = p.proximal_point(z, step).kink
    assert (kink > 0).mean() >= 0.5
    for _ in range(2):
        ray = rng.standard_normal(z.shape)
        ray *= (np.minimum(kink, p.scale) / np.linalg.norm(ray, axis=1))[:, None]
        path = np.array([p.prox_jacobian(z + s * ray, step) for s in np.linspace(0, 0.98, 8)])
        change = np.linalg.norm(np.diff(path, axis=0), axis=(2, 3))
        assert (change <= 0.5).all(), "D prox jumps nearer than the kink is said to be"


def _waves(t):
    """γ, γ' and γ'' of a closed curve whose evolute has cusps."""
    c, s, c2, s2, c3, s3 = (of(k * t) for k in (1, 2, 3) for of in (np.cos, np.sin))
    return (
        np.stack([c + 0.3 * c2, 0.5 * s + 0.1 * s3], axis=1),
        np.stack([-s - 0.6 * s2, 0.5 * c + 0.3 * c3], axis=1),
        np.stack([-c - 1.2 * c2, -0.5 * s - 0.9 * s3], axis=1),
    )


@pytest.mark.parametrize("size", [1.0, 2.0**-14, 2.0**10])
def test_a_kink_sees_the_second_maximum_that_parts_beside_a_focal_point(size):
    """From x₀ at a share of the radius of curvature: within the stated distance prox stays on the curve."""
    forms = [lambda t, k=k: size * _waves(t)[k] for k in range(3)]
    curve = Curve(*forms, (0.0, 2 * np.pi), closed=True)
    p, rng, step = NearestPoint(curve), np.random.default_rng(7), 0.5
    t = rng.uniform(0, 2 * np.pi, 1500)
    gamma, speed, bent = (size * each for each in _waves(t))
    squared = (speed**2).sum(axis=1)
    normal = np.stack([-speed[:, 1], speed[:, 0]], axis=1) / np.sqrt(squared)[:, None]
    curvature = (bent * normal).sum(axis=1) / squared
    x0 = gamma + normal * ((1 - 10 ** rng.uniform(-4, -0.5, len(t))) / curvature)[:, None]
    x1 = p.transport(x0)
    highest = np.linalg.norm(x1 - gamma, axis=1) < 1e-6 * size
    z = (x1 + step * x0)[highest]
    kink = p.proximal_point(z, step).kink
    known = kink > 1e-6 * size
    assert known.sum() >= 20
    for angle in 2 * np.pi * np.arange(24) / 24:
        moved = z[known] + 0.97 * kink[known, None] * np.array([np.cos(angle), np.sin(angle)])
        point = p.prox(moved, step)
        assert np.linalg.norm(point - curve.nearest(point), axis=1).max() <= 1e-7 * size


@pytest.mark.parametrize("beyond", [1e-4, 3e-4, 1e-3])
def test_a_kink_of_a_face_shorter_than_the_net_s_spacing_is_known(beyond):
    """Beyond the evolute's cusp two points are level: each has its window, and D prox does not jump."""
    curve = Curve(*[lambda t, k=k: _waves(t)[k] for k in range(3)], (0.0, 2 * np.pi), closed=True)
    p, step, t = NearestPoint(curve), 0.5, np.linspace(2.2, 2.45, 100_001)
    gamma, speed, bent = _waves(t)
    normal = np.stack([-speed[:, 1], speed[:, 0]], axis=1) / np.linalg.norm(speed, axis=1)[:, None]
    curvature = (bent * normal).sum(axis=1) / (speed**2).sum(axis=1)
    sharpest = np.argmax(curvature)
    slope = gamma[sharpest] + normal[sharpest] * (1 / curvature[sharpest] + beyond)
    sides = p.transport(slope + 1e-6 * np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]))
    ends = np.array([sides.min(axis=0), sides.max(axis=0)])
    assert np.linalg.norm(ends[1] - ends[0]) < 2 * curve.spacing
    z = (ends.mean(axis=0) + step * slope)[None]
    found = p.proximal_point(z, step)
    assert np.linalg.norm(found.point - curve.nearest(found.point)) > 1e-6, "the point is on no face"
    assert found.kink > 0
    angles = 2 * np.pi * np.arange(24) / 24
    moved = z + 0.97 * found.kink * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    change = np.linalg.norm(p.prox_jacobian(moved, step) - found.jacobian, axis=(1, 2))
    assert change.max() <= 0.5
