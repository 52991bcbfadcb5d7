r"""N3 asked of a trained flow: what its samples err by, told from the errors of its field.

A network is a field with errors e_k = v_θ − v along its own path, so the bound of N3 (5) holds for its
samples. That the first-order response predicts them is no theorem for errors of this size: an audit, once
with the errors on each sample's way, once with those on exact paths, which can be known before a sample is
drawn, with the plain mean of errors beside both.

Assumed: exact pairs of the circle of radius 2; a network of the size and training of
`theorems.learned_flows`.
"""

import numpy as np
import pytest

from numerics import flows
from numerics.accuracy import Rounding
from numerics.flows.exact import ExactField
from numerics.flows.pairs import exact
from numerics.flows.perturbed import euler_bound, euler_response, euler_steps
from numerics.geometry import norms
from numerics.potentials import Sphere
from theorems.stability.euler_steps import Steps
from theorems.stability.figures import draw_scatter

TARGET = Sphere(2, 2.0)
TRAINING = flows.Training(steps=400, batch=512, learning_rate=1e-2, seed=0)
STEPS, SAMPLES = 16, 1000
SUBJECT = "a network trained on exact pairs of the circle, 16 Euler steps"


@pytest.fixture(scope="module")
def learned():
    return flows.trained(exact(TARGET), TARGET.dim, TRAINING)


def _sampled(learned, x0, steps=STEPS):
    return euler_steps(learned.velocity, x0, np.zeros((steps, *x0.shape)))


@pytest.mark.claim("N3")
@pytest.mark.parametrize("steps", [2, 4, 16])
def test_samples_err_by_no_more_than_the_bound(evidence, rng, learned, steps):
    x0 = rng.standard_normal((SAMPLES, 2))
    path, field = _sampled(learned, x0, steps), ExactField(TARGET)
    wanted = [field.velocity(k / steps, path[k]) for k in range(steps)]
    errors = np.array([learned.velocity(k / steps, path[k]) - v for k, v in enumerate(wanted)])
    run = Steps(TARGET, x0, errors, given=path)
    off = norms(path[-1] - run.image)
    told = euler_bound(norms(errors))  # what v rounds is among the slips of `run`
    formed = Rounding(told, steps + 8, "v_θ − v, its length, and their sum")
    evidence.on("a network trained on exact pairs of the circle", steps=steps).bounded(
        "|Y_n − T(x₀)| of a trained flow's samples",
        off,
        run.of_end + formed + Rounding(off, 6, "a length"),
        because="Σ|e_k|/(k+1) + |e_{n−1}|/n with e = v_θ − v on the way",
        main=told,
        clause="Euler's bound",
    )


def _errors_along(learned, path, wanted):
    """The error v_θ − v at every step's position (n,k,d)."""
    return np.array([learned.velocity(k / STEPS, path[k]) - wanted[k] for k in range(STEPS)])


@pytest.mark.claim("N3")
def test_field_errors_tell_sample_errors(evidence, rng, learned):
    """To first order by K(αI+βK)⁻¹, from errors on the way of each sample and from errors on exact paths.

    The first is a formula for errors that are given numbers. The second forgets that the error of a network
    changes where it has led the sample: its slope stays bounded where v contracts (L3).
    """
    x0 = rng.standard_normal((SAMPLES, 2))
    image, field = TARGET.transport(x0), ExactField(TARGET)
    path = _sampled(learned, x0)
    found = path[-1] - image
    exact_path = [(1 - k / STEPS) * x0 + k / STEPS * image for k in range(STEPS)]
    own = _errors_along(learned, path, [field.velocity(k / STEPS, path[k]) for k in range(STEPS)])
    before = _errors_along(learned, exact_path, [image - x0] * STEPS)
    spread, out = TARGET.transport_jacobian(x0), image / TARGET.radius
    told = {
        "K(αI+βK)⁻¹, errors on the sample's way": euler_response(spread, own),
        "K(αI+βK)⁻¹, errors on the exact path": euler_response(spread, before),
        "mean of the errors on the sample's way": own.mean(axis=0),
    }
    left = {name: float(np.median(norms(found - p)) / np.median(norms(found))) for name, p in told.items()}
    on = evidence.on(SUBJECT)
    for name, share in left.items():
        on.audit(
            f"Do the samples' errors follow from the field's, to first order: {name}?",
            "agrees" if share < 0.5 else "deviates",
            expected="median of what is left below half the median error (chosen)",
            measured=share,
            because="N3 (5) to first order; no theorem for errors of this size, and none for a plain mean",
            subject=SUBJECT,
            kind="flow",
        )
    across = (own * out).sum(axis=2, keepdims=True) * out
    _last_step_alone(on, x0, image, across)
    parts = {"all": own, "normal alone": across, "tangential alone": own - across}
    _given_to_the_exact_field(on, x0, image, parts)
    on.table(
        "how far a trained field's errors tell those of its samples, 16 steps",
        ["told by", "median of what is left, over the median error"],
        left.items(),
    )
    _show_told(on, out, found, *list(told.values())[:2])


def _given_to_the_exact_field(on, x0, image, parts):
    """What samples of the exact field err by where it is given one part of the network's errors alone."""
    field = ExactField(TARGET)
    on.table(
        "which errors of a trained field matter: median error of 1000 samples, 16 steps",
        ["errors given to the exact field", "median |Y_n − T(x₀)|"],
        [[name, _median(euler_steps(field.velocity, x0, e)[-1] - image)] for name, e in parts.items()],
    )


def _show_told(on, out, found, by_own, by_exact):
    """Errors of samples over those told from both paths, along the circle and across it (normals `out`)."""
    along = np.stack([-out[:, 1], out[:, 0]], axis=1)
    on.figure(
        "Errors of a trained flow's samples (circle, 16 Euler steps), told from its field's errors",
        "Across the circle, samples' errors lie on the diagonal of the prediction from errors on their own "
        "way, but for some that end inside it, and beyond that from errors on exact paths; along the circle "
        "most lie near the diagonal",
        lambda figure: draw_scatter(
            figure,
            {
                "along, own way": (_component(by_own, along), _component(found, along)),
                "across, own way": (_component(by_own, out), _component(found, out)),
                "across, exact paths": (_component(by_exact, out), _component(found, out)),
            },
        ),
    )


def _last_step_alone(on, x0, image, across):
    """Normal errors enter through the last step alone, whatever their number and size before it.

    They move the noise that a sample stands for along its ray, by Σ|e_k|/(nα_{k+1}) at most (N3 (2)), and T
    is constant on rays: exactly so, unless the noise comes to the centre.
    """
    errors, remaining = 1e-4 * across, 1 - np.arange(1, STEPS) / STEPS
    kept = norms(x0) > 2 * (norms(errors[:-1]) / (STEPS * remaining[:, None])).sum(axis=0)
    run, last = Steps(TARGET, x0, errors), errors[-1] / STEPS
    on.bounded(
        "|end − last normal error/n|, the network's normal errors times 1e−4",
        norms(run.path[-1] - image - last)[kept],
        (run.of_end + Rounding(norms(last), 3, "e/n, and a difference"))[kept],
        because="T is constant along the rays on which normal errors move the noise",
        left_out=int((~kept).sum()),
        chosen="left out where |x₀| is less than twice what they move it by at most",
        clause="Euler's response",
    )


def _component(x, direction):
    return (x * direction).sum(axis=1)


def _median(x):
    return float(np.median(norms(x)))
