"""The same prox by independent routes that know a potential, and certificates that bound its error."""
