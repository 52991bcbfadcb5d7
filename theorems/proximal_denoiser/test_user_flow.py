"""The user's own flow (--flow=MODULE:ATTR): curl, spectral bounds, straight and separate paths, as audits.

Assumed: a field that can be integrated from noise at t = 0 to t = 0.99, with the linear schedule. With
--target also its distance to the exact field of that target, its energy and its cost. Nothing here decides a
verdict.
"""

from functools import cache

import numpy as np
import pytest

from numerics.flows.exact import ExactField
from numerics.flows.straightness import straightness
from numerics.streams import stream
from theorems.setting.user.flow_audits import (
    CLOSE,
    LAST,
    LATE,
    MIDDLE,
    TIMES,
    answer,
    asked,
    by_whole_jacobians,
    limited,
    tolerance,
    trajectories,
)
from theorems.setting.user.flow_batches import scatter, scatter_of
from theorems.setting.user.flow_pictures import draw_field
from theorems.setting.user.flow_references import (
    CALLS,
    beside,
    beside_distance,
    beside_independent,
    following,
)

SHOWN = (1, 5, MIDDLE, 15, LATE, LAST)
SAMPLES = 1000
NOISE = "as Jacobians of drawn batches err most where they are largest"
FEW = "as drawn batches are followed from too few noises for a mean that scatters as costs do"


@pytest.mark.asks("P4")
def test_the_field_has_no_curl(evidence, user_flow):
    by_whole_jacobians(user_flow)
    with asked(evidence, user_flow, "P4", "Jacobians along trajectories"):
        skew, sizes, share = _curl(trajectories(user_flow))
        answer(
            evidence,
            user_flow,
            "P4: is Dv_t symmetric, so that the field has no curl?",
            share.mean(),
            "v is a gradient; size of the antisymmetric part over that of Dv_t, mean over times; independent"
            " coupling's v is one, too, by Tweedie's formula",
            error=scatter(trajectories(user_flow), lambda part: _curl(part)[2].mean()),
            beside=beside(user_flow, lambda whole: _curl(whole)[2].mean()),
        )
        evidence.table(
            f"{user_flow.name}: antisymmetric part of Dv_t",
            ("t", "size of (Dv − Dvᵀ)/2", "size of Dv", "share", "largest |∂ᵢvⱼ − ∂ⱼvᵢ|"),
            [(TIMES[k], sizes[0][k], sizes[1][k], share[k], 2 * np.abs(skew[k]).max()) for k in SHOWN],
        )
        if user_flow.dim == 2:
            evidence.figure(
                f"{user_flow.name}: the field at t = {TIMES[LATE]:g}",
                "Arrows of equal length in the direction of the field, and where trajectories are",
                lambda figure: draw_field(figure, user_flow, TIMES[LATE], trajectories(user_flow).path[LATE]),
                size=(4.8, 4.4),
            )


def _curl(whole):
    """The antisymmetric part of Dv_t, the sizes of it and of Dv_t at each time, and the ratio of these."""
    jacobian = whole.jacobian
    skew = (jacobian - jacobian.swapaxes(-1, -2)) / 2
    sizes = [np.sqrt((part**2).sum(axis=(2, 3)).mean(axis=1)) for part in (skew, jacobian)]
    return skew, sizes, sizes[0] / np.maximum(sizes[1], 1e-300)


@pytest.mark.asks("P5")
def test_the_spectral_bounds(evidence, user_flow, rng):
    by_whole_jacobians(user_flow)
    with asked(evidence, user_flow, "P5", "Jacobians on and off trajectories"):
        aside = rng.standard_normal((len(TIMES), *trajectories(user_flow).path.shape[1:]))
        _answer_bounds(evidence, user_flow, "on trajectories", lambda flow: trajectories(flow).eigenvalues)
        _answer_bounds(evidence, user_flow, "off them", lambda flow: _away(flow, aside))


def _away(flow, aside):
    """Eigenvalues of the symmetric part of Dv, off trajectories by their own spread."""
    whole, away = trajectories(flow), []
    for t, x, shift in zip(TIMES, whole.path, aside, strict=True):
        n = whole.jacobian.shape[1]
        jacobian = flow.jacobian(t, x[:n] + x.std(axis=0) * shift[:n])
        away.append(np.linalg.eigvalsh((jacobian + jacobian.swapaxes(1, 2)) / 2)[:, ::-1])
    return np.array(away)


