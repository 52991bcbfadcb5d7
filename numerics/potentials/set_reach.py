"""How far a slope may move before another point of a closed set is as high as the one that is highest."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import maximum_filter1d

from numerics.geometry import norms
from numerics.potentials.chords import Envelope
from numerics.potentials.set_calculus import bending, rise_inwards
from numerics.potentials.strata import Numbers, Points, retracted

_WIDTH = 4.0
"""Of the net's spacing: so far from an atom the set is looked at more finely."""
_RADII = {0: 1, 1: 60, 2: 40}
_DIRECTIONS = {0: 1, 1: 2, 2: 24}
"""Rings of a window, four to an octave, and points of each, by the dimension of the set."""
_BESIDE = {1: 0.25, 2: 0.35}
"""Of its distance from the atom: so near to a point of a window a point of the net counts as seen there."""
_BLOCK_ENTRIES = 1_000_000


@dataclass(frozen=True)
class _Window:
    """Points of the set about each atom, by rings.

    Attributes:
        places: (n,k,w,d).
        apart: (n,k,w), how far they are from the atom.
        own: (n,k,w), whether no other atom is nearer.
        asked: (n,k,w), whether their heights are: own, and about as far away as their ring.
    """

    places: Float[np.ndarray, "n k w d"]
    apart: Float[np.ndarray, "n k w"]
    own: Bool[np.ndarray, "n k w"]
    asked: Bool[np.ndarray, "n k w"]

    def __getitem__(self, rows: slice) -> "_Window":
        return _Window(self.places[rows], self.apart[rows], self.own[rows], self.asked[rows])


def slope_reach(envelope: Envelope, atoms: Float[np.ndarray, "n k d"], slope: Points) -> Numbers:
    """A bound below on how far the slope may move while these atoms, each highest at it, do not split.

    Of a point y' that is lower than an atom y by s: it stays lower while the slope moves by s/|y' − y|. It is
    asked at the net, and in a window about each atom at 60 distances from it (40 on surfaces), four to an
    octave. Between neighbours the set rises by (a + |p − ay'||II|)·gap²/8 at most, in a window by |H|·gap²/8,
    the largest H of three rings. Near the atom, which moves too, it is the only maximum as long as H > 0 all
    along, the least H over |II|, and as the curve rises from an end so near. Up to which distance that is
    asked is chosen to say most. H at the atom alone does not tell: beside a focal point a second maximum is
    there while both have H > 0. Taken, not proved: that between two rings H falls below both by no more than
    half their difference. Not seen is a sheet of the set that passes an atom within a spacing, or a bend that
    the net does not resolve.

    Args:
        envelope: φ.
        atoms: (n,k,d), points of the set.
        slope: (n,d), at which they are highest.

    Returns:
        (n,), in the unit of the slope.
    """
    window = _window(envelope, atoms)
    return np.minimum(_inside(envelope, atoms, slope, window), _outside(envelope, atoms, slope, window))


def _window(envelope: Envelope, atoms: Float[np.ndarray, "n k d"]) -> _Window:
    """About each atom, filled up with it: along tangents, at an end of a curve inwards."""
    closed_set, most, radii = envelope.closed_set, envelope.most, _radii(envelope)
    if not most:
        alone = np.ones((*atoms.shape[:2], 1), dtype=bool)
        return _Window(atoms[:, :, None], np.zeros(alone.shape), alone, alone)
    y = atoms.reshape(-1, closed_set.dim)
    angles = 2 * np.pi / _DIRECTIONS[most] * np.arange(_DIRECTIONS[most])
    axes = np.stack([np.cos(angles), np.sin(angles)], axis=-1)[:, :most]
    grid = (radii[:, None, None] * axes).reshape(-1, most)
    moves = np.zeros((len(y), len(grid), closed_set.dim))
    for s in closed_set.strata(y):
        if s.dimension:
            moves[s.rows] = np.einsum("wm,ndm->nwd", grid[:, : s.dimension], s.tangent)
        else:
            moves[s.rows] = np.maximum(grid[:, :1], 0.0) * s.inward[:, None]
    places = retracted(closed_set, np.repeat(y, len(grid), axis=0), moves.reshape(-1, closed_set.dim))
    places = places.reshape(*atoms.shape[:2], len(grid), closed_set.dim)
    to_all, own = norms(places[:, :, :, None] - atoms[:, None, None]), np.arange(atoms.shape[1])
    apart = to_all[:, own, :, own].swapaxes(0, 1)
    nearest = apart <= to_all.min(axis=3)
    return _Window(places, apart, nearest, nearest & (apart >= 0.8 * np.repeat(radii, _DIRECTIONS[most])))


