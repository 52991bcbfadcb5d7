"""Flows that are learned, beside the exact ones they are to learn."""
