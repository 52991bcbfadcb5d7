"""Theorem 2: minibatch OT-CFM converges to the population as the batch grows (theory.md §2)."""
