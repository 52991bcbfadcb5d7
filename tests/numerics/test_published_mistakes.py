"""Mistakes that live in published libraries: each is rejected by a law, and what is right passes all."""

import pytest

from tests.numerics.laws import LAWS
from tests.numerics.twins import RIGHT, WRONG, outcome

OFF_THE_SUPPORT = {"prox_is_optimal", "prox_closes_the_gap", "prox_is_firmly_nonexpansive"}
REJECTED_BY = {
    "Huber prox: switch at α": OFF_THE_SUPPORT | {"prox_recovers_data", "envelope_matches_its_minimiser"},
    "k-overlap prox: bracket misplaced": OFF_THE_SUPPORT,  # on x₁ + λx₀ the slip is idle
    "dimension: n(n+1)/2": {"subdifferential_holds_the_noise", "manifold_inverts_the_transport_jacobian"},
    "K without its curvature term": {
        "transport_jacobian_is_derivative",
        "manifold_inverts_the_transport_jacobian",
    },
}


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_right_version_passes(law, name):
    assert outcome(RIGHT[name], law) != "rejects"


@pytest.mark.parametrize("name", WRONG)
def test_published_mistake_is_rejected_by_these_laws(name):
    """The whole list, so that a law that goes blind is noticed even where another still sees."""
    assert {law.__name__ for law in LAWS if outcome(WRONG[name], law) == "rejects"} == REJECTED_BY[name]


@pytest.mark.parametrize("name", RIGHT)
def test_laws_apply(name):
    """A twin to which nothing applies would pass."""
    assert sum(outcome(RIGHT[name], law) == "holds" for law in LAWS) >= 7
