"""Old name of `theorems.setting.libraries`."""

from theorems.setting.libraries import MISSING, Batches, Questions, TorchCFM, batches_of, seeded

__all__ = ["MISSING", "Batches", "Questions", "TorchCFM", "batches_of", "seeded"]