def _answer_bounds(evidence, flow, where, eigenvalues):
    low, high = _excess(eigenvalues(flow))
    answer(
        evidence,
        flow,
        f"P5: is −1/(1−t) ≤ eig Dv_t ≤ 1/t {where}?",
        _worst(low, high).max(),
        f"0 ≼ D prox ≼ I; worst excess over either bound, relative; {(low > CLOSE).mean():.1%} of"
        f" {low.size} points are below the lower one, {(high > CLOSE).mean():.1%} above the upper one",
        beside=beside_independent(
            flow,
            lambda other: _worst(*_excess(eigenvalues(other))),
            2 * following(flow.dim, jacobians=True),
            NOISE,
            over=np.max,
            worst=True,
        ),
    )


def _excess(eigenvalues):
    """By how much, relative, the bounds are exceeded at each time and point."""
    t = TIMES[1:, None]
    return -(1 - t) * eigenvalues[1:, :, -1] - 1, t * eigenvalues[1:, :, 0] - 1


def _worst(low, high):
    """The worst excess on each trajectory, 0 where there is none."""
    return np.maximum(low, high).max(axis=0).clip(min=0.0)


@pytest.mark.asks("P6")
def test_trajectories_are_straight(evidence, user_flow):
    with asked(evidence, user_flow, "P6", "trajectories"):
        whole = trajectories(user_flow)
        share, bent = _bent(whole)
        answer(
            evidence,
            user_flow,
            "P6: are trajectories straight, at constant speed?",
            share,
            f"root of S/∫E|ẋ|²dt with the straightness number S = ∫E|ẋ−(x₁−x₀)|²dt = {bent:.3g};"
            f" integration errs by {whole.error.max():.1g}",
            error=scatter(whole, lambda part: _bent(part)[0]),
            beside=beside(user_flow, lambda whole: _bent(whole)[0], jacobians=False),
        )


def _bent(whole):
    """√(S/∫E|ẋ|²dt), and S."""
    bent = straightness(TIMES, whole.path, whole.velocity).mean()
    moved = ((whole.path[LAST] - whole.path[0]) ** 2).sum(axis=1) / TIMES[LAST]
    return np.sqrt(max(bent, 0.0) / max(bent + moved.mean(), 1e-300)), bent


@pytest.mark.asks("P6")
def test_trajectories_keep_apart(evidence, user_flow):
    with asked(evidence, user_flow, "P6", "trajectories"):
        whole = trajectories(user_flow)
        far = _far(whole)
        near = _ratio(whole.path - whole.near, sum(np.split(whole.error, 2, axis=1)))
        answer(
            evidence,
            user_flow,
            "P6: do trajectories keep apart, |X_t(x) − X_t(y)| ≥ (1−t)|x − y|?",
            max(0.0, 1 - float(far.min()), 1 - float(near.min())),
            f"T is monotone; worst shortfall, relative, of {far.size + near.size} pairs, less what"
            f" integration may err by ({whole.error.max():.1g} at most); of other couplings far pairs alone",
            beside=beside(user_flow, lambda other: max(0.0, 1 - float(_far(other).min())), jacobians=False),
        )


def _far(whole):
    """The ratios of all pairs of trajectories; a lone one has none to cross."""
    n = whole.path.shape[1]
    first, second = np.triu_indices(n, 1)
    of_path = whole.error[:, :n]
    apart = whole.path[:, first] - whole.path[:, second]
    return _ratio(apart, of_path[:, first] + of_path[:, second]) if n > 1 else np.ones((1, 1))


def _ratio(apart, error):
    """|X_t(x) − X_t(y)| over (1−t)|x − y|, at most what it is."""
    size = np.linalg.norm(apart, axis=2)
    return (size + error) / (size[0] * (1 - TIMES)[:, None])


