"""Theorem 1: the OT-CFM denoiser is exactly a proximal operator of an Aleksandrov–Brenier potential."""
