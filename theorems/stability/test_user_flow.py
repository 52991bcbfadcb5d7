"""The user's own flow (--flow=MODULE:ATTR): its first lines, and how to sample it, as audits.

Assumed: a field that can be integrated from noise, with the linear schedule. N3 bounds the error of Euler's
samples by the errors of the field at the points that the steps visit, which with --target are known. Nothing
here decides a verdict.
"""

import math

import pytest

from theorems.setting.user.flow_audits import CLOSE, TIMES, asked
from theorems.setting.user.flow_pictures import draw_normal, draw_scale
from theorems.setting.user.flow_references import of_independent
from theorems.setting.user.flow_samples import FINE, FOLLOWS, ending, sampling
from theorems.setting.user.flow_scale import scale
from theorems.setting.user.flow_words import IN_SHORT, LINES

OUTCOMES = {True: "agrees", False: "deviates", None: "cannot be told"}
OPTIMAL = "OT-like"
"""In the question whose answer is a place on a scale."""
PLACES = [(k, claim) for k, (claim, _) in enumerate(LINES.values(), start=1)]


@pytest.mark.parametrize(
    ("claim", "place"),
    [pytest.param(claim, k, marks=pytest.mark.asks(claim), id=f"{k}-{claim}") for k, claim in PLACES],
)
def test_in_short(evidence, user_flow, claim, place):
    question = list(LINES)[place - 1]
    with asked(evidence, user_flow, claim, question):
        outcome = _outcome(user_flow, question)
        evidence.audit(
            f"{IN_SHORT} ({place} of {len(LINES)}): {question}",
            outcome,
            expected="an answer" if outcome == "informs" else "as the exact OT-CFM field: nothing lost",
            measured=LINES[question][1](user_flow),
            because="a summary; numbers and conventions stand with the questions below",
            subject=user_flow.name,
            kind="flow",
        )
        if OPTIMAL in question:
            seen = scale(user_flow)
            evidence.figure(
                f"{user_flow.name}: its place among couplings",
                "Distance from the exact field of minibatch and independent coupling, and of the flow",
                lambda figure: draw_scale(figure, seen.places, seen.found, seen.error, user_flow.name),
                size=(7.0, 2.4),
            )


def _outcome(flow, question):
    """A summary agrees where its number does: near the exact field, followed to the end. Others inform."""
    if OPTIMAL in question:
        return scale(flow).outcome
    return _to_the_end(flow)[0] if "fail" in question else "informs"


def _to_the_end(flow):
    """It agrees if it follows to the last time and independent coupling does not; and what that does."""
    mark, words = of_independent(flow, lambda other: ending(other).whole, own=False)
    outcome = OUTCOMES[ending(flow).whole]
    if outcome == "agrees" and mark is not False:
        outcome = "cannot be told"
    follows = {True: "follows to the end, too", False: "does not", None: "has no such direction"}
    return outcome, f"{words}{'' if words else follows[mark]}"


@pytest.mark.asks("H5")
def test_the_end_of_time(evidence, user_flow):
    with asked(evidence, user_flow, "H5", "the normal eigenvalue"):
        end = ending(user_flow)
        outcome, mark = _to_the_end(user_flow)
        evidence.audit(
            "H5: up to which time does its normal eigenvalue follow −1/(1−t)?",
            outcome,
            expected=f"{TIMES[-1]:g}, the last time asked; independent coupling: {mark}",
            measured=_until(end),
            because="κ = 0 gives exactly −1/(1−t) at every t, which a network's bounded derivatives leave;"
            f" median, within {FOLLOWS} (chosen), over the {end.share:.0%} of trajectories with an eigenvalue"
            " of (1−t)Dv below −½ somewhere in 0.7 ≤ t ≤ 0.9; the exact field of a --target, which are atoms,"
            " has such directions everywhere",
            subject=user_flow.name,
            kind="flow",
        )
        evidence.figure(
            f"{user_flow.name}: the normal eigenvalue of (1−t)Dv",
            "Its median against t, and −1, which an exact field keeps",
            lambda figure: draw_normal(figure, end.times, end.normal, end.t_max),
            size=(4.8, 3.2),
        )


def _until(end):
    """Its last time, in words where there is none."""
    if end.share < 0.5:
        return f"no normal direction in {1 - end.share:.0%}"
    return f"{end.t_max:g}" if math.isfinite(end.t_max) else "never"


@pytest.mark.asks("N3")
def test_sampling(evidence, user_flow):
    with asked(evidence, user_flow, "N3", "Euler's samples"):
        seen = sampling(user_flow)
        evidence.table(
            f"{user_flow.name}: Euler's steps to t = {seen.t_max:g} and one from there",
            ("steps", f"distance from {seen.samples} samples of {FINE} steps, of their spread", "+ 2 s.e."),
            [(n, *lost) for n, lost in seen.lost.items()],
        )
        other, words = of_independent(user_flow, sampling)
        outcome = "agrees" if seen.steps == 1 else "deviates"
        if outcome == "agrees" and not (other and other.steps > 1):
            outcome = "cannot be told"
        words = words or f"{other and other.count}"
        evidence.audit(
            "N3: how many Euler steps lose nothing?",
            outcome,
            expected=f"1: an exact field is straight; independent coupling: {words}",
            measured=seen.count,
            because=f"fewest of a list that move {seen.samples} samples by at most {CLOSE:g} of their spread"
            f" against {FINE} steps, two standard errors included; the last step is straight from"
            f" t = {seen.t_max:g}{seen.why}",
            subject=user_flow.name,
            kind="flow",
        )


@pytest.mark.asks("N3")
def test_the_samples_error(evidence, user_flow, user_target):
    with asked(evidence, user_flow, "N3", "the exact field at Euler's points"):
        seen = sampling(user_flow)
        evidence.audit(
            "N3: is every sample as near its optimal datum as the field's errors allow?",
            "deviates" if seen.broken else "informs",
            expected=f"0 of {seen.samples} beyond Σ δ_k|e_k|/t_{{k+1}}, RMS {seen.bound:.3g} of the way",
            measured=f"{seen.broken} beyond; RMS {seen.error:.3g} of the way",
            because=f"N3 (5) with {seen.steps} steps, e_k the field's error on {user_target.name} where"
            " step k begins; the way is that from noise to data",
            subject=user_flow.name,
            kind="flow",
        )