def _inside(envelope: Envelope, atoms: Float[np.ndarray, "n k d"], slope: Points, window: _Window) -> Numbers:
    """By points of the windows: H > 0 at those up to some distance, heights from there on, the best of all.

    A point that is nearer to another atom is looked at in the window of that: H > 0 is not asked so far. If
    the curve ends so far, it must rise there inwards, or the maximum runs into the end.
    """
    n, k, w, d = window.places.shape
    if not envelope.most:
        return np.full(n, np.inf)
    rings = (n, k, _RADII[envelope.most], -1)
    at, slopes = window.places.reshape(-1, d), np.repeat(slope, k * w, axis=0)
    least, most, bend = (each.reshape(rings) for each in _hessians(envelope, at, slopes))
    steep = np.repeat(maximum_filter1d(most.max(axis=3), 3, axis=2), w // rings[2], axis=2)
    sagged = steep * np.square(_gaps(envelope, window)) / 8
    ratio = _ratio(envelope, slope[:, None, None], atoms[:, :, None], window.places, sagged)
    lower = np.where(window.asked, ratio, np.inf).reshape(rings).min(axis=3)
    single = _single(np.where(window.own.reshape(rings), least, -np.inf), bend.max(axis=3))
    rise = rise_inwards(envelope, at, slopes).reshape(n, k, w)
    kept = np.where(np.isnan(rise) | (window.apart == 0), np.inf, np.maximum(rise, 0.0))
    single = np.minimum(single, _inwards(np.minimum, kept.reshape(rings).min(axis=3)))
    best = np.minimum(np.minimum.accumulate(lower, axis=2), single).max(axis=2)
    # an end that the slope presses stays: heights decide, however near
    ends = ~np.isnan(rise_inwards(envelope, atoms.reshape(-1, d), np.repeat(slope, k, axis=0))).reshape(n, k)
    return np.asarray(np.where(ends, np.maximum(best, lower.min(axis=2)), best).min(axis=1))


def _gaps(envelope: Envelope, window: _Window) -> Float[np.ndarray, "n k w"]:
    """From each point of a window to the farther of its neighbours; to the net from the widest rings."""
    n, k, w, d = window.places.shape
    spacing, directions = envelope.closed_set.spacing, _DIRECTIONS[envelope.most]
    steps = norms(np.diff(window.places.reshape(n, k, -1, directions, d), axis=2))
    steps = np.concatenate([steps[:, :, :1], steps, steps[:, :, -1:]], axis=2)
    radial = np.maximum(steps[:, :, 1:], steps[:, :, :-1]).reshape(n, k, w)
    across = 2 * np.pi / directions * window.apart if envelope.most > 1 else 0.0
    outer = np.where(window.apart > (_WIDTH - 1) * spacing, 2 * spacing, 0.0)
    return np.maximum(np.hypot(radial, across), outer)


def _inwards(of: np.ufunc, rings: Float[np.ndarray, "n k r"]) -> Float[np.ndarray, "n k r"]:
    """Of a ring and all within it."""
    return np.asarray(of.accumulate(rings[:, :, ::-1], axis=2)[:, :, ::-1])


def _single(
    least: Float[np.ndarray, "n k r w"], bend: Float[np.ndarray, "n k r"]
) -> Float[np.ndarray, "n k r"]:
    """How far the slope may move while H > 0 on a ring and all within: H less half a step to a neighbour."""
    bounded = np.where(np.isposinf(least), np.nan, least)
    with np.errstate(invalid="ignore"):
        steps = np.abs(np.diff(bounded, axis=2, append=bounded[:, :, -1:]))
    sure = np.where(np.isnan(bounded), np.inf, bounded - np.nan_to_num(steps, nan=0.0, posinf=np.inf) / 2)
    lowest, steepest = _inwards(np.minimum, sure.min(axis=3)), _inwards(np.maximum, bend)
    with np.errstate(over="ignore"):
        return np.asarray(np.maximum(lowest, 0.0) / np.maximum(steepest, np.finfo(float).tiny))


def _radii(envelope: Envelope) -> Float[np.ndarray, " r"]:
    """The rings of a window, the widest first."""
    return _WIDTH * envelope.closed_set.spacing * 2.0 ** (-np.arange(_RADII[envelope.most]) / 4)


def _hessians(envelope: Envelope, y: Points, slope: Points) -> tuple[Numbers, Numbers, Numbers]:
    """H's least eigenvalue, +inf at corners, the sum of their sizes, and ‖II‖."""
    least, size = np.full(len(y), np.inf), np.full(len(y), envelope.curvature)
    for s in envelope.closed_set.strata(y):
        if s.dimension:
            values = np.linalg.eigvalsh(envelope.hessians(y[s.rows], slope[s.rows], s.second))
            least[s.rows], size[s.rows] = values[:, 0], np.abs(values).sum(axis=1)
    return least, size, bending(envelope, y)


def _ratio(
    envelope: Envelope,
    slope: Float[np.ndarray, "..."],
    atom: Float[np.ndarray, "..."],
    place: Float[np.ndarray, "..."],
    rise: Float[np.ndarray, "..."],
) -> Float[np.ndarray, "..."]:
    """By how much a place, beside which the set rises so much, is lower than the atom, over its distance."""
    apart, lower = norms(place - atom), -envelope.excess(*np.broadcast_arrays(slope, atom, place))
    return np.maximum(lower - rise, 0.0) / np.where(apart > 0, apart, 1.0)


def _outside(
    envelope: Envelope, atoms: Float[np.ndarray, "n k d"], slope: Points, window: _Window
) -> Numbers:
    """By the points of the net that lie in no window: the atom that says most counts."""
    net, spacing, a = envelope.closed_set.net, envelope.closed_set.spacing, envelope.curvature
    largest, reach = float(bending(envelope, net).max()), np.full(len(slope), np.inf)
    block = max(1, _BLOCK_ENTRIES // (len(net) * atoms.shape[1]))
    for first in range(0, len(slope), block):
        part = slice(first, first + block)
        here = slope[part, None, None]
        rise = (a + norms(here - a * net) * largest) * spacing**2 / 8
        ratio = _ratio(envelope, here, atoms[part, :, None], net, rise)
        outside = ~_in_window(envelope, atoms[part], window[part])
        reach[part] = ratio.max(axis=1).min(axis=1, initial=np.inf, where=outside)
    return reach


def _in_window(
    envelope: Envelope, atoms: Float[np.ndarray, "n k d"], window: _Window
) -> Bool[np.ndarray, "n N"]:
    """Which points of the net are beside one of a window that is asked, or within the innermost ring."""
    net, spacing = envelope.closed_set.net, envelope.closed_set.spacing
    apart = norms(net - atoms[:, :, None])
    found = np.zeros((len(atoms), len(net)), dtype=bool)
    rows, owners, places = np.nonzero(apart <= _WIDTH * spacing)
    block = max(1, _BLOCK_ENTRIES // window.places.shape[2])
    for first in range(0, len(rows), block):
        row, owner, place = (each[first : first + block] for each in (rows, owners, places))
        between = norms(window.places[row, owner] - net[place][:, None])
        nearest = between.min(axis=1, initial=np.inf, where=window.asked[row, owner])
        away = apart[row, owner, place]
        beside = (nearest <= _BESIDE.get(envelope.most, 0.0) * away) | (away <= _radii(envelope)[-1])
        found[row[beside], place[beside]] = True
    return found
