"""What a test shows without asserting it: audits, tables, figures."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal

from reports.evidence.describing import plain
from reports.evidence.exhibits import Audit, AuditKind, AuditOutcome, Table
from reports.evidence.recorder import Recorder

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Showing:
    """Keeps what is shown beside the evidence.

    Attributes:
        recorder: Where it is kept.
    """

    __slots__ = ("_target", "recorder")

    def __init__(self, recorder: Recorder, target: object = None):
        self.recorder = recorder
        self._target = target

    def audit(
        self,
        question: str,
        outcome: AuditOutcome,
        expected: float | str,
        measured: float | str,
        because: str,
        *,
        subject: str = "",
        kind: AuditKind = "library",
    ) -> None:
        """What something that is not ours does; it decides nothing.

        Args:
            question: What was asked.
            outcome: ``"agrees"`` or ``"deviates"``; ``"cannot be told"`` where what was found decides
                neither; ``"informs"`` where nothing was compared.
            expected: What theory expects, a number or words.
            measured: What was found.
            because: Why that is expected.
            subject: Who was asked: a library, a file, an equation; the target's name if left out.
            kind: ``"data"``, ``"flow"``, ``"library"`` or ``"equation"``.
        """
        family = self._family()
        record = Audit(
            subject or family, kind, question, outcome, plain(expected), plain(measured), because, family
        )
        if not self.recorder.frozen:
            self.recorder.audits[record.subject, question, family] = record

    def table(self, title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
        """A table shown with the claim. The first table of a title is kept."""
        if title not in self.recorder.tables and not self.recorder.frozen:
            cells = tuple(tuple(plain(cell) for cell in row) for row in rows)
            self.recorder.tables[title] = Table(title, tuple(columns), cells)

    def figure(
        self,
        title: str,
        alt: str,
        draw: Callable[["Figure"], object],
        *,
        size: tuple[float, float] = (6.4, 3.6),
        format: Literal["svg", "png"] = "svg",  # noqa: A002
    ) -> None:
        """A figure shown with the claim, drawn only when a report is written. The first of a title is kept.

        Args:
            title: Its caption.
            alt: What it shows, in words, for those who do not see it.
            draw: Called with an empty Matplotlib figure of constrained layout, on which it draws.
            size: Width and height in inches.
            format: ``"png"`` where an SVG would be large (images, many thousand points).
        """
        if self.recorder.frozen or not self.recorder.wants_figures or title in self.recorder.figures:
            return
        from reports.evidence.drawing import render

        self.recorder.figures[title] = render(title, alt, draw, size, format)

    def _family(self) -> str:
        if self._target is None:
            return ""
        return self._target if isinstance(self._target, str) else type(self._target).__name__
