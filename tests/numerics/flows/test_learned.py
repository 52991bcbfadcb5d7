"""Learned fields: the same bits every time, nobody else's random numbers, shapes, and what is refused."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.flows import pairs
from numerics.flows.learned import LearnedField, check_device, train
from numerics.flows.network import VelocityNetwork
from numerics.flows.recipe import Training
from numerics.potentials import DegenerateGaussian, Sphere
from numerics.schedules import Linear, Polynomial, Trigonometric, VariancePreserving

SHORT = Training(steps=4, batch=16, width=8, depth=2, seed=5)
CIRCLE = Sphere(2, 2.0)


def labelled(n, rng):
    """Two classes: circles of radius 1 and 3."""
    x0, x1 = Sphere(2, 1.0).sample(n, rng)
    label = rng.integers(2, size=n)
    return x0, x1 * np.where(label, 3.0, 1.0)[:, None], np.eye(2)[label]


COUPLINGS = {
    "independent": pairs.independent(pairs.data_of(CIRCLE)),
    "minibatch": pairs.minibatch(pairs.data_of(CIRCLE)),
    "semidiscrete": pairs.semidiscrete(CIRCLE),
    "exact": pairs.exact(CIRCLE),
    "conditioned": labelled,
}
couplings = pytest.mark.parametrize("coupling", COUPLINGS.values(), ids=COUPLINGS)


def weights(field):
    return torch.cat([p.flatten() for p in field.module.parameters()])


@couplings
def test_training_is_deterministic_bit_for_bit(coupling):
    once, again = train(coupling, 2, SHORT), train(coupling, 2, SHORT)
    assert torch.equal(weights(once), weights(again))
    np.testing.assert_array_equal(once.losses, again.losses)
    other = train(coupling, 2, Training(steps=4, batch=16, width=8, depth=2, seed=6))
    assert not torch.equal(weights(once), weights(other))


@couplings
def test_global_generators_are_untouched(coupling):
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    threads = torch.get_num_threads()
    field = train(coupling, 2, SHORT)
    field.velocity(0.5, np.ones((3, 2)))
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert torch.get_num_threads() == threads
    numpy_after = np.random.get_state()  # noqa: NPY002
    for before, after in zip(numpy_before, numpy_after, strict=True):
        np.testing.assert_array_equal(before, after)


def test_global_state_does_not_reach_the_result():
    found = []
    for seed in (1, 2):
        np.random.seed(seed)  # noqa: NPY002 - what torchcfm draws from
        torch.manual_seed(seed)
        found.append(weights(train(COUPLINGS["minibatch"], 2, SHORT)))
    assert torch.equal(*found)


def test_training_descends_and_keeps_every_loss():
    field = train(
        pairs.exact(CIRCLE), 2, Training(steps=400, batch=64, width=32, depth=2, learning_rate=1e-2)
    )
    assert field.losses.shape == (400,)
    assert field.losses[-20:].mean() < field.losses[:20].mean() / 4


@pytest.mark.parametrize("schedule", [Linear(), Trigonometric(), Polynomial(1.5)], ids=repr)
def test_first_loss_is_that_of_the_first_batch(schedule):
    """By hand, from the stream: one batch to look at is drawn from another generator."""
    training = Training(steps=1, batch=32, width=8, depth=1, seed=3, schedule=schedule)
    rng = np.random.default_rng(3)
    x0, x1 = CIRCLE.sample(32, rng)
    t = rng.random(32)
    x = schedule.alpha(t)[:, None] * x0 + schedule.beta(t)[:, None] * x1
    speed = schedule.alpha_dot(t)[:, None] * x0 + schedule.beta_dot(t)[:, None] * x1
    untrained = VelocityNetwork(2, 8, 1, seed=3).double()
    value = untrained(torch.tensor(t), torch.tensor(x)).detach().numpy()
    expected = ((value - speed) ** 2).sum(axis=1).mean()
    found = train(pairs.exact(CIRCLE), 2, training).losses[0]
    assert found == pytest.approx(expected, rel=256 * float(np.finfo(np.float32).eps))


@settings(max_examples=15)
@given(st.integers(1, 5), st.integers(1, 9), st.integers(1, 3), st.integers(0, 3), st.integers(1, 7))
def test_shapes_of_any_network(dim, width, depth, conditions, n):
    module = VelocityNetwork(dim, width, depth, conditions).double()
    field = LearnedField(module.requires_grad_(False), dim, Training(), np.zeros(1))
    x = np.random.default_rng(n).standard_normal((n, dim))
    times = np.linspace(0, 1, n)
    assert field.velocity(0.3, x).shape == (n, dim)
    assert field.velocity(times, x).shape == (n, dim)
    assert field.velocity(None, x, remaining=0.7).dtype == np.float64
    back = field.velocity(None, x, remaining=1 - times)
    np.testing.assert_allclose(back, field.velocity(times, x), atol=1e-12)
    assert field.jacobian(times, x).shape == (n, dim, dim)
    if conditions:
        prompt = np.arange(conditions, dtype=float)
        assert field.velocity(0.3, x, condition=prompt).shape == (n, dim)
        assert field.jacobian(0.3, x, condition=np.tile(prompt, (n, 1))).shape == (n, dim, dim)


def test_a_time_a_point_is_the_same_as_one_after_the_other():
    field = train(COUPLINGS["exact"], 2, SHORT)
    x, times = np.random.default_rng(0).standard_normal((6, 2)), np.linspace(0, 1, 6)
    one = np.concatenate([field.velocity(t, x[i : i + 1]) for i, t in enumerate(times)])
    np.testing.assert_allclose(field.velocity(times, x), one, rtol=1e-13, atol=1e-13)


def test_jacobian_by_central_differences():
    """In float64, so that differences at 1e-5 keep nine digits; also with a condition of each point."""
    field = train(labelled, 2, SHORT)
    x = np.random.default_rng(0).standard_normal((5, 2))
    for prompt in ({}, {"condition": np.eye(2)[[0, 1, 0, 1, 1]]}):
        h = 1e-5
        found = np.stack(
            [
                (field.velocity(0.4, x + h * e, **prompt) - field.velocity(0.4, x - h * e, **prompt))
                / (2 * h)
                for e in np.eye(2)
            ],
            axis=2,
        )
        np.testing.assert_allclose(field.jacobian(0.4, x, **prompt), found, atol=1e-8)


def test_null_prompt_is_neither_class_and_prompts_matter():
    field = train(labelled, 2, Training(steps=60, batch=64, width=16, depth=2, unprompted=0.5))
    x = np.random.default_rng(1).standard_normal((50, 2))
    null, small, large = (
        field.velocity(0.1, x, **prompt)
        for prompt in ({}, {"condition": [1.0, 0.0]}, {"condition": [0.0, 1.0]})
    )
    assert np.abs(null - small).max() > 1e-3
    assert np.abs(small - large).max() > 1e-3


def test_a_dropped_prompt_is_the_null_prompt():
    module = VelocityNetwork(2, 8, 2, conditions=3)
    t, x, prompt = torch.tensor(0.5), torch.ones(4, 2), torch.ones(4, 3)
    assert torch.equal(module(t, x, prompt, torch.zeros(4)), module(t, x))
    assert torch.equal(module(t, x, prompt, torch.ones(4)), module(t, x, prompt))
    assert not torch.equal(module(t, x, prompt), module(t, x))


def test_couplings_keep_their_marginals_and_pairs():
    """Exact pairs are matched by T, independent ones are not; a batch plan lies between."""
    rng = np.random.default_rng(0)
    cost = {}
    for name in ("independent", "minibatch", "semidiscrete", "exact"):
        x0, x1 = COUPLINGS[name](256, rng)
        np.testing.assert_allclose(np.linalg.norm(x1, axis=1), 2.0, rtol=1e-12)
        cost[name] = ((CIRCLE.transport(x0) - x1) ** 2).sum(axis=1).mean()
    assert cost["exact"] == cost["semidiscrete"] == 0
    assert 0 < cost["minibatch"] < 1 < 4 < cost["independent"]


def test_a_cloud_is_drawn_from_its_points():
    points = np.arange(12.0).reshape(6, 2)
    drawn = pairs.cloud(points)(500, np.random.default_rng(0))
    assert {tuple(row) for row in drawn} == {tuple(row) for row in points}


# --- bad input -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"steps": 0}, "steps"),
        ({"batch": 2.5}, "batch"),
        ({"width": -1}, "width"),
        ({"depth": 0}, "depth"),
        ({"seed": -1}, "seed"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"unprompted": 1.0}, "unprompted"),
        ({"threads": 0}, "threads"),
    ],
)
def test_a_training_is_refused(wrong, names):
    with pytest.raises(ValueError, match=f"^{names}"):
        Training(**wrong)


@pytest.mark.parametrize(
    ("bad", "names"),
    [
        (lambda n, rng: (rng.standard_normal((n, 3)), rng.standard_normal((n, 2))), "x0 has shape"),
        (lambda n, rng: (rng.standard_normal((n, 2)), rng.standard_normal((n + 1, 2))), "x1 has shape"),
        (lambda n, rng: (rng.standard_normal((n, 2)), np.full((n, 2), np.nan)), "x1 of pairs"),
        (lambda n, rng: (rng.standard_normal((n, 2)),), "1 arrays"),
        (lambda n, rng: (*CIRCLE.sample(n, rng), np.ones(n)), "condition of pairs"),
        (lambda n, rng: (*CIRCLE.sample(n, rng), np.ones((n - 1, 1))), "condition has shape"),
    ],
)
def test_pairs_are_refused_before_training(bad, names):
    with pytest.raises(ValueError, match=names):
        train(bad, 2, SHORT)


@pytest.mark.parametrize("asked", ["abacus", "meta", "cuda:99"])
def test_an_absent_device_is_refused(asked):
    with pytest.raises(ValueError, match=r"^device: .*'cpu'"):
        check_device(asked)
    with pytest.raises(ValueError, match=r"^device: "):
        train(COUPLINGS["exact"], 2, SHORT, device=asked)


def test_a_loss_that_is_not_finite_stops_training():
    with pytest.raises(RuntimeError, match="at step"):
        train(COUPLINGS["exact"], 2, Training(steps=50, batch=16, width=8, depth=2, learning_rate=1e30))


def test_an_infinite_derivative_of_the_schedule_is_survived_where_it_is_not_drawn():
    """α̇ = −t/√(1−t²) is infinite at t = 1 alone, which is never drawn."""
    field = train(
        pairs.exact(DegenerateGaussian([0.0, 1.0], np.diag([1.0, 0.0]))),
        2,
        Training(steps=20, batch=64, width=8, depth=1, schedule=VariancePreserving()),
    )
    assert np.isfinite(field.losses).all()


def test_a_field_refuses_what_it_cannot_answer():
    field = train(COUPLINGS["exact"], 2, SHORT)
    x = np.ones((3, 2))
    with pytest.raises(ValueError, match="t: got"):
        field.velocity(1.5, x)
    with pytest.raises(ValueError, match="2 times for 3 points"):
        field.velocity([0.1, 0.2], x)
    with pytest.raises(ValueError, match="exactly one of t and remaining"):
        field.velocity(None, x)
    with pytest.raises(ValueError, match="x: got shape"):
        field.velocity(0.5, np.ones((3, 4)))
    with pytest.raises(ValueError, match="condition: got shape"):
        field.velocity(0.5, x, condition=[1.0])
    with pytest.raises(ValueError, match="device"):
        field.to("abacus")


# --- on a GPU ------------------------------------------------------------------------------------------


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device on this machine")
def test_a_gpu_trains_the_same_field_to_rounding():
    here, there = train(COUPLINGS["exact"], 2, SHORT), train(COUPLINGS["exact"], 2, SHORT, device="cuda")
    assert there.device.type == "cuda"
    x = np.random.default_rng(0).standard_normal((20, 2))
    np.testing.assert_allclose(here.velocity(0.5, x), there.velocity(0.5, x), atol=1e-3)
    np.testing.assert_allclose(here.jacobian(0.5, x), here.to("cuda").jacobian(0.5, x), atol=1e-12)
