"""Vector fields of couplings, and what they do."""
