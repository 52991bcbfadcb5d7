"""`python -m benchmarks [name …]`: run the benchmarks, print their tables, record them in RESULTS.md."""

import argparse
import importlib

NAMES = (
    "sphere_prox",
    "conic_prox",
    "couplings",
    "curved_faces",
    "dimension_peers",
    "exact_curves",
    "first_paint",
    "atoms_prox",
    "audit_times",
    "matrix_prox",
    "peer_prox",
    "sampled",
    "semidiscrete",
    "space",
    "spectrum",
    "training",
    "suite",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)}; all when absent")
    wanted = parser.parse_args().names or NAMES
    unknown = sorted(set(wanted) - set(NAMES))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    for name in wanted:
        importlib.import_module(f"benchmarks.{name}").run().record()


if __name__ == "__main__":
    main()
