"""Every equation of the notes, both algorithms and Figure 2 are in the coverage table, each once."""

import re

from theorems.flow_matching.claims import CLAIMS, COVERAGE

EQUATIONS = re.compile(r"\((\d+)\)(?:–\((\d+)\))?")


def _equations():
    for row in COVERAGE:
        for first, last in EQUATIONS.findall(row.item):
            yield from ((number, row) for number in range(int(first), int(last or first) + 1))


def test_every_equation_is_covered_once():
    numbers = sorted(number for number, row in _equations() if not row.item.endswith("proof"))
    assert numbers == list(range(1, 41))
    assert {"Algorithm 1", "Algorithm 2", "Figure 2"} <= {row.item for row in COVERAGE}


def test_a_row_names_its_claim_or_says_that_there_is_nothing_to_check():
    for row in COVERAGE:
        assert row.claim or "nothing to check" in row.note, row


def test_a_claim_is_corrected_where_an_equation_of_its_is():
    corrected = {row.claim for row in COVERAGE if row.note.startswith("corrected:")}
    assert corrected == {claim.id for claim in CLAIMS if claim.status == "corrected"}
