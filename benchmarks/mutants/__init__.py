"""Would the checks have noticed? Faults are put into the code one at a time, and the checks run.

`python -m benchmarks.mutants` (`make mutants`) draws faults from all that the operators can make, runs the
checks that touch the changed line, and writes POWER.md: which share was noticed, by which claims, and what
survived. What is found is kept under the hash of the code, so that interrupted work goes on where it was.
"""
