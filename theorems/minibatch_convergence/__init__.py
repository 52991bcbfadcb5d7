"""Theorem 2: minibatch OT-CFM converges to the population as the batch grows (docs/theory.md §2)."""
