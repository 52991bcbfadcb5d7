"""The tests over interpreters and dependencies: `make matrix`; MATRIX='-s "tests-3.13(newest)"' chooses one.

Interpreters that are found are tried; nox names the others as skipped. "lowest" takes the least versions that
pyproject.toml admits, so that its floors are true, and "newest" the latest on the package index.
"""

import nox

nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = False

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
RESOLUTION = {"lowest": "lowest-direct", "newest": "highest"}
COMPILED = [
    *("clarabel", "cvxpy", "matplotlib", "numpy", "osqp", "pillow"),
    *("POT", "python-flint", "pyyaml", "scikit-learn", "scipy", "scs", "torch"),
]
"""Of these the least version that has a wheel for the interpreter: none is built from source here."""


@nox.session(python=PYTHONS)
@nox.parametrize("dependencies", list(RESOLUTION), ids=list(RESOLUTION))
def tests(session: nox.Session, dependencies: str) -> None:
    """Unit tests, then the theorems; or what stands after ``--``, such as ``tests/numerics``."""
    wheels = [word for name in COMPILED for word in ("--only-binary", name)]
    session.install(
        "--resolution",
        RESOLUTION[dependencies],
        "--compile-bytecode",
        *wheels,
        "--editable",
        ".[test,cluster]",
    )
    session.install("--no-deps", "torchcfm==1.0.7")  # what it declares to depend on would replace torch
    beside = f"{session.virtualenv.location}/neighbours"
    session.install("--no-deps", "--target", beside, "-r", "tests/reports/neighbours.txt")
    for paths in (
        [session.posargs] if session.posargs else (["tests", "-n", "auto"], ["theorems", "-n", "auto"])
    ):
        session.run("python", "-m", "pytest", *paths)
