"""The user's own flow (--flow=MODULE:ATTR): its place among couplings of the same target, as an audit.

Assumed: a field that can be integrated from noise, with the linear schedule. The references are fields in
closed form or of drawn batches, on the target of --target or on the flow's own samples. Nothing here decides
a verdict.
"""

import pytest

from theorems.setting.user.flow_audits import CLOSE, asked
from theorems.setting.user.flow_scale import POINTS, scale
from theorems.setting.user.flow_standing import BATCHES, UNRESOLVED, name_of


@pytest.mark.asks("M4")
def test_its_place_among_couplings(evidence, user_flow):
    with asked(evidence, user_flow, "M4", "references on the same target"):
        seen = scale(user_flow)
        largest = name_of(max(BATCHES))
        tolerances = (
            f"{CLOSE:g}, {seen.known[largest]:.3g} of {largest}" if largest in seen.known else f"{CLOSE:g}"
        )
        if seen.apart:
            tolerances += f", {seen.apart:.3g} that own samples resolve"
        evidence.audit(
            "M4: how far is its field from the exact one, beside those of batches?",
            seen.outcome,
            expected=f"0; at most {seen.allowed:.3g}, the largest of {tolerances}{against(seen)}"
            if seen.resolved
            else f"0; on {seen.target} nothing can be told",
            measured=seen.found,
            because=because(seen),
            subject=user_flow.name,
            kind="flow",
        )
        evidence.table(
            f"{user_flow.name}: distance from the exact field on {seen.target}",
            ("field", "D", "±", "points that no drawn batch reached"),
            [
                (name, number, seen.errors.get(name, 0.0), seen.left_out.get(name, 0.0))
                for name, number in seen.places.items()
            ]
            + [(user_flow.name, seen.found, seen.error, 0.0)],
        )


def against(seen):
    """What it must be nearer to the exact field than."""
    if not seen.rival:
        return f"; on {seen.target} no other coupling is told from the exact field, so that nothing agrees"
    return f"; nearer to 0 than to {seen.rival.number:.3g} of {seen.rival.name}"


def because(seen):
    """Where it stands, how that is known, and what would decide if it is not."""
    chosen = " (chosen for own samples)" if seen.apart else ", drawn and weighted by |v−Ev|²"
    words = (
        f"D² = E|f−v|²/E|v−Ev|², {POINTS} points at each of t = {', '.join(f'{t:g}' for t in seen.times)}"
        f"{chosen},"
        f" on {seen.target};"
        f" {seen.place}; standard error {seen.error:.1g}"
    )
    if not seen.resolved:
        words += (
            f", more than {UNRESOLVED} or half of independent coupling's {seen.places.get(name_of(1), 0):.2g}"
            " (chosen): nothing is decided, give --target"
        )
    return words
