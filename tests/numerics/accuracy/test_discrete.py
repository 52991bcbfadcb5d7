"""Steps of lattice laws, their cut and their costs, against sums of exact masses in 40 digits."""

import mpmath as mp
import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr

from numerics.potentials import Quantile
from numerics.potentials.discrete_tails import lattice_tails
from numerics.transport.minibatch import expected_cost
from tests.numerics.accuracy.harness import judge
from tests.numerics.accuracy.line_oracles import errors

SEED = 20261129


@pytest.fixture(autouse=True)
def digits():
    """In 40 digits."""
    with mp.workdps(40):
        yield


# Of each family: the ratio of the mass of k + 1 to that of k, from textbooks.
RATIOS = {
    "poisson": lambda k, mu: mp.mpf(mu) / (k + 1),
    "binom": lambda k, n, p: mp.mpf(n - k) / (k + 1) * mp.mpf(p) / (1 - mp.mpf(p)),
    "nbinom": lambda k, n, p: (k + mp.mpf(n)) / (k + 1) * (1 - mp.mpf(p)),
    "geom": lambda _, p: 1 - mp.mpf(p),
    "planck": lambda _, rate: mp.exp(-mp.mpf(rate)),
    "dlaplace": lambda k, a: mp.exp(-mp.mpf(a)) if k >= 0 else mp.exp(mp.mpf(a)),
    "logser": lambda k, p: mp.mpf(p) * k / (k + 1),
    "hypergeom": lambda k, m, n, t: mp.mpf((n - k) * (t - k)) / ((k + 1) * (m - n - t + k + 1)),
    "boltzmann": lambda _k, rate, _n: mp.exp(-mp.mpf(rate)),
    "betabinom": lambda k, n, a, b: mp.mpf(n - k) * (k + mp.mpf(a)) / ((k + 1) * (n - k - 1 + mp.mpf(b))),
}


