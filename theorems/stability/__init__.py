"""What errors do: of the field and the sampler (N3), of the data (N5), and how potentials converge (N6)."""
