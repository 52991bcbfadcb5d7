"""The theorems as pytest modules: one folder a theorem, written to be read beside the paper."""