def _exact(name, args, low, high):
    """P(X ≤ k) and P(X > k) for k from low to high, all mass above 1e−120 counted."""
    first, last = getattr(stats, name)(*args).support()
    room = 50 + (high - low) // 4
    start, stop = int(max(low - room, first)), int(min(high + room, last))
    masses, middle = {(low + high) // 2: mp.mpf(1)}, (low + high) // 2
    for k in range(middle, stop):
        masses[k + 1] = masses[k] * RATIOS[name](k, *args)
    for k in range(middle, start, -1):
        masses[k - 1] = masses[k] / RATIOS[name](k - 1, *args)
    total, below, above, passed = mp.fsum(masses.values()), {}, {}, mp.mpf(0)
    for k in range(start, stop + 1):
        passed += masses[k] / total
        below[k] = passed
    passed = mp.mpf(0)
    for k in range(stop, start - 1, -1):
        above[k] = passed
        passed += masses[k] / total
    return below, above


def _shares(name, args, most=250):
    """Relative errors of the smaller tail inside the cut, and the statements."""
    atoms, below, above, stated = lattice_tails(getattr(stats, name)(*args))
    exact = _exact(name, args, int(atoms[0]), int(atoms[-1]))
    kept = np.flatnonzero(np.minimum(below, above) > ndtr(-20.0))
    kept = kept[np.unique(np.linspace(0, len(kept) - 1, most).astype(int))]
    errors = []
    for i in kept:
        k, is_lower = int(atoms[i]), below[i] < above[i]
        truth = exact[0 if is_lower else 1][k]
        errors.append(float(abs(mp.mpf(float((below if is_lower else above)[i])) - truth) / truth))
    return errors, stated[kept]


def _random_shapes(name, rng):
    if name == "poisson":
        return (10.0 ** rng.uniform(-1, 3.7),)
    if name == "binom":
        return int(10 ** rng.uniform(0.5, 3.8)), float(
            rng.choice([rng.random(), 10.0 ** rng.uniform(-3, -1)])
        )
    if name == "nbinom":
        return 10.0 ** rng.uniform(-0.5, 2.7), rng.uniform(0.05, 0.95)
    if name == "logser":
        return (rng.uniform(0.1, 0.97),)
    if name == "boltzmann":
        return 10.0 ** rng.uniform(-2, 0), int(10 ** rng.uniform(0.5, 3))
    if name == "hypergeom":
        size = int(10 ** rng.uniform(1, 3.5))
        return size, int(size * rng.uniform(0.1, 0.9)) + 1, int(size * rng.uniform(0.1, 0.9)) + 1
    if name == "betabinom":
        return int(10 ** rng.uniform(0.5, 2.7)), 10.0 ** rng.uniform(-0.5, 2), 10.0 ** rng.uniform(-0.5, 2)
    return (10.0 ** rng.uniform(-1.5, -0.05),)


@pytest.mark.parametrize("name", RATIOS)
def test_tails_of_families(name):
    """Random shapes of each family."""
    rng = np.random.default_rng(SEED + list(RATIOS).index(name))
    parts = [_shares(name, _random_shapes(name, rng)) for _ in range(6)]
    judge(*(np.concatenate(part) for part in zip(*parts, strict=True)))


class Powers(stats.rv_discrete):
    """(1 − r)r^k on k = 0, 1, …: its author gave the masses alone, so that SciPy sums them."""

    ratio = 0.85  # sums of its masses stay below 1; those of most ratios round to 1

    def _pmf(self, k):
        return (1 - self.ratio) * self.ratio ** np.asarray(k, dtype=float)


class Cubes(stats.rv_discrete):
    """∝ (k+1)^{−3}: more atoms than one can list."""

    def _pmf(self, k):
        return (np.asarray(k, dtype=float) + 1) ** -3 / 1.2020569031595942


def test_a_law_of_masses_alone():
    """Its upper tail, 1 − a sum, never is 0: where it ends is told by its masses. Tails are powers."""
    law = Powers(name="powers")()
    assert law.sf(10**4) > 0, "else nothing is tried"
    atoms, below, above, relative = lattice_tails(law)
    asked = np.minimum(below, above) > 1e-90
    assert asked.sum() > 250
    exact = [mp.mpf(Powers.ratio) ** int(k + 1) for k in atoms[asked]]
    right = [min(tail, 1 - tail) for tail in exact]
    smaller = np.minimum(below, above)[asked]
    judge(errors(smaller, right), relative[asked] * smaller, floor=0)  # Γ is counted: `lattice_tails`


def test_a_law_of_many_atoms_is_listed_to_its_end():
    """P(X > k) = 0.999^k, down to noise 20."""
    atoms, _, above, relative = lattice_tails(stats.geom(1e-3))
    assert above[-2] < 1e-89
    places = np.linspace(0, len(atoms) - 2, 100).astype(int)
    exact = [(1 - mp.mpf(1e-3)) ** int(atoms[place]) for place in places]
    kept = np.array([tail < mp.mpf(0.5) for tail in exact])
    found = errors(above[places], exact)
    judge(found[kept], (relative * above)[places][kept])


def test_a_law_of_masses_alone_with_too_many_atoms_is_refused():
    with pytest.raises(ValueError, match="more than 1048576 atoms"):
        lattice_tails(Cubes(name="cubes")())


def test_large_laws():
    """Where SciPy's masses are off by more than its tails, and where tails are sums themselves."""
    cases = [("poisson", (1e4,)), ("binom", (20_000, 0.01)), ("binom", (10**5, 0.3)), ("poisson", (200.0,))]
    cases += [("boltzmann", (0.02398597083992616, 310)), ("logser", (0.967602514152742,))]
    cases += [("logser", (0.95,)), ("betabinom", (1000, 20.0, 30.0)), ("hypergeom", (20_000, 7000, 1200))]
    parts = [_shares(*case) for case in cases]
    judge(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _moved(s, tail):
    """Φ⁻¹ of the upper tail (40 digits) by Newton's steps from the double s > 0, or of the lower from −s."""
    z = mp.mpf(abs(float(s)))
    for _ in range(2):
        z += mp.log(mp.ncdf(-z) / tail) * mp.ncdf(-z) / mp.npdf(z)
    return z if s > 0 else -z


def _exact_steps(name, args, law):
    below, above = _exact(name, args, int(law.atoms[0]), int(law.atoms[-1]))
    pairs = zip(law.atoms[:-1], law.steps, strict=True)
    return [(_moved(s, (above if s > 0 else below)[int(k)]), below[int(k)], above[int(k)]) for k, s in pairs]


def test_steps_and_costs_of_a_large_poisson_law():
    """Steps by Newton's iteration; c₂ − W₂² = 2Σ(φ_N(z) − F(1−F)/√π), by Gini's mean difference."""
    args = (1e4,)
    p = Quantile(stats.poisson(*args))
    exact = _exact_steps("poisson", args, p.law)
    error = [float(abs(z - s)) for (z, _, _), s in zip(exact, p.law.steps.tolist(), strict=True)]
    judge(error, p.law.step_errors)
    excess = 2 * mp.fsum(mp.npdf(z) - f * g / mp.sqrt(mp.pi) for z, f, g in exact)
    optimal = 1 + mp.mpf(args[0]) + mp.mpf(args[0]) ** 2 - 2 * mp.fsum(mp.npdf(z) for z, _, _ in exact)
    found = expected_cost(p, 2)
    assert abs(found.excess - excess) <= found.error
    assert abs(found.optimal - optimal) <= found.optimal_error
    assert found.error < 1e-9 < 1e-4 * found.excess


@pytest.mark.parametrize(("name", "args"), [("poisson", (1e4,)), ("binom", (10**5, 0.3))])
def test_the_cut_is_at_its_atom(name, args):
    """T(±20): the atoms whose steps hold Φ(±20), not the ends of the lattice that was asked."""
    p = Quantile(getattr(stats, name)(*args))
    low, high = (int(x) for x in p.transport([[-20.0], [20.0]])[:, 0])
    below, above = _exact(name, args, low, high)
    at_cut = mp.ncdf(-20)
    assert below[low - 1] < at_cut <= below[low]
    assert above[high] <= at_cut < above[high - 1]


def test_the_prox_stops_at_the_cut():
    """Of 0, far below a law at 3e5: the atom at the cut, as T there."""
    p = Quantile(stats.binom(10**6, 0.3))
    assert p.prox([[0.0]], 1.0)[0, 0] == p.transport([[-20.0]])[0, 0]
    assert stats.binom.cdf(p.prox([[0.0]], 1.0)[0, 0] - 1, 10**6, 0.3) < ndtr(-20.0)
    assert stats.binom.cdf(p.prox([[0.0]], 1.0)[0, 0], 10**6, 0.3) >= ndtr(-20.0) * (1 - 1e-9)