@pytest.mark.asks("P3")
def test_the_distance_to_the_exact_field(evidence, user_flow, user_target):
    with asked(evidence, user_flow, "P3", "the exact field of the target"):
        field = ExactField(user_target.solution.potential)
        noise = stream(user_flow.seed, "exact field").standard_normal((SAMPLES, user_flow.dim))
        points = [field.flow(t, noise) for t in TIMES]
        exact = [field.velocity(t, x) for t, x in zip(TIMES, points, strict=True)]
        mean = user_target.weights @ user_target.points  # Ev at every time
        size = [np.sqrt(((v - mean) ** 2).sum(axis=1).mean()) for v in exact]
        wrong = _wrong(user_flow, points, exact)
        answer(
            evidence,
            user_flow,
            "P3: is it the exact field of the target?",
            _root_mean(wrong[:, : LATE + 1]) / size[0],
            "root mean square of v − v_exact on exact trajectories, t ≤ 0.9, over that of v_exact − its mean",
            error=scatter_of(wrong[:, : LATE + 1], _root_mean) / size[0],
            beside=beside_distance(user_flow, list(zip(TIMES, points, strict=True))[: LATE + 1]),
        )
        found = np.sqrt(wrong.mean(axis=0))
        evidence.table(
            f"{user_flow.name}: distance to the exact field of {user_target.name}",
            ("t", "root mean square of v − v_exact", "of v_exact − its mean"),
            [(TIMES[k], found[k], size[k]) for k in (0, *SHOWN)],
        )
        if user_flow.dim == 2:
            evidence.figure(
                f"{user_flow.name}: the field at t = {TIMES[LATE]:g}, beside the exact one",
                "Arrows of equal length in the direction of each field, coloured by speed",
                lambda figure: draw_field(
                    figure, user_flow, TIMES[LATE], field.flow(TIMES[LATE], noise[:200]), field.velocity
                ),
                size=(9.0, 4.4),
            )


def _root_mean(squares):
    return float(np.sqrt(squares.mean()))


def _wrong(flow, points, exact):
    """|v − v_exact|² at each point and time, (n,k)."""
    asked_at = zip(TIMES, points, exact, strict=True)
    return np.stack([((flow.velocity(t, x) - v) ** 2).sum(axis=1) for t, x, v in asked_at], axis=1)


@pytest.mark.asks("P6")
def test_energy_and_cost(evidence, user_flow, user_target):
    """∫E|v_t(x_t)|²dt = E|x₁−x₀|² = W₂² for the exact field; on the same noise, which cancels its scatter.

    Of the target moved to 0, and the flow by as much: a shift adds its square to all, and to the scatter.
    """
    with asked(evidence, user_flow, "P6", "trajectories"):
        mean = user_target.weights @ user_target.points
        w2 = user_target.solution.w2_squared - float((mean**2).sum())
        noise = stream(user_flow.seed, "costs").standard_normal((SAMPLES, user_flow.dim))
        least = ((user_target.solution.potential.transport(noise) - mean - noise) ** 2).sum(axis=1)
        excess = cache(lambda flow: (_spent(flow, noise, mean) - least) / w2)
        inexact = 200 * tolerance(user_flow) * np.sqrt(least.mean()) / w2  # of |moved|², by that of the end
        for k, name in enumerate(("energy ∫E|v_t|²dt", "cost E|x₁ − x₀|²")):
            found = excess(user_flow)[k]
            answer(
                evidence,
                user_flow,
                f"P6: is the {name} that of optimal transport, W₂²?",
                abs(found.mean()),
                f"Benamou–Brenier; |excess| over W₂² = {w2:.6g}, all of the target moved to 0; it is"
                f" {'more' if found.mean() > 0 else 'less'}",
                error=found.std() / np.sqrt(SAMPLES),
                beside=beside_independent(
                    user_flow, lambda other, k=k: excess(other)[k], CALLS * SAMPLES, FEW, more=inexact
                ),
            )


def _spent(flow, noise, mean):
    """Energy and cost of each trajectory, (2,n), where the velocity is less by the mean of the target."""
    path = limited(flow, noise, 100 * tolerance(flow))
    velocity = np.stack([flow.velocity(t, x) for t, x in zip(TIMES, path, strict=True)])
    remaining = 1 - TIMES[LAST]
    moved, last = path[LAST] - noise - TIMES[LAST] * mean, velocity[LAST] - mean
    energy = straightness(TIMES, path, velocity) + (moved**2).sum(axis=1) / TIMES[LAST]
    energy = energy + remaining * (last**2).sum(axis=1)
    return np.array([energy, ((moved + remaining * last) ** 2).sum(axis=1)])
