"""Couplings between Gaussian noise and data: semidiscrete transport, minibatch laws."""
