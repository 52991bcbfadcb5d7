"""Follows a run of pytest: what is collected, how each test ends, and at the end the report.

Under xdist the workers run these hooks, too: they send each test's outcome in its ``user_properties``, and
what they collected with the first report, or in ``workeroutput`` if they ran no test; the controller gathers.
"""

import gc
import json
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reports.run.collection import Test, mark_problem, test_of, theorem_module
from reports.run.inputs import NEEDS, keep_target

if TYPE_CHECKING:
    from reports.evidence.recorder import Recorder
    from reports.run.outcome import Outcome
    from reports.run.progress import Progress
    from reports.run.state import Run

TEST = pytest.StashKey[Test]()
RECORDER: "pytest.StashKey[Recorder]" = pytest.StashKey()
OUTCOME: "pytest.StashKey[Outcome]" = pytest.StashKey()
COLLECTED = "otcfm_collected"
ERROR_LENGTH = 4000


class RunHooks:
    """The hooks of one run.

    Args:
        config: pytest's configuration.
        seed: Feeds every generator.
        profile: The Hypothesis profile of the theorems.
        directory: Where the report goes; None if none is written.
    """

    def __init__(self, config: pytest.Config, seed: int, profile: str, directory: str | None) -> None:
        self.config = config
        self.seed = seed
        self.profile = profile
        self.directory = directory
        self.is_worker = hasattr(config, "workerinput")
        self.nodes: dict[str, str] = {}
        self.written: str | None = None
        self.progress: Progress | None = None
        self.is_collection_sent = not self.is_worker
        self._run: Run | None = None

    @property
    def run(self) -> "Run":
        """The run, made when the first theorem turns up."""
        if self._run is None:
            from reports.run.state import Run

            self._run = Run(self.seed, self.profile)
        return self._run

    # collecting -------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Import modules of theorems under their profile, and note every test that they declare.

        This wrapper is the innermost, so it sees what ``--lf`` or a node id on the command line hides.
        """
        module = theorem_module(collector.path)
        if module is None:
            return (yield)
        if not isinstance(collector, pytest.Module | pytest.Class):
            report = yield
        else:
            from reports.run.profiles import profile_loaded

            with profile_loaded(self.profile):
                report = yield
            if report.passed:
                self._declare(module, report)
        if report.failed:
            report.__dict__["otcfm_module"] = module  # attributes of a report travel through xdist
        return report

    def _declare(self, module: str, report: pytest.CollectReport) -> None:
        items = [item for item in report.result if isinstance(item, pytest.Item)]
        try:
            known = [claim.id for claim in self.run.claims]
            problems = [problem for item in items if (problem := mark_problem(item, known))]
        except Exception as error:
            problems = [f"the claims cannot be loaded: {type(error).__name__}: {error}"]
        if problems:
            report.outcome, report.longrepr, report.result = "failed", "\n".join(problems), []
            return
        self.run.collection.modules.add(module)
        for item in items:
            if test := test_of(item):
                item.stash[TEST] = test
                self.run.collection.declared[test.name] = test

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note what could not be collected; under xdist the workers' reports arrive here, too."""
        module = getattr(report, "otcfm_module", None)
        if report.failed and module:
            self.run.errors[module] = str(report.longrepr)[-ERROR_LENGTH:]
            self.config.option.continue_on_collection_errors = True  # as xdist does; the run fails anyway

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None, None, None]:
        """Deselect what --claim does not name; leave out, uncounted, the audits of what was not given.

        Where all that is left is ours, Hypothesis's own hook collects no constants, which it would keep in
        the current directory and which no check uses.
        """
        absent = {fixture for fixture, option in NEEDS.items() if self.config.getoption(option) is None}
        if absent:
            unmet = {i for i in items if TEST in i.stash and absent & set(getattr(i, "fixturenames", ()))}
            items[:] = [item for item in items if item not in unmet]
        if claims := self.config.getoption("--claim"):
            self._select(items, set(claims.split(",")))
        if items and all(TEST in item.stash for item in items):
            from reports.run.profiles import no_constants_from_source

            with no_constants_from_source():
                return (yield)
        return (yield)

    def _select(self, items: list[pytest.Item], claims: set[str]) -> None:
        chosen = [item for item in items if TEST in item.stash and claims & item.stash[TEST].claims]
        self.config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note which tests are selected; the million objects imported for them are no garbage to look for."""
        tests = [item.stash[TEST] for item in session.items if TEST in item.stash]
        if tests:
            self.run.collection.selected |= {test.name for test in tests}
            gc.freeze()

    # running ----------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Give a test of the theorems its recorder; a rerun goes on with the one it has."""
        if TEST in item.stash and RECORDER not in item.stash:
            from reports.evidence.recorder import Recorder
            from reports.run.outcome import Outcome

            test = item.stash[TEST]
            item.stash[RECORDER] = Recorder(
                wants_figures=self.directory is not None,
                takes_evidence=bool(test.checks or test.controls),
                takes_controls=bool(test.controls),
                clauses=self.run.clauses_of(test),
            )
            item.stash[OUTCOME] = Outcome()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Seed a test, and fail one that passed without leaving what its marks promise."""
        if TEST not in item.stash:
            return (yield)
        from reports.run.outcome import nothing_recorded, undeclared
        from reports.run.profiles import derived_seed, prepared

        test, recorder = item.stash[TEST], item.stash[RECORDER]
        with prepared(getattr(item, "obj", None), derived_seed(self.seed, test.name), recorder.freeze):
            result = yield
        if problem := nothing_recorded(test, recorder) or undeclared(test, recorder):
            pytest.fail(problem, pytrace=False)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note how each phase ended; at teardown put everything into one string."""
        if OUTCOME in item.stash:
            from reports.run.outcome import PROPERTY

            outcome = item.stash[OUTCOME]
            outcome.ended(call)
            if call.when == "teardown":
                outcome.take(item.stash[RECORDER])
                item.user_properties = [p for p in item.user_properties if p[0] != PROPERTY]
                item.user_properties.append((PROPERTY, outcome.dumps(item.stash[TEST])))
        report = yield
        if self._run and not self.is_collection_sent:  # what is complete, or missing, is told by all tests
            report.__dict__[COLLECTED] = json.dumps(self.run.collection.dump())
            self.is_collection_sent = True
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Read the string once, before reporters that would print it see it."""
        if self.is_worker:
            return
        from reports.run.outcome import PROPERTY, loads

        if dumped := report.__dict__.pop(COLLECTED, None):
            self.run.collection.merge(json.loads(dumped))
        for text in [value for name, value in report.user_properties if name == PROPERTY]:
            name, outcome = loads(str(text))
            self.run.outcomes[name] = outcome
            self._show_progress()
        report.user_properties = [p for p in report.user_properties if p[0] != PROPERTY]
        if report.failed:
            self.nodes[report.nodeid] = report.when or ""

    def _show_progress(self) -> None:
        from reports.run.progress import Progress, wanted

        if not wanted(self.config):
            return
        self.progress = self.progress or Progress(self.run)
        terminal: Any = self.config.pluginmanager.get_plugin("terminalreporter")
        for line, colour in self.progress.lines():
            terminal.ensure_newline()
            terminal.write_line(line, **{colour: True})

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Read what an xdist worker collected, if it ran no test and sent no report."""
        dumped = getattr(node, "workeroutput", {}).get(COLLECTED)
        if dumped:
            self.run.collection.merge(json.loads(dumped))

    # ending -----------------------------------------------------------------------------------------

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Tell a user's interruption from the one with which pytest answers a collection error."""
        if self._run and not isinstance(excinfo.value, pytest.Session.Interrupted):
            self._run.interrupted = True
            keep_target(self.config)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Judge the run, set the exit status, write the report."""
        if self.is_worker:
            if self._run and not self.is_collection_sent:
                session.config.workeroutput[COLLECTED] = json.dumps(self.run.collection.dump())  # type: ignore[attr-defined]
            return
        if self._run is None or not self.run.concerns_theorems:
            return
        if self.run.interrupted:
            if self.directory is not None and self.run.outcomes:
                self._write(session, self._beside_a_report(Path(self.directory)))
            elif self.directory is not None:
                self.written = "interrupted before a test ended: there is no report"
            return
        self._crashed()
        try:
            session.exitstatus = self.run.exit_status(exitstatus)
        except Exception as error:  # the claims themselves cannot be loaded: there is nothing to judge
            self.run.errors.setdefault("theorems", f"{type(error).__name__}: {error}")
            session.exitstatus = 1
            return
        if self.directory is not None:
            self._write(session, Path(self.directory))

    def _crashed(self) -> None:
        """A test that took its worker down with it left no string, but it failed."""
        from reports.run.outcome import Outcome

        for test in self.run.collection.declared.values():
            if test.nodeid in self.nodes and test.name not in self.run.outcomes:
                self.run.outcomes[test.name] = Outcome(
                    state="failed", reason="the process that ran it crashed"
                )

    @staticmethod
    def _beside_a_report(directory: Path) -> Path:
        """Where what an interrupted run has goes: not over a report that may be whole."""
        taken = (directory / "report.json").exists()
        return directory.with_name(f"{directory.name}-interrupted") if taken else directory

    def _write(self, session: pytest.Session, directory: Path) -> None:
        from reports.run.document import document, figure_files
        from reports.run.writer import refuse_foreign, write

        try:
            refuse_foreign(directory)
            content = document(self.run, self.config)
            write(directory, content, figure_files(self.run))
            self.written = f"report: {directory / 'index.html'}"
            if self.run.interrupted:
                self.written = f"interrupted; {self.written} says what of the run there is"
        except (OSError, ValueError) as error:  # a full disk, a formula that cannot be shown
            session.exitstatus = 1
            self.written = f"the report could not be written: {error}"

    def pytest_terminal_summary(self, terminalreporter: "pytest.TerminalReporter") -> None:
        """Print the verdicts."""
        if self.is_worker or self._run is None or not self.run.concerns_theorems:
            return
        from reports.run.summary import summarise

        summarise(terminalreporter, self.run, self.written)
