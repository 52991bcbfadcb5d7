"""What happened to one test, as one JSON string that travels in its ``user_properties``."""

import base64
import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import pytest

from reports.evidence.recorder import Recorder
from reports.run.collection import Test

PROPERTY = "otcfm_evidence"
ABOUT = re.compile(r"([A-Z]+\d+)\b[^:]*:")
"""How the question of an audit begins that is about a claim."""


@dataclass(slots=True)
class Outcome:
    """How one test ended and what it recorded.

    Attributes:
        state: How it ended.
        reason: Why it was skipped, or the last line of what it failed with.
        beyond: Whether a measurement was beyond its bound.
        rejections: The number of controls, if all were rejected as predicted; else 0.
        level: The sum of the levels it spent.
        seconds: How long its call took.
        evidence, controls, audits, tables, figures: As report.json lists them.
    """

    state: Literal["passed", "failed", "skipped"] = "passed"
    reason: str = ""
    beyond: bool = False
    rejections: int = 0
    level: float = 0.0
    seconds: float = 0.0
    evidence: list[dict[str, Any]] = field(default_factory=list)
    controls: list[dict[str, Any]] = field(default_factory=list)
    audits: list[dict[str, Any]] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)
    figures: list[dict[str, Any]] = field(default_factory=list)

    def ended(self, call: pytest.CallInfo[Any]) -> None:
        """Take note of how one phase of the test ended; a failure is never forgotten, not even by a rerun."""
        if call.when == "call":
            self.seconds += call.duration
        if call.excinfo is None or self.state == "failed":
            return
        error = call.excinfo.value
        skipped = isinstance(error, pytest.skip.Exception)
        self.state = "skipped" if skipped else "failed"
        self.reason = str(error) if skipped else _last_words(error)

    def take(self, recorder: Recorder) -> None:
        """Take what was recorded."""
        self.beyond, self.rejections, self.level = recorder.beyond, recorder.rejections, recorder.level
        if not all(kept.holds for kept in recorder.controls.values()) and self.state != "failed":
            self.state, self.reason = (
                "failed",
                "a control was not rejected as predicted, and the test went on",
            )
        self.evidence, self.controls = recorder.evidence_fields(), recorder.control_fields()
        self.audits = [asdict(audit) for _, audit in sorted(recorder.audits.items())]
        self.tables = [asdict(table) for table in recorder.tables.values()]
        self.figures = [
            asdict(figure) | {"data": base64.b64encode(figure.data).decode("ascii")}
            for figure in recorder.figures.values()
        ]

    def dumps(self, test: Test) -> str:
        """The one string: NumPy scalars would crash xdist, and NaN is no JSON."""
        return json.dumps({"test": asdict(test), "outcome": asdict(self)}, allow_nan=False)


def loads(text: str) -> tuple[str, Outcome]:
    """The name of a test and its outcome."""
    fields = json.loads(text)
    return fields["test"]["name"], Outcome(**fields["outcome"])


def nothing_recorded(test: Test, recorder: Recorder) -> str | None:
    """What a test that passed should have recorded but did not; None if it recorded what it must."""
    if test.checks and not recorder.evidence:
        return f"{test.name} recorded nothing: it checks {', '.join(test.checks)} and must leave evidence"
    if test.controls and not recorder.controls:
        ids = ", ".join(test.controls)
        return f"{test.name} recorded nothing: it is a control of {ids} and must call evidence.control"
    return None


def undeclared(test: Test, recorder: Recorder) -> str | None:
    """Which claim an audit is about (``P2: is …``) though no mark of the test says so; None if all say so.

    ``--claim`` finds audits by their marks, and would leave such a one out.
    """
    about = {found[1] for _, question, _ in recorder.audits if (found := ABOUT.match(question))}
    if missing := sorted(about - test.claims):
        ids = ", ".join(f'"{i}"' for i in missing)
        return f"{test.name} audits {', '.join(missing)} unmarked: write @pytest.mark.asks({ids})"
    return None


def _last_words(error: BaseException) -> str:
    lines = [line for line in str(error).strip().splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
